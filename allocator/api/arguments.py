"""Arguments held against the signature of what is called, before anything is done: every fault at once.

What people hand over is read as they mean it: 1e4 is a whole number, an index of pandas a list, a number of
NumPy a number, and one text, where texts are asked for, a list of one.
"""

from __future__ import annotations

import inspect
import math
import numbers
import os
import types
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError

_LISTS = (Sequence, Iterator, KeysView, ValuesView, np.ndarray, pd.Index, pd.Series)
"""What is read as a list; a set is none, for its order is nobody's."""
_LONGEST = 60
"""Characters of a value that a fault repeats."""
_ELSEWHERE = frozenset({"scenario", "source", "sets", "subjects"})
"""Arguments that are of many kinds: whoever reads them says what is wrong with them."""


@dataclass(frozen=True)
class Within:
    """Says of a number in a signature where it lies; `most` None: anywhere above."""

    least: float
    most: float | None = None

    def fault(self, value: float) -> str | None:
        """What is wrong with `value`, in words; None where nothing is."""
        if self.most is None:
            return None if value >= self.least else f"{value} is below {self.least:,}"
        inside = self.least <= value <= self.most
        return None if inside else f"{value} lies outside {self.least:,} to {self.most:,}"


Seed = Annotated[int, Within(0)]
"""The same seed gives the same."""
Folds = Annotated[int, Within(2)]
"""Of a validation."""


class _MisfitError(Exception):
    """A value is not of the kind that is asked for; with words where it is, but cannot be."""


def read_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`args` and `kwargs` as `function` takes them. Raises InputError with every argument that it cannot."""
    signature, hints = _expected(function)
    named = signature.parameters
    strangers = [] if _takes_any(named) else [name for name in kwargs if name not in named]
    faults = [_stranger(name, named) for name in strangers]
    try:
        bound = signature.bind(*args, **{name: value for name, value in kwargs.items() if name in named})
    except TypeError as error:
        faults.append(Fault(str(error), f"see help({function.__name__})"))
        raise InputError.of(faults, function.__name__) from None
    for name, value in bound.arguments.items():
        if name in _ELSEWHERE or name not in hints:
            continue
        try:
            bound.arguments[name] = _read(hints[name], value)
        except _MisfitError as misfit:
            faults.append(_fault(name, value, hints[name], named[name].default, str(misfit)))
    if faults:
        raise InputError.of(faults, function.__name__)
    return bound.args, bound.kwargs


@cache
def _expected(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """The signature, and what each parameter is to be."""
    written = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    holder = types.SimpleNamespace(__annotations__=written)
    hints = get_type_hints(holder, function.__globals__, include_extras=True)
    return inspect.signature(function), hints


def _takes_any(named: Mapping[str, inspect.Parameter]) -> bool:
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in named.values())


def _stranger(name: str, named: Mapping[str, inspect.Parameter]) -> Fault:
    near = get_close_matches(name, named, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]}?" if near else f"the arguments are {', '.join(named)}"
    return Fault("no argument has this name", remedy, field=name)


def _fault(name: str, value: Any, hint: Any, default: Any, why: str) -> Fault:
    usual = isinstance(default, str | int | float) and default is not inspect.Parameter.empty
    expected = " or ".join(dict.fromkeys(_words(hint)))
    example = f", as {default!r}" if usual and not isinstance(default, bool) else ""
    return Fault(why or f"{_shown(value)} is not {expected}", f"give {expected}{example}", field=name)


def _shown(value: object) -> str:
    """`value` where it is short and plain, else its kind."""
    if value is None or isinstance(value, str | bytes | bool | numbers.Number):
        text = repr(value.item() if isinstance(value, np.generic) else value)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    kind = type(value)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}."
    return f"{home}{kind.__name__}"


def _read(hint: Any, value: Any) -> Any:
    """`value` as `hint` has it. Raises _MisfitError where it is none."""
    if hint is Any:
        return value
    if hasattr(hint, "__metadata__"):
        return _within(_read(hint.__origin__, value), hint.__metadata__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _by_first_fit(parts, value)
    if origin is Literal:
        return _taken(value, isinstance(value, str) and value in parts)
    if origin in (list, tuple, Sequence):
        return _list(value, parts[0] if parts else Any)
    if origin is Mapping:
        return _mapping(value, parts[1])
    if origin is Callable:
        return _taken(value, callable(value))
    return _single(origin or hint, value)


def _by_first_fit(hints: Sequence[Any], value: Any) -> Any:
    """`value` by the first of `hints` that it fits."""
    why = ""
    for hint in hints:
        try:
            return _read(hint, value)
        except _MisfitError as misfit:
            why = why or str(misfit)
    raise _MisfitError(why)


def _single(kind: Any, value: Any) -> Any:
    if kind is int:
        return _whole(value)
    if kind is float:
        return _number(value)
    if kind is bool:
        return bool(_taken(value, isinstance(value, bool | np.bool_)))
    if isinstance(value, str | os.PathLike) and "\0" in os.fspath(value):
        raise _MisfitError(f"{_shown(os.fspath(value))} holds a null character")
    return _taken(value, isinstance(value, kind))


def _taken(value: Any, fits: bool) -> Any:
    if not fits:
        raise _MisfitError
    return value


def _number(value: Any) -> float:
    if isinstance(value, np.generic):
        value = value.item()
    known = isinstance(value, numbers.Real | Decimal) and not isinstance(value, bool)
    if not known:
        raise _MisfitError
    plain = value if isinstance(value, int | float) else float(value)
    if not math.isfinite(plain):
        raise _MisfitError
    return plain


def _whole(value: Any) -> int:
    plain = _number(value)
    return int(_taken(plain, plain == int(plain)))


def _within(value: Any, bounds: Sequence[Any]) -> Any:
    for bound in bounds:
        why = bound.fault(value) if isinstance(bound, Within) else None
        if why is not None:
            raise _MisfitError(why)
    return value


def _list(value: Any, part: Any) -> list[Any]:
    if isinstance(value, str):
        return [_read(part, value)]
    plain = _taken(value, isinstance(value, _LISTS) and not isinstance(value, bytes | bytearray))
    return [_read(part, element) for element in plain]


def _mapping(value: Any, part: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _MisfitError
    return value if part is Any else {key: _read(part, element) for key, element in value.items()}


def _words(hint: Any, many: bool = False) -> Iterator[str]:
    """What `hint` asks for, in words, one for each kind."""
    hint = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [str] if any(get_origin(kind) is os.PathLike for kind in parts) else []
        for kind in parts:
            if kind not in kinds and kind is not types.NoneType:
                yield from _words(kind, many)
    elif origin is Literal:
        yield from map(repr, parts)
    elif origin in (list, tuple, Sequence):
        yield "a list" if parts[:1] == (Any,) else f"a list of {' or '.join(_words(parts[0], True))}"
    else:
        kind, more = _NAMES.get(origin or hint, (f"a {getattr(hint, '__name__', hint)}",) * 2)
        yield more if many else kind


_NAMES: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("True or False", "truths"),
    str: ("a text", "texts"),
    os.PathLike: ("a path", "paths"),
    Mapping: ("a mapping", "mappings"),
    Callable: ("a function", "functions"),
}
