"""Numbers, texts and choices as people write them, and what to do about one that cannot be read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from allocator.errors import Fault, InputError
from allocator.records.curves import STEEPEST
from allocator.records.misfits import Misfit, brief, describe, findings_of, no_choice, refuse
from allocator.records.scenario import LARGEST_AMOUNT, LARGEST_FACTOR, LONGEST_TERM

_NUMBER = r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
_WRITTEN = re.compile(rf"\s*({_NUMBER})\s*(%?)\s*")
_SIGN = "[,.'\u2019 \u00a0\u2009\u202f]"
_GROUPED = re.compile(
    rf"([-+]?[1-9][0-9]{{0,2}}(?:({_SIGN})[0-9]{{3}})(?:\2[0-9]{{3}})*)([.,][0-9]+)?\s*(%?)"
)
"""Digits by threes, as 60,000,000 and 60.000.000, 60 000 000 and 60'000'000."""
_COMMA = re.compile(r"([-+]?[0-9]*),([0-9]+)\s*(%?)")
_MEMORY = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([MG]B)\s*", re.IGNORECASE)
_BYTES = {"MB": 1e6, "GB": 1e9}
_MEMORY_SCHEMA = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?[MG]B$", "unit": "MB or GB"}
_PERCENTAGE = "a percentage such as 63% or a fraction such as 0.63"


def stated(
    read: Callable[[object], float], written: object, option: str, subject: str = "command line"
) -> float:
    """What `read` makes of what is given to `option`. Raises InputError where it makes nothing of it."""
    try:
        return read(written)
    except PydanticCustomError as error:
        faults = [
            Fault(finding.problem, finding.remedy, field=option) for finding in findings_of(error.context)
        ]
        raise InputError.of(faults, subject) from None


@dataclass(frozen=True)
class WrittenNumber:
    """A number as written: `value` is a fraction where a percent sign stood."""

    text: str
    value: Decimal
    percent: bool


def number(value: object, expected: str) -> WrittenNumber:
    """The number that `value` states; booleans, NaN and infinities are none. Exact: 13.5% is 0.135."""
    text = str(value).strip()
    match = _WRITTEN.fullmatch(text) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool):
        raise refuse(_separated(text) or Misfit(f"{describe(value)} is not {expected}", f"write {expected}"))
    digits, text = match[1].replace("_", ""), brief(text)
    try:
        parsed = Decimal(digits) / (100 if match[2] else 1)
        size = abs(float(parsed))
    except (DecimalException, OverflowError):
        size = 0.0 if "e-" in digits.lower() else float("inf")
    if size == float("inf"):
        raise refuse(Misfit(f"{text} is too large a number", f"write {expected}"))
    if size < sys.float_info.min and re.search("[1-9]", re.split("[eE]", digits)[0]):
        raise refuse(Misfit(f"{text} is too small a number, and not 0", f"write 0, or {expected}"))
    return WrittenNumber(text, parsed or Decimal(0), bool(match[2]))  # -0.0 is 0


def _separated(text: str) -> Misfit | None:
    """What to write in the place of digits by threes or of a decimal comma; None where there is neither."""
    grouped, comma = _GROUPED.fullmatch(text), _COMMA.fullmatch(text)
    if grouped is not None:
        plain = re.sub(_SIGN, "_", grouped[1]) + (grouped[3] or "").replace(",", ".") + grouped[4]
        return Misfit(f"{text!r} has thousands separators", f"write {plain}")
    if comma is not None:
        return Misfit(f"{text!r} has a decimal comma", f"write {comma[1] or 0}.{comma[2]}{comma[3]}")
    return None


def fraction(value: object, expected: str = _PERCENTAGE) -> float:
    """A share, rate or probability in [0, 1]; 4 is refused, as it would be 400 %."""
    written = number(value, expected)
    if 0 <= written.value <= 1:
        return float(written.value)
    if written.value < 0:
        raise refuse(Misfit(f"{written.text} is negative, expected 0% to 100%", f"write {expected}"))
    if written.percent:
        raise refuse(Misfit(f"{written.text} is more than 100 %, expected 0% to 100%", f"write {expected}"))
    remedy = f"write {expected}"
    if written.value <= 100:
        remedy = f"write {written.text}% or {(written.value / 100).normalize():f}"
    raise refuse(
        Misfit(f"{written.text} would be {float(written.value) * 100:,.10g} %, expected 0% to 100%", remedy)
    )


def signed_fraction(value: object) -> float:
    """A rate in [-1, 1]."""
    written = number(value, _PERCENTAGE)
    if written.value < -1:
        problem = f"{written.text} is less than -100 %, expected -100% to 100%"
        raise refuse(Misfit(problem, f"write {_PERCENTAGE}"))
    return float(written.value) if written.value < 0 else fraction(value)


def amount(value: object, expected: str = "an amount such as 100_000_000") -> float:
    """Money, or another number that is no fraction, of at least 0."""
    written = number(value, expected)
    if written.percent:
        raise refuse(Misfit(f"{written.text} is a percentage, expected {expected}", f"write {expected}"))
    if written.value < 0:
        raise refuse(Misfit(f"{written.text} is negative, expected 0 or more", f"write {expected}"))
    return float(written.value)


def money(value: object) -> float:
    """An amount of money: no larger than where a double still tells one cent from the next."""
    result = amount(value)
    if result > LARGEST_AMOUNT:
        problem = f"{describe(value)} is too large an amount, expected at most {LARGEST_AMOUNT:g}"
        raise refuse(Misfit(problem, "write an amount in currency units"))
    return result


def years(value: object) -> float:
    """A number of years, as a loan may run."""
    result = amount(value, "a number of years such as 1")
    if result > LONGEST_TERM:
        problem = f"{describe(value)} is too long a term, expected at most {LONGEST_TERM:g} years"
        raise refuse(Misfit(problem, "write a number of years such as 1"))
    return result


def whole(value: object, expected: str = "a whole number such as 2") -> int:
    """A whole number of at least 0 that a solver can take (below 2^31)."""
    number_written = amount(value, expected)
    if number_written != int(number_written) or number_written >= 2**31:
        raise refuse(Misfit(f"{describe(value)} is not a whole number below 2^31", f"write {expected}"))
    return int(number_written)


def quantity(value: object) -> float:
    """Any finite number, in the unit of the column that it is compared with; 5% is 0.05."""
    return float(number(value, "a number such as 2.5 or 5%").value)


def memory(value: object) -> float:
    """Bytes, of a text in MB or GB."""
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    size = float(match[1]) * _BYTES[match[2].upper()] if match else 0.0
    if size <= 0:
        raise refuse(Misfit(f"{describe(value)} is no amount of memory", "write one such as 8 GB or 500 MB"))
    return size


def factor(value: object) -> float:
    """What something is multiplied by, at least 0; 140% is 1.4."""
    written = number(value, "a factor such as 1.4")
    if written.value < 0:
        raise refuse(Misfit(f"{written.text} is negative, expected 0 or more", "write a factor such as 1.4"))
    if written.value > LARGEST_FACTOR:
        problem = f"{written.text} is too large a factor, expected at most {LARGEST_FACTOR:g}"
        raise refuse(Misfit(problem, "write a factor such as 1.4"))
    return float(written.value)


def slope(value: object) -> float:
    """The slope of a logistic curve, in log-odds per unit of rate."""
    result = amount(value, "a slope such as 40")
    if result > STEEPEST:
        problem = f"{describe(value)} is too steep a slope, expected at most {STEEPEST:,.0f}"
        raise refuse(Misfit(problem, "write a slope such as 40"))
    return result


def positive(read: Callable[[object], float]) -> Callable[[object], float]:
    """`read`, with 0 refused."""

    def checked(value: object) -> float:
        result = read(value)
        if result <= 0:
            raise refuse(Misfit(f"{describe(value)} is not above 0", "write a number above 0"))
        return result

    return checked


def text(value: object) -> str:
    """A text that is not empty; numbers are taken as they are written."""
    if isinstance(value, bool):
        remedy = f'put it in quotes: "{describe(value)}"'
        raise refuse(Misfit(f"expected text, found {describe(value)}", remedy))
    if not isinstance(value, str | int | float):
        raise refuse(Misfit(f"expected text, found {describe(value)}", "write one text"))
    if not str(value).strip():
        raise refuse(Misfit("the text is empty", "write a text or leave the key out"))
    return str(value)


def flag(value: object) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    raise refuse(Misfit(f"expected true or false, found {describe(value)}", "write true or false"))


def one_of(*known: str, later: Sequence[str] = (), later_mapping: bool = False) -> BeforeValidator:
    """The check that a text is one of `known`; `later` are choices to come, and so named."""

    def check(value: object) -> object:
        if isinstance(value, str) and value in known:
            return value
        choices = ", ".join(known)
        named = next(iter(value), None) if later_mapping and isinstance(value, Mapping) else value
        if isinstance(named, str) and named in later:
            remedy = f"write {choices}" if len(known) == 1 else f"use one of {choices}"
            raise refuse(Misfit(f"{named!r} is not yet supported", remedy))
        raise refuse(no_choice(value, known))

    return BeforeValidator(check)


def _schema(unit: str, pattern: str | None = None, **bounds: object) -> WithJsonSchema:
    """JSON schema of a number, which may be written as text where YAML would not read it as one."""
    kind = "integer" if bounds.pop("whole", False) else "number"
    written = {"type": "string", "pattern": pattern or f"^{_NUMBER}$"}
    schema: dict[str, Any] = {"anyOf": [{"type": kind, **bounds}, written], "unit": unit}
    return WithJsonSchema(schema)


_PERCENT = rf"^{_NUMBER} ?%?$"

Share = Annotated[float, BeforeValidator(fraction), _schema("fraction", _PERCENT, minimum=0, maximum=1)]
Rate = Annotated[float, BeforeValidator(fraction), _schema("fraction a year", _PERCENT, minimum=0, maximum=1)]
SignedRate = Annotated[
    float, BeforeValidator(signed_fraction), _schema("fraction a year", _PERCENT, minimum=-1, maximum=1)
]
RateStep = Annotated[
    float,
    BeforeValidator(positive(fraction)),
    _schema("fraction a year", _PERCENT, exclusiveMinimum=0, maximum=1),
]
Money = Annotated[float, BeforeValidator(money), _schema("currency units", minimum=0, maximum=LARGEST_AMOUNT)]
PositiveMoney = Annotated[
    float,
    BeforeValidator(positive(money)),
    _schema("currency units", exclusiveMinimum=0, maximum=LARGEST_AMOUNT),
]
Years = Annotated[
    float, BeforeValidator(positive(years)), _schema("years", exclusiveMinimum=0, maximum=LONGEST_TERM)
]
Seconds = Annotated[
    float,
    BeforeValidator(positive(lambda value: amount(value, "a number of seconds such as 60"))),
    _schema("seconds", exclusiveMinimum=0),
]
Memory = Annotated[
    float,
    BeforeValidator(memory),
    PlainSerializer(lambda size: f"{size / _BYTES['MB']:.15g} MB", when_used="json"),
    WithJsonSchema(_MEMORY_SCHEMA),
]
Slope = Annotated[
    float,
    BeforeValidator(positive(slope)),
    _schema("log-odds per unit of rate", exclusiveMinimum=0, maximum=STEEPEST),
]
Whole = Annotated[int, BeforeValidator(whole), _schema("count", whole=True, minimum=0)]
PositiveWhole = Annotated[
    int,
    BeforeValidator(lambda value: int(positive(whole)(value))),
    _schema("count", whole=True, minimum=1),
]
Quantity = Annotated[float, BeforeValidator(quantity), _schema("the column's unit", _PERCENT)]
Factor = Annotated[float, BeforeValidator(factor), _schema("factor", _PERCENT, minimum=0)]
PositiveFactor = Annotated[
    float, BeforeValidator(positive(factor)), _schema("factor", _PERCENT, exclusiveMinimum=0)
]
Text = Annotated[str, BeforeValidator(text), WithJsonSchema({"type": ["string", "number"], "unit": "text"})]
Flag = Annotated[bool, BeforeValidator(flag), WithJsonSchema({"type": "boolean", "unit": "true or false"})]
