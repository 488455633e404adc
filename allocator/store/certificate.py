"""The certificate as JSON: what certificate.json holds, written and read back."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, get_args

from allocator.errors import CertificateError, Fault
from allocator.records.cuts import CUT_NAME, HHI, cuts_of
from allocator.records.enforcement import NOT_IN_FORCE, REPORT, SOFT
from allocator.records.run import Certificate, LimitUse
from allocator.records.scenario import NamedMeasure, Sense

SCHEMA = 1
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
RESTORE = "restore the file as the run wrote it, or solve again"
_NUMBERS_OF_A_LIMIT = ("used", "bound", "price", "violation")
_STATED_TO = 1e-12
"""How far the stated gap and largest violation may stand from what the other numbers give."""


def certificate_to_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate as a mapping of plain values, `tree` only where there is one."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "prices": dict(certificate.prices),
        "bound": certificate.bound,
        "value": certificate.value,
        "gap": certificate.gap + 0.0,  # never -0
        "largest_violation": certificate.largest_violation,
        "limits": [
            {"name": use.name, "measure": use.measure, "sense": use.sense}
            | {key: getattr(use, key) for key in _NUMBERS_OF_A_LIMIT}
            | use.enforcement
            for use in certificate.limits
        ],
        "inputs": dict(certificate.inputs),
    }
    if certificate.cuts:
        document["cuts"] = {cut.name: dict(cut.direction) for cut in certificate.cuts}
    if certificate.weights:
        document["weights"] = dict(certificate.weights)
    if certificate.plugins:
        document["plugins"] = dict(certificate.plugins)
    if certificate.price_bound is not None:
        document["price_bound"] = certificate.price_bound
    if certificate.tree is not None:
        document["tree"] = certificate.tree
    if certificate.lists is not None:
        document["lists"] = certificate.lists
    return document


def certificate_from_json(document: Any, file: str) -> Certificate:
    """The certificate that `document`, read from `file`, states.

    Raises CertificateError with every fault of shape, and where the stated gap or largest violation is not
    what the certificate's own bound, value and limits give.
    """
    faults = [
        Fault(problem, RESTORE, file=file, field=field) for field, problem in _faults_of_shape(document)
    ]
    if faults:
        raise altered_file_error(file, faults)
    certificate = Certificate(
        prices=document["prices"],
        bound=document["bound"],
        value=document["value"],
        limits=tuple(map(_limit_use, document["limits"])),
        inputs=document["inputs"],
        price_bound=document.get("price_bound"),
        tree=document.get("tree"),
        lists=document.get("lists"),
        plugins=document.get("plugins", {}),
        cuts=cuts_of(document),
        weights=document.get("weights", {}),
    )
    _require_consistency(certificate, document, file)
    return certificate


def _limit_use(limit: dict[str, Any]) -> LimitUse:
    """The row as it is stated; what it pays, where it is soft, follows from what it is exceeded by."""
    enforce = limit.get("enforce")
    penalty = enforce[SOFT] if isinstance(enforce, dict) else math.inf if enforce is None else 0.0
    own = {key: entry for key, entry in limit.items() if key not in ("enforce", "penalty")}
    own["in_force"] = enforce != NOT_IN_FORCE
    excess = limit["penalty"] / penalty if "penalty" in limit else 0.0
    return LimitUse(**own, excess=excess, penalty=penalty)


def altered_file_error(file: str, faults: list[Fault]) -> CertificateError:
    """The error for a file of a run that is not as a run writes it."""
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return CertificateError(f"{file} is not as the run wrote it: {number}", faults)


def _require_consistency(certificate: Certificate, document: Mapping[str, Any], file: str) -> None:
    given = {"gap": certificate.gap, "largest_violation": certificate.largest_violation}
    faults = [
        Fault(
            f"states {document[field]!r}, but its own bound, value and limits give {number!r}",
            RESTORE,
            file=file,
            field=field,
        )
        for field, number in given.items()
        if abs(document[field] - number) > _STATED_TO
    ]
    if faults:
        raise CertificateError(f"{file} contradicts itself", faults)


_PROOFS = ("tree", "lists")
_KEYS = frozenset(
    (
        "schema",
        "prices",
        "bound",
        "value",
        "gap",
        "largest_violation",
        "limits",
        "inputs",
        "plugins",
        "cuts",
        "weights",
        "price_bound",
        *_PROOFS,
    )
)


def _faults_of_shape(document: Any) -> Iterator[tuple[str, str]]:
    """Field and problem of everything that is not as `certificate_to_json` writes it."""
    if not isinstance(document, dict):
        yield "", f"holds {_kind(document)} where an object was expected"
        return
    yield from _unlike(document, "", {"schema": _is_schema, "limits": _is_list, "inputs": _is_object})
    yield from _unlike(
        document, "", dict.fromkeys(("bound", "value", "gap", "largest_violation"), _is_number)
    )
    yield from _unlike(document, "", {"prices": _is_object})
    if any(proof in document for proof in _PROOFS):
        yield from _unlike(document, "", {"price_bound": _is_number})
    elif "price_bound" in document:
        yield "price_bound", "stands beside no proof but that of the prices"
    further = (*_PROOFS, "plugins", "cuts", "weights")
    yield from _unlike(document, "", {key: _is_object for key in further if key in document})
    yield from ((key, "is not a key of a certificate") for key in sorted(document.keys() - _KEYS))
    yield from (
        (key, "is -0, which no run writes")
        for key in ("gap", "largest_violation")
        if is_negative_zero(document.get(key))
    )
    yield from _faults_of_entries(document, "prices", _is_number)
    yield from _faults_of_entries(document, "inputs", _is_hash)
    yield from _faults_of_entries(document, "plugins", _is_text)
    yield from _faults_of_entries(document, "weights", _is_number)
    yield from _faults_of_entries(document, "cuts", _is_object)
    cuts = document.get("cuts")
    for name, cut in (cuts if isinstance(cuts, dict) else {}).items():
        if not CUT_NAME.fullmatch(name):
            yield f"cuts.{name}", "is not named as a row of its limit, `NAME[1]`"
        if isinstance(cut, dict):
            yield from _unlike(cut, f"cuts.{name}.", dict.fromkeys(cut, _is_number))
    limits = document.get("limits")
    for place, limit in enumerate(limits if isinstance(limits, list) else []):
        yield from _faults_of_limit(limit, f"limits[{place}]", _measures(document))


def _faults_of_entries(document: dict[str, Any], field: str, expected: Check) -> Iterator[tuple[str, str]]:
    entries = document.get(field)
    if isinstance(entries, dict):
        yield from _unlike(entries, f"{field}.", dict.fromkeys(entries, expected))


def _measures(document: dict[str, Any]) -> tuple[str, ...]:
    """Ours, and those that other packages brought to the run."""
    brought = document.get("plugins")
    keys = brought if isinstance(brought, dict) else {}
    brought_measures = (key.removeprefix("measure ") for key in keys if key.startswith("measure "))
    return (*get_args(NamedMeasure), HHI, *brought_measures)


def _faults_of_limit(limit: Any, field: str, measures: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not isinstance(limit, dict):
        yield field, f"holds {_kind(limit)} where an object was expected"
        return
    choices = {"measure": measures, "sense": get_args(Sense)}
    known: dict[str, Check] = {key: partial(_is_one_of, choice) for key, choice in choices.items()}
    known |= {"name": _is_text}
    known |= dict.fromkeys(_NUMBERS_OF_A_LIMIT, _is_number)
    if "enforce" in limit or "missed" in limit:
        known |= {"enforce": _is_enforcement, "missed": _is_number}
    if isinstance(limit.get("enforce"), dict):
        known |= {"penalty": _is_number}
    yield from _unlike(limit, f"{field}.", known)
    for key in sorted(limit.keys() - known.keys()):
        yield f"{field}.{key}", "is not a key of a limit"


def _unlike(entries: dict[str, Any], prefix: str, expected: Mapping[str, Check]) -> Iterator[tuple[str, str]]:
    for key, check in expected.items():
        if key not in entries:
            yield prefix + key, "is missing"
        elif (wanted := check(entries[key])) is not None:
            yield prefix + key, f"is {_shown(entries[key])} where {wanted} was expected"


Check = Callable[[Any], str | None]
"""Says what was expected, or None where the value is that."""


def is_number(value: Any) -> bool:
    """Whether `value` is a finite number that a float can hold; true and false are none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max


def is_negative_zero(value: Any) -> bool:
    """Whether `value` is the number -0.0."""
    return isinstance(value, float) and value == 0 and math.copysign(1.0, value) < 0


def _is_number(value: Any) -> str | None:
    return None if is_number(value) else "a finite number"


def _is_text(value: Any) -> str | None:
    return None if isinstance(value, str) else "text"


def _is_hash(value: Any) -> str | None:
    hashed = isinstance(value, str) and _HASH.fullmatch(value)
    return None if hashed else "a content hash `sha256:...`"


def _is_object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "an object"


def _is_list(value: Any) -> str | None:
    return None if isinstance(value, list) else "a list"


def _is_schema(value: Any) -> str | None:
    return None if value == SCHEMA and type(value) is int else str(SCHEMA)


def _is_enforcement(value: Any) -> str | None:
    soft = isinstance(value, dict) and value.keys() == {SOFT} and is_number(value[SOFT]) and value[SOFT] > 0
    known = soft or value in (REPORT, NOT_IN_FORCE)
    return None if known else "report, not_in_force, or {soft: an amount above 0}"


def _is_one_of(known: Sequence[str], value: Any) -> str | None:
    return None if value in known else "one of " + ", ".join(known)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")


def _shown(value: Any) -> str:
    return _kind(value) if isinstance(value, dict | list) else repr(value)
