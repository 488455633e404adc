"""Churn curves: the share of customers who walk away at a rate, read, smoothed and cut to a menu."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from allocator.errors import Fault, InputError
from allocator.records.curves import Logistic, ParametricCurve
from allocator.records.frames import File
from allocator.records.offers import Menu
from allocator.records.portfolio import Booleans, ChurnTable, Floats
from allocator.records.scenario import PortfolioSource
from allocator.tables import open_source
from allocator.tables.conversion import to_numbers
from allocator.tables.findings import Finding, Rows, raise_faults
from allocator.tables.opened import refuse, repeated_names

TOLERANCE = 1e-12
"""How far outside a band a rate may lie by rounding."""
KNOTS = 10_000
"""Basis points from 0 % to 100 %, at which a curve given by parameters is read."""
_DIGITS = 60
"""Decimals that such a curve is computed with, far more than a double holds."""


@dataclass(frozen=True)
class CurveSanity:
    """What stands out in one grade's churn curve."""

    grade: str
    falls: tuple[float, ...]
    """Rates at which churn is below that of the rate before: a dearer loan that fewer refuse."""
    best_rate: float
    """The rate that may be offered with the largest r (1 - phi), the first of equals; without a band any."""
    best_yield: float
    """r (1 - phi) there: expected interest per unit offered when nobody defaults."""
    band: tuple[float, float] | None
    """Lowest and highest rate that the policy allows; None: the grade has no band."""
    covered: bool
    """Whether the band lies inside the table's range of rates; true without a band."""
    rates_in_band: int
    """How many rates the band offers."""


def read_churn_table(path: File) -> ChurnTable:
    """Read a CSV file, or a frame, with a column `rate` and one column of churn per grade, all fractions.

    Raises InputError with every fault: rates that do not ascend, repeat or lie outside [0, 1], churn
    outside [0, 1], cells that are no numbers.
    """
    source = PortfolioSource("csv", path, bare=True)
    opened = open_source(source)
    raise_faults(source.label, _header_faults(opened.names, source), ())
    fetched = opened.fetch(opened.names)
    rows = Rows.of(source.label, fetched.number)
    if not len(rows.number) and not fetched.findings:
        raise refuse(source, "no rows under the header", "give one row per rate")
    columns, findings = {}, [*fetched.findings]
    for name in opened.names:
        columns[name], wrong = _fractions(fetched.table[name], name, source, rows)
        findings += wrong
    raise_faults(source.label, (), [*findings, *_rate_findings(columns["rate"], rows)])
    rates = columns.pop("rate")
    return ChurnTable(source.label, rates, columns)


def never_walking(grades: Iterable[str]) -> ChurnTable:
    """The curve of customers who accept at every rate."""
    return with_zero_churn(ChurnTable("no churn", np.array([-1.0, 1.0]), {}), grades)


def sampled_table(curves: Mapping[str, ParametricCurve]) -> ChurnTable:
    """The table of curves by parameters: at each basis point the double nearest to the formula's value.

    A parameter stands for its shortest decimal, and decimals are computed with, so that the table is the same
    on every machine.
    """
    rates, churn = np.arange(KNOTS + 1) / KNOTS, {}
    with localcontext(prec=_DIGITS):
        for grade, curve in curves.items():
            values = _SAMPLED[type(curve)](curve)
            churn[grade] = np.array([float(value) for value in values])
    return ChurnTable("response.churn", rates, churn)


def _logistic(curve: Logistic) -> Iterator[Decimal]:
    """Churn at each basis point; exp(-slope rate) goes from one to the next by one product."""
    slope = Decimal(repr(curve.slope))
    odds_of_staying, ratio = (slope * Decimal(repr(curve.midpoint))).exp(), (-slope / KNOTS).exp()
    for _ in range(KNOTS + 1):
        yield 1 / (1 + odds_of_staying)
        odds_of_staying *= ratio


_SAMPLED: Mapping[type[ParametricCurve], Callable[[Any], Iterator[Decimal]]] = {Logistic: _logistic}
"""A formula, and its values from 0 % to 100 %."""


def with_zero_churn(table: ChurnTable, grades: Iterable[str]) -> ChurnTable:
    """`table` with a column of zeros for each of `grades`."""
    zeros = np.zeros(len(table.rates))
    return replace(table, churn={**table.churn, **dict.fromkeys(sorted(grades), zeros)})


def isotonic(values: Floats) -> Floats:
    """The non-decreasing sequence nearest to `values` (n,) in equal-weight least squares.

    Pool adjacent violators: blocks whose means fall are merged until means ascend; O(n).
    """
    means: list[float] = []
    sizes: list[int] = []
    for value in values:
        mean, size = float(value), 1
        while means and means[-1] > mean:
            mean = (means[-1] * sizes[-1] + mean * size) / (sizes[-1] + size)
            size += sizes.pop()
            means.pop()
        means.append(mean)
        sizes.append(size)
    return np.repeat(means, sizes)


def smooth(table: ChurnTable, smoothing: Literal["none", "isotonic"]) -> ChurnTable:
    """The table as it stands, or each grade's churn made non-decreasing in the rate."""
    if smoothing == "none":
        return table
    return ChurnTable(
        table.source, table.rates, {grade: isotonic(churn) for grade, churn in table.churn.items()}
    )


def rate_menu(
    table: ChurnTable,
    grade: str,
    band: tuple[float, float],
    step: float | None,
    *,
    by_contract: bool = False,
) -> Menu:
    """The rates on offer to `grade` inside `band`, ends included, with the take-up 1 - churn of each.

    Without `step` these are the table's own rates; with it, the rates from the band's low end by steps
    and its high end, churn interpolated linearly; `by_contract` there are none. Raises InputError where the
    table has no such grade, no rate inside the band, or does not reach where it would have to be extended.
    """
    if grade not in table.churn:
        have = ", ".join(table.churn)
        raise _band_error(
            table, grade, f"no churn column for grade {grade}; there are {have}", "take its band away"
        )
    if by_contract:
        return Menu(np.zeros(0), np.zeros(0))
    low, high = band
    first, last = float(table.rates[0]), float(table.rates[-1])
    if step is None:
        inside = _inside(table.rates, low, high)
        if not inside.any():
            problem = f"none of the curve's rates lies from {100 * low:.10g}% to {100 * high:.10g}%"
            raise _band_error(table, grade, problem, "widen the band or write rate_grid: {step: 0.25%}")
        return Menu(table.rates[inside], 1.0 - table.churn[grade][inside])
    if low < first - TOLERANCE or high > last + TOLERANCE:
        problem = f"the band {low:g} to {high:g} leaves the curve, {first:g} to {last:g}"
        raise _band_error(table, grade, problem, "narrow the band: curves are not extended")
    rates = _grid(low, high, step)
    return Menu(rates, 1.0 - np.interp(rates, table.rates, table.churn[grade]))


def sanity(
    table: ChurnTable, bands: Mapping[str, tuple[float, float]], step: float | None = None
) -> tuple[CurveSanity, ...]:
    """What stands out in each grade's curve, in the table's order of grades; `step` as rate_menu takes it."""
    return tuple(_sanity_of(table, grade, bands.get(grade), step) for grade in table.churn)


def _sanity_of(
    table: ChurnTable, grade: str, band: tuple[float, float] | None, step: float | None
) -> CurveSanity:
    churn = table.churn[grade]
    whole = Menu(table.rates, 1.0 - churn)
    menu = whole if band is None else rate_menu(table, grade, band, step)
    yields = menu.rates * menu.take_up
    best = int(np.argmax(yields))
    low, high = band or (float(table.rates[0]), float(table.rates[-1]))
    return CurveSanity(
        grade=grade,
        falls=tuple(float(rate) for rate in table.rates[1:][np.diff(churn) < 0]),
        best_rate=float(menu.rates[best]),
        best_yield=float(yields[best]),
        band=band,
        covered=bool(table.rates[0] - TOLERANCE <= low and high <= table.rates[-1] + TOLERANCE),
        rates_in_band=0 if band is None else len(menu.rates),
    )


def _inside(rates: Floats, low: float, high: float) -> Booleans:
    """Which rates lie from `low` to `high`, ends included."""
    return (rates >= low - TOLERANCE) & (rates <= high + TOLERANCE)


def _grid(low: float, high: float, step: float) -> Floats:
    """Rates from `low` by `step`, and `high`; each the float nearest to its decimals."""
    if step <= 0 or low > high:
        raise ValueError(f"no rates from {low} to {high} by {step}")
    steps = math.floor((high - low) / step + 1e-9)
    rates = np.round(low + step * np.arange(steps + 1), 12)
    rates[0] = low
    if abs(rates[-1] - high) <= TOLERANCE:
        rates[-1] = high
        return rates
    return np.append(rates, high)


def _band_error(table: ChurnTable, grade: str, problem: str, remedy: str) -> InputError:
    fault = Fault(problem, remedy, file=table.source, field=f"policy.rates.{grade}")
    return InputError.of([fault], table.source)


def _header_faults(names: Sequence[str], source: PortfolioSource) -> list[Fault]:
    """No rate, no grade, a name given twice, or none."""
    faults = repeated_names(names, source)
    if "rate" not in names:
        near = [name for name in names if get_close_matches(name.lower(), ["rate"])]
        hint = f"the nearest is {near[0]}" if near else f"there are {', '.join(names)}"
        remedy = "head the column of rates with rate"
        faults.append(Fault(f"no column rate; {hint}", remedy, file=source.label, field="rate"))
    elif len(names) == 1:
        faults.append(Fault("no column of a grade", "add one column of churn per grade", file=source.label))
    if "" in names:
        faults.append(Fault("a column without a name", "head it with its grade", file=source.label))
    return faults


def _fractions(
    cells: pa.ChunkedArray, name: str, source: PortfolioSource, rows: Rows
) -> tuple[Floats, list[Finding]]:
    """A column as fractions in [0, 1]; NaN where a cell is none."""
    read = to_numbers(cells, name, source, rows)
    values, remedy = read.values, "write a fraction from 0 to 1, 5% as 0.05"
    outside = (values < 0.0) | (values > 1.0)
    findings = [
        *read.findings,
        *rows.find(read.missing, name, lambda i: "an empty cell", remedy),
        *rows.find(outside, name, lambda i: f"{values[i]:.12g} is outside [0, 1]", remedy),
    ]
    return np.where(outside, np.nan, values), findings


def _rate_findings(rates: Floats, rows: Rows) -> list[Finding]:
    """Rates that repeat one above them, or fall below it; a faulty cell (NaN) is compared with nothing."""
    above = np.fmax.accumulate(np.append(-np.inf, rates))[:-1]
    seen: dict[float, int] = {}
    first = [seen.setdefault(rate, place) for place, rate in enumerate(rates.tolist())]
    again = np.array(first) < np.arange(len(rates))
    return [
        *rows.find(
            again,
            "rate",
            lambda i: f"{rates[i]:.12g} is the rate of row {rows.number[first[i]]} too",
            "keep one row per rate",
        ),
        *rows.find(
            ~again & (rates < above),
            "rate",
            lambda i: f"{rates[i]:.12g} after {above[i]:.12g}: rates do not ascend",
            "order the rows by rate",
        ),
    ]
