"""Checks a stored run by itself, as docs/certificate.md says: python checker.py RUN.

Nothing of the package is used, so this file may be copied anywhere; it needs Python 3.11 and NumPy, and
pyarrow where a file is Parquet. Exit status: 0 the run holds, 5 it does not (every fault is named), 2 a
file is missing. Numbers of sections are those of the page; arrays have one entry a borrower, in the order
of the source, or one row a borrower and one column an offer.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

Array = np.ndarray[Any, Any]
U, SAME, CENT = 2.0**-53, 1e-12, Fraction(1, 100)
MEASURES = {"offered": "offered", "drawn": "drawn", "expected_loss": "drawn", "loans": "loans"}
MEASURES |= dict.fromkeys(("interest", "gross_interest"), "interest")
COSTS = ("expected_loss", "funding_cost", "churn_cost", "processing_cost", "relationship_cost")
FIGURES = ("take_up", "interest", *COSTS, "value")
TEXTS = ("borrower_id", "grade", "reason")
NUMBERS = {"pd": (None, None), "lgd": (None, None), "term_years": (1.0, None), "min_amount": (0.0, 0.0)}
NUMBERS |= {"max_amount": (math.inf, math.inf), "relationship_value": (0.0, 0.0), "exposure": (0.0, 0.0)}
NUMBERS |= dict.fromkeys(("min_rate", "fixed_amount", "fixed_rate"), (math.nan, math.nan))
PLACES = ("portfolio.source", "portfolio.scorecard", "response.churn", "stress.file", "strategy.file")
KEYS = {
    "": "schema name portfolio response policy stress stresses strategy solver",
    "portfolio": "source columns defaults pd_by_grade scorecard",
    "response": "churn smoothing",
    "policy": "currency budget ticket term_years funding_rate churn_cost_rate decline_churn idle_rate"
    " processing_cost rates rate_grid pricing limits",
    "policy.budget": "amount spend basis",
    "policy.ticket": "min max step",
    "solver": "method gap time_limit threads seed",
    "stress": "pd lgd amount churn rates funding limits file column",
}
LIMIT = {"name", "measure", "of", "weight", "where", "each", "at_most", "at_least", "exactly", "enforce"}
LIMIT_TOLD = {"name", "measure", "sense", "used", "bound", "price", "violation"}
READ_BY = ("sep", "decimal", "thousands", "skip", "encoding", "sheet", "header", "duplicates")
NO_OFFER = (
    *("excluded", "no rates for this grade", "no rate at or above the borrower's minimum"),
    *("request below the smallest loan", "smallest loan wanted above the largest ticket"),
    "no multiple of the step fits",
)
NEVER, STEPPED = "never profitable, whatever the limits", "decided by the integer step: lost within the gap"


class Missing(Exception):  # noqa: N818
    """A file that is not there, or an environment variable that is not set."""


class Wrong(Exception):  # noqa: N818
    """A fault after which nothing more can be said of its subject."""


class Of(SimpleNamespace):
    """A record."""

    def but(self, **changes: Any) -> Of:
        return Of(**{**vars(self), **changes})


# --- 1. Files, read strictly ----------------------------------------------------------------------


def content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Missing(f"{path}: {error.strerror}") from error


def strict_json(path: str) -> dict[str, Any]:
    def refuse(what: str) -> NoReturn:
        raise Wrong(f"{path}: {what}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        return (
            seen if len(seen) == len(pairs) else refuse(f"a key stands twice among {[k for k, _ in pairs]}")
        )

    def decimal(digits: str) -> float:
        found = float(digits) if len(digits) < 5000 else math.inf
        return found if math.isfinite(found) else refuse(f"{digits[:30]} is beyond a double")

    def whole(digits: str) -> int | float:
        return int(digits) if math.isfinite(decimal(digits)) and digits != "-0" else -0.0

    kinds: Any = {"parse_float": decimal, "parse_int": whole, "object_pairs_hook": once}
    try:
        found = json.loads(content(path).decode(), parse_constant=lambda name: refuse(f"{name}?"), **kinds)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{path}: no JSON in UTF-8: {error}") from None
    return found if isinstance(found, dict) else refuse("no JSON object")


def table_of(path: str, separator: str = ",", *, lax: bool = False) -> dict[str, Any]:
    """Name -> cells, texts or what Parquet holds; `lax` for inputs: a BOM, gzip and empty lines may be."""
    raw = content(path)
    if raw[:4] == b"PAR1":
        return parquet_of(path, raw)
    raw = gzip.decompress(raw) if lax and raw[:2] == b"\x1f\x8b" else raw
    try:
        text = io.StringIO(raw.decode("utf-8-sig" if lax else "utf-8"), newline="")
        rows = [*csv.reader(text, delimiter=separator, strict=not lax)]
    except (ValueError, csv.Error) as error:
        raise Wrong(f"{path}: no table in UTF-8: {error}") from None
    while rows and not rows[-1]:
        rows.pop()
    header, *rows = [row for row in rows if row or not lax] or [[]]
    if not header or len(set(header)) < len(header):
        raise Wrong(f"{path}: no header, or a name stands twice in it")
    for place, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise Wrong(f"{path}, row {place}: {len(row)} cells under a header of {len(header)}")
    return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def parquet_of(path: str, raw: bytes) -> dict[str, Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        held = parquet.read_table(io.BytesIO(raw))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Wrong(f"{path}: no Parquet: {error}") from None
    if len(set(held.column_names)) < len(held.column_names):
        raise Wrong(f"{path}: a column stands twice")
    plain = {name: held[name] for name in held.column_names}
    fast = {name for name, own in plain.items() if pa.types.is_float64(own.type) and not own.null_count}
    return {name: own.to_numpy() if name in fast else own.to_pylist() for name, own in plain.items()}


def as_text(cell: Any) -> str:
    """A cell as text, "" where it is empty."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= 2**53:
        return str(int(cell))
    return str(cell).lower() if isinstance(cell, bool) else str(getattr(cell, "isoformat", lambda: cell)())


def as_numbers(cells: Any, place: str, mark: str = ".", *, strict: bool = False) -> Array:
    """Cells as doubles, NaN where empty; `strict`: as runs write them, none empty."""
    form = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?" if strict else r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
    plain = re.compile(form + r"([eE][+-]?[0-9]+)?")

    def one(cell: Any) -> float:
        if isinstance(cell, str):
            digits = cell if strict else cell.strip()
            digits = digits.replace(".", "?").replace(",", ".") if mark == "," else digits
            if plain.fullmatch(digits):
                return float(digits)
        elif cell is not None and not isinstance(cell, bool):
            return float(cell)
        if strict or cell not in ("", None):
            raise Wrong(f"{place}: {cell!r} is no number")
        return math.nan

    found = np.array(cells if isinstance(cells, np.ndarray) else [one(cell) for cell in cells], dtype=float)
    if np.any(np.isinf(found)) or (np.any(np.isnan(found)) and (strict or isinstance(cells, np.ndarray))):
        raise Wrong(f"{place}: a number that is not finite")
    return found


# --- 2. The scenario ------------------------------------------------------------------------------


def at(document: Any, place: str, otherwise: Any = None) -> Any:
    """What stands at a place as policy.ticket.min."""
    for key in place.split(".") if place else ():
        document = document.get(key) if isinstance(document, dict) else None
    return otherwise if document is None else document


def number(document: Any, place: str, otherwise: float | None = None) -> float:
    found = at(document, place, otherwise)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Wrong(f"{place}: {found!r} is no number")
    return float(found)


def word(document: Any, place: str, known: Iterable[str], otherwise: str | None = None) -> str:
    found = at(document, place, otherwise)
    if not isinstance(found, str) or found not in (known := [*known]):
        raise Wrong(f"{place}: {found!r} is none of {', '.join(known)}")
    return found


def entries(document: Any, place: str, known: str | None = None) -> dict[str, Any]:
    """The object at a place, of no other than the `known` keys; empty where nothing stands."""
    found = at(document, place, {})
    if not isinstance(found, dict) or (known is not None and found.keys() - set(known.split())):
        raise Wrong(f"{place or 'root'}: no object, or one with other keys than {known}")
    return found


def path_of(run: str, raw: Any) -> str:
    """A path of the scenario: ${VARIABLES} filled in, from the run's folder unless one leads it."""

    def filled(found: re.Match[str]) -> str:
        if not os.environ.get(found[1]):
            raise Missing(f"environment variable {found[1]} is not set")
        return os.environ[found[1]]

    if not isinstance(raw, str):
        raise Wrong(f"scenario.json: {raw!r} is no path")
    path = re.sub(r"\$\{([^}]*)\}", filled, raw)
    return path if re.match(r"\$\{[^}]*\}(/|$)", raw) else os.path.join(run, path)


def hash_of(path: str) -> str:
    """Of a file; of a folder of Parquet files, of their names and hashes, a line each."""
    if not os.path.isdir(path):
        return "sha256:" + hashlib.sha256(content(path)).hexdigest()
    names = sorted(name for name in os.listdir(path) if name.endswith(".parquet"))
    listed = "".join(f"{name} {hash_of(os.path.join(path, name))}\n" for name in names)
    return "sha256:" + hashlib.sha256(listed.encode()).hexdigest()


def stress_of(run: str, scenario: Any) -> list[Any]:
    """The stress as written, and as its file of factors says: {figure: {all, where: [{factor, ...}]}}."""
    written = entries(scenario, "stress")
    if "file" not in written:
        return [written]
    path, column = path_of(run, written["file"]), at(written, "column", "industry")
    cells = table_of(path, lax=True)
    factors: dict[str, Array] = {
        n: as_numbers(cells[n], path) for n in ("pd", "lgd", "amount", "churn") if n in cells
    }
    if not factors and "growth" in cells:
        growth = as_numbers(cells["growth"], path)
        factors = {n: np.exp(k * growth) for n, k in (("pd", -2.0), ("lgd", -0.5), ("amount", 0.75))}
    labels = cells.get(column, cells.get("industry"))
    if labels is None or not factors:
        raise Wrong(f"{path}: no column {column}, or no factors")
    listed: dict[str, Any] = {"churn": {"all": float(factors["churn"][0])}} if "churn" in factors else {}
    for name in factors.keys() - {"churn"}:
        pairs = zip(labels, factors[name].tolist(), strict=True)
        listed[name] = {"where": [{column: label, "factor": factor} for label, factor in pairs]}
    return [written, listed]


def everyone(stress: list[Any], figure: str) -> float:
    return math.prod(number(part, f"{figure}.all", 1.0) for part in stress)


def cases(stress: list[Any], figure: str) -> list[Any]:
    return [case for part in stress for case in at(part, f"{figure}.where", [])]


def policy_of(scenario: Any, stress: list[Any]) -> Of:
    """The policy after the stress."""

    def named(name: str) -> float:
        return math.prod(
            number(case, "factor") for case in cases(stress, "limits") if case.get("name") == name
        )

    def limit_of(entry: Any) -> Of:
        senses = [sense for sense in ("at_most", "at_least", "exactly") if at(entry, sense) is not None]
        if not isinstance(entry, dict) or entry.keys() - LIMIT or len(senses) != 1:
            raise Wrong(f"policy.limits: {entry!r} is no limit")
        sense, name = senses[0], str(entry.get("name"))
        factor = everyone(stress, "limits") if sense == "at_most" else 1.0
        word(entry, "enforce", ["hard"], "hard")
        bound = number(entry, sense) * factor * named(name)
        return Of(
            name=name, sense=sense, bound=bound, where=at(entry, "where", {}), each=at(entry, "each"),
            measure=word(entry, "measure", MEASURES), weight=at(entry, "weight"),
            of=word(entry, "of", ["budget", "total", "drawn", ""], ""),
        )  # fmt: skip

    policy, grid = at(scenario, "policy"), at(scenario, "policy.rate_grid", "table")
    step = at(policy, "ticket.step") and number(policy, "ticket.step")
    funding = number(policy, "funding_rate", 0.0) * everyone(stress, "funding")
    return Of(
        budget=number(policy, "budget.amount") * named("budget"), step=step,
        spend=word(policy, "budget.spend", ["at_most", "exactly"], "at_most"),
        basis=word(policy, "budget.basis", ["offered", "drawn"], "offered"),
        smallest=number(policy, "ticket.min"), largest=number(policy, "ticket.max"),
        lot=CENT if step is None else exact(step), funding=funding + number(stress[0], "funding.add", 0.0),
        kappa=number(policy, "churn_cost_rate", 0.0), decline=number(policy, "decline_churn", 0.0),
        idle=number(policy, "idle_rate", 0.0), processing=number(policy, "processing_cost", 0.0),
        rates={grade: (float(low), float(high)) for grade, (low, high) in entries(policy, "rates").items()},
        rate_step=None if grid == "table" else number(policy, "rate_grid.step"),
        limits=[limit_of(entry) for entry in at(policy, "limits", [])],
    )  # fmt: skip


# --- 3. Borrowers ---------------------------------------------------------------------------------


class Borrowers:
    """Columns by canonical name; `numbers` as the stress leaves them."""

    def __init__(self, cells: dict[str, Any], mark: str, defaults: dict[str, Any]) -> None:
        self.cells, self.mark, self.defaults = cells, mark, defaults
        self.numbers: dict[str, Array] = {}
        self.n = len(cells["borrower_id"])

    def text(self, column: str) -> Array:
        """Texts, "" where missing."""
        cells = self.cells.get(column, [self.defaults.get(column)] * self.n)
        return np.array([as_text(cell) for cell in cells], dtype=object)

    def number(self, column: str) -> Array:
        """Numbers, NaN where missing."""
        if column not in self.numbers:
            cells = self.cells.get(f"number {column}", self.cells.get(column))
            usual = quantity(self.defaults.get(column))
            self.numbers[column] = (
                np.full(self.n, usual) if cells is None else as_numbers(cells, column, self.mark)
            )
        return self.numbers[column]

    def passes(self, where: dict[str, Any]) -> Array:
        """Who passes every test; a missing value passes none."""
        inside = np.ones(self.n, dtype=bool)
        tests = {
            "above": np.greater,
            "at_least": np.greater_equal,
            "below": np.less,
            "at_most": np.less_equal,
        }
        for column, test in where.items():
            if isinstance(test, dict):
                for end in test:
                    word({"end": end}, "end", tests)
                    inside &= tests[end](self.number(column), number(test, end))
            else:
                inside &= np.isin(self.text(column), [test] if isinstance(test, str) else test)
        return inside


def quantity(written: Any) -> float:
    """A default of a further column of numbers: a number, or a text as 2.5, 1_000 or 5%."""
    digits = str(written).replace("_", "").strip()
    try:
        return float(Fraction(digits[:-1].strip()) / 100) if digits.endswith("%") else float(digits)
    except ValueError:
        return math.nan


def is_plain(run: str, scenario: Any) -> bool:
    """Whether the source is one CSV file, or one Parquet file, that is read as it stands."""
    source = at(scenario, "portfolio.source")
    if isinstance(source, str):
        source = {"parquet" if source.lower().endswith(".parquet") else "csv": source}
    if not isinstance(source, dict) or not source.keys() & {"csv", "parquet", "xlsx", "sql", "invoices"}:
        raise Wrong("scenario.json, portfolio.source: neither a path nor a source")
    if at(scenario, "portfolio.scorecard") is not None:
        return False
    if source.keys() == {"parquet"}:
        return not os.path.isdir(path_of(run, source["parquet"]))
    usual = source.get("skip", 0) == 0 and source.get("encoding", "utf-8") == "utf-8"
    known = source.keys() <= {"csv", "sep", "decimal", "skip", "encoding"}
    return usual and known and str(source.get("csv")).lower().endswith(".csv")


def borrowers_of(run: str, scenario: Any) -> Borrowers:
    """As they are before the stress."""
    source, defaults = at(scenario, "portfolio.source"), entries(scenario, "portfolio.defaults")
    renamed, mark = entries(scenario, "portfolio.columns"), at(source, "decimal", ".")
    if is_plain(run, scenario):
        named = source if isinstance(source, str) else source.get("csv", source.get("parquet"))
        path = path_of(run, named)
        held = table_of(path, at(source, "sep", ","), lax=True)
    else:
        path, renamed, defaults, mark = copy_of(run), {}, {}, "."
        held = table_of(path)
    cells = {name: own for name, own in held.items() if name not in renamed.values()}
    cells |= {ours: held[theirs] for ours, theirs in renamed.items() if theirs in held}
    if "borrower_id" not in cells or not {"grade"} & (cells.keys() | defaults.keys()):
        raise Wrong(f"{path}: no column borrower_id, or no grade")
    found, by_grade = Borrowers(cells, mark, defaults), entries(scenario, "portfolio.pd_by_grade")
    grade, ids = found.text("grade"), found.text("borrower_id").tolist()
    if not ids or len(set(ids)) < len(ids) or "" in ids or np.any(grade == ""):
        raise Wrong(f"{path}: nobody, or an identifier or a grade that is empty or stands twice")
    for name, (absent, empty) in NUMBERS.items():
        usual = at(scenario, "policy.term_years", 1.0) if name == "term_years" else absent
        own = np.full(found.n, float(defaults.get(name, math.nan if usual is None else usual)))
        if name in cells:
            own = as_numbers(cells[name], f"{path}, {name}", mark)
            own = own if empty is None else np.where(np.isnan(own), empty, own)
        elif name == "pd" and by_grade:
            own = np.array([float(by_grade.get(one, math.nan)) for one in grade])
        if empty is None and np.any(np.isnan(own)):
            raise Wrong(f"{path}: {name} is not given for everybody")
        found.numbers[name] = own
    return found


def copy_of(run: str) -> str:
    path = os.path.join(run, "borrowers.csv")
    return path if os.path.exists(path) else os.path.join(run, "borrowers.parquet")


def put_under(stress: list[Any], borrowers: Borrowers) -> None:
    """PD and LGD, at most 1, and requests times their factors; filters read what was before."""
    moved = {}
    for figure, column in (("pd", "pd"), ("lgd", "lgd"), ("amount", "max_amount")):
        factor = np.full(borrowers.n, everyone(stress, figure))
        for case in cases(stress, figure):
            where = {key: test for key, test in case.items() if key != "factor"}
            factor[borrowers.passes(where)] *= number(case, "factor")
        with np.errstate(invalid="ignore"):
            own = np.where(factor == 0, 0.0, borrowers.numbers[column] * factor)
        moved[column] = own if figure == "amount" else np.minimum(own, 1.0)
    borrowers.numbers |= moved


# --- 4. Curves and menus --------------------------------------------------------------------------


def exact(value: float) -> Fraction:
    """The shortest decimal that reads back as the double."""
    return Fraction(repr(float(value)))


def nobody_walks() -> Of:
    return Of(rates=[0.0, 1.0], churn=[Fraction(0), Fraction(0)])


def curves_of(run: str, scenario: Any, stress: list[Any], grades: set[str]) -> dict[str, Of]:
    """Grade -> the table's rates and churn there in fractions, stressed and then smoothed.

    Nobody walks of those `grades` that have neither band nor curve: only a file of offers lends to them.
    """
    if at(scenario, "response.churn") == "none":
        return {
            grade: Of(rates=[0.0, 1.0], churn=[Fraction(0)] * 2) for grade in at(scenario, "policy.rates")
        }
    named, book = entries(scenario, "policy.rates"), at(scenario, "strategy.file")
    if at(scenario, "response.churn") == "none":
        return {grade: nobody_walks() for grade in {*named, *grades}}
    path = path_of(run, at(scenario, "response.churn"))
    columns = {name: as_numbers(own, f"{path}, {name}") for name, own in table_of(path, lax=True).items()}
    rates = columns.pop("rate", np.zeros(0))
    if (
        not len(rates)
        or any(np.any(np.isnan(own)) for own in columns.values())
        or np.any(np.diff(rates) <= 0)
    ):
        raise Wrong(f"{path}: no rates that ascend, or a cell that is empty")
    smoothed = word(scenario, "response.smoothing", ["none", "isotonic"], "none") == "isotonic"
    curves = {}
    for grade, own in columns.items():
        factor = {figure: everyone(stress, figure) for figure in ("rates", "churn")}
        for figure in factor:
            for case in cases(stress, figure):
                named = at(case, "grade", [])
                factor[figure] *= (
                    number(case, "factor") if grade in ([named] if isinstance(named, str) else named) else 1
                )
        moved = own if factor["rates"] == 1 else np.interp(rates / factor["rates"], rates, own)
        churn = [Fraction(value) for value in np.minimum(moved * factor["churn"], 1.0).tolist()]
        curves[grade] = Of(rates=rates.tolist(), churn=rising(churn) if smoothed else churn)
    lacking = grades - named.keys() - curves.keys() if book is not None else set()
    return curves | {grade: nobody_walks() for grade in lacking}


def rising(values: list[Fraction]) -> list[Fraction]:
    """The nearest sequence that does not fall: neighbours that do are pooled at their mean."""
    pools: list[list[Fraction]] = []
    for value in values:
        pools.append([value])
        while len(pools) > 1 and sum(pools[-2]) * len(pools[-1]) > sum(pools[-1]) * len(pools[-2]):
            pools[-2:] = [pools[-2] + pools[-1]]
    return [sum(pool, Fraction(0)) / len(pool) for pool in pools for _ in pool]


def walk_at(curve: Of, rate: float) -> Any:
    """Churn at any rate: linear between the table's rates, level beyond its ends."""
    if not curve.rates[0] < rate < curve.rates[-1]:
        return curve.churn[0 if rate <= curve.rates[0] else -1]
    k = int(np.searchsorted(curve.rates, rate, "right"))
    left, right = Fraction(curve.rates[k - 1]), Fraction(curve.rates[k])
    return curve.churn[k - 1] + (curve.churn[k] - curve.churn[k - 1]) * (Fraction(rate) - left) / (
        right - left
    )


def menu_of(rates: Sequence[float], curve: Of) -> Of:
    """Rates with take-up and churn, each the double nearest to it."""
    walks = [walk_at(curve, rate) for rate in rates]
    columns = {
        "rate": rates,
        "accept": [float(1 - walk) for walk in walks],
        "walk": [float(w) for w in walks],
    }
    return Of(**{name: np.array(own, dtype=float) for name, own in columns.items()})


def menus_of(policy: Of, curves: dict[str, Of]) -> dict[str, Of]:
    menus = {}
    for grade, (low, high) in policy.rates.items():
        if grade not in curves:
            raise Wrong(f"policy.rates.{grade}: the churn table has no such column")
        rates = [rate for rate in curves[grade].rates if low - SAME <= rate <= high + SAME]
        if policy.rate_step is not None:
            steps = math.floor((high - low) / policy.rate_step + 1e-9)
            rates = [low + policy.rate_step * k for k in range(steps + 1)]
            rates += [high] if high - rates[-1] > SAME else []
        menus[grade] = menu_of(rates, curves[grade])
    return menus


# --- 5. What may be offered -----------------------------------------------------------------------


def money(count: Array, lot: Fraction) -> Array:
    """The doubles nearest to count x lot."""
    if lot.denominator == 1 or (100 * lot).denominator == 1:
        return count * float(lot) if lot.denominator == 1 else count * float(100 * lot) / 100.0
    nearest = {c: float(int(c) * lot) for c in np.unique(count[np.isfinite(count)]).tolist()}
    return np.array([nearest.get(c, c) for c in count.tolist()], dtype=float)


def lots(values: Array, lot: Fraction) -> Array:
    """The count of lots nearest to each value."""
    return np.rint(values * 100.0 if lot == CENT else values / float(lot))


def book_of(borrowers: Borrowers, policy: Of, menus: dict[str, Of]) -> Of:
    """Whom what may be offered, and why not."""
    own, grade, lot = borrowers.numbers, borrowers.text("grade"), policy.lot
    pinned, floor = ~np.isnan(own["fixed_amount"]), np.nan_to_num(own["min_rate"], nan=-math.inf)
    wanted = np.maximum(own["min_amount"], policy.smallest)
    most = np.minimum(own["max_amount"], policy.largest)
    first, last = lots(wanted, lot), lots(most, lot)
    first, last = first + (money(first, lot) < wanted), last - (money(last, lot) > most)
    top = {name: menu.rate[-1] if len(menu.rate) else -math.inf for name, menu in menus.items()}
    highest = np.array([top.get(one, math.nan) for one in grade])
    yes = [as_text(cell).lower() for cell in borrowers.cells.get("exclude", [])]
    kept_out = (
        np.isin(yes, ["true", "1"])
        if yes
        else np.full(borrowers.n, borrowers.defaults.get("exclude") is True)
    )
    tests = [
        kept_out,
        np.isnan(highest),
        ~pinned & (highest + SAME < floor),
        ~pinned & (own["max_amount"] < wanted),
    ]
    tests += [~pinned & (own["min_amount"] > policy.largest), ~pinned & (first > last)]
    why = np.select(tests, NO_OFFER, default="").astype(object)
    return Of(
        ids=borrowers.text("borrower_id").tolist(), grade=grade, pd=own["pd"], lgd=own["lgd"],
        term=own["term_years"], worth=own["relationship_value"], exposure=own["exposure"], floor=floor,
        low=np.where(pinned, own["fixed_amount"], money(first, lot)),
        high=np.where(pinned, own["fixed_amount"], money(last, lot)),
        pinned=pinned, pinned_rate=own["fixed_rate"], why=why,
        lendable=~tests[0] & ~tests[1] & (pinned | (first <= last)),
    )  # fmt: skip


def offers_to(who: Array, run: Of) -> Of:
    """Every offer to `who`; NaN where there is no such offer. *_terms add the absolute values of terms."""
    book, policy, width = run.book, run.policy, max([1, *(len(menu.rate) for menu in run.menus.values())])
    rate, accept, walk = (np.full((len(who), width), math.nan) for _ in range(3))
    pinned = book.pinned[who]
    for grade, menu in run.menus.items():
        own = np.flatnonzero((book.grade[who] == grade) & ~pinned)
        open_to = menu.rate + SAME >= book.floor[who[own]][:, None]
        for into, column in ((rate, menu.rate), (accept, menu.accept), (walk, menu.walk)):
            into[own, : len(menu.rate)] = np.where(open_to, column, math.nan)
    for place in np.flatnonzero(pinned):
        only = menu_of([book.pinned_rate[who[place]]], run.curves[book.grade[who[place]]])
        rate[place, 0], accept[place, 0], walk[place, 0] = only.rate[0], only.accept[0], only.walk[0]
    pd, lgd, term, worth = (column[who][:, None] for column in (book.pd, book.lgd, book.term, book.worth))
    gross = accept * rate * term
    earned, lost = gross * (1.0 - pd), accept * pd * lgd
    spent = accept * policy.funding * term + walk * policy.kappa
    kept, left = policy.decline * worth, walk * worth + accept * policy.processing
    return Of(
        who=who, rate=rate, accept=accept, gross=gross, held=~np.isnan(rate), refusal=~pinned,
        unit=earned - lost - spent, unit_terms=earned + lost + spent, once=kept - left,
        once_terms=kept + left, low=book.low[who], high=book.high[who],
    )  # fmt: skip


# --- 6. Rows --------------------------------------------------------------------------------------


def total(terms: Iterable[float]) -> float:
    """The sum, rounded once; NaN where it is beyond a double."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return math.nan


def sums(rows: Of, values: Array) -> list[float]:
    """Sum of `values` by row, each rounded once."""
    order = np.argsort(rows.row, kind="stable")
    cuts = np.searchsorted(rows.row[order], np.arange(len(rows.names) + 1)).tolist()
    return [total(values[order[a:b]].tolist()) for a, b in pairwise(cuts)]


def rows_of(policy: Of, borrowers: Borrowers, book: Of) -> list[Of]:
    """One entry a limit, the budget first: its rows, and `row` of each borrower, -1: none."""
    budget = Of(
        name="budget", measure=policy.basis, sense=policy.spend, bound=policy.budget, of="", each=None
    )
    found: list[Of] = []
    for limit in [budget.but(weight=None, where={}), *policy.limits]:
        inside, names = borrowers.passes(limit.where), [limit.name]
        row = np.where(inside, 0, -1)
        if limit.each is not None:
            texts = borrowers.text(limit.each)
            values = sorted(set(texts[inside]) - {""})
            place = {value: k for k, value in enumerate(values)}
            row = np.array([place.get(text, -1) for text in texts])
            row, names = np.where(inside, row, -1), [f"{limit.name}[{value}]" for value in values]
        weight = np.ones(borrowers.n) if limit.weight is None else borrowers.number(limit.weight)
        weight = {"expected_loss": book.pd * book.lgd, "interest": 1.0 - book.pd}.get(
            limit.measure, 1.0
        ) * weight
        if np.any(np.isnan(weight[row >= 0])):
            raise Wrong(f"limit {limit.name}: a weight is missing")
        of_budget = limit.of == "budget"
        exposed = limit.measure in ("offered", "drawn", "expected_loss") and limit.name != "budget"
        rows = Of(
            names=names, measure=limit.measure, sense=limit.sense, basis=MEASURES[limit.measure], row=row,
            weight=np.where(row >= 0, weight, 0.0), plain=bool(np.all(weight[row >= 0] == 1)),
            exposed=exposed, bound=limit.bound * policy.budget if of_budget else limit.bound,
            of={"total": "offered", "drawn": "drawn"}.get(limit.of, ""),
            whole=exact(limit.bound) * (exact(policy.budget) if of_budget else 1),
        )  # fmt: skip
        found.append(
            rows.but(lent=sums(rows, rows.weight * book.exposure) if exposed else [0.0] * len(names))
        )
    every = [name for rows in found for name in rows.names]
    if len(set(every)) < len(every):
        raise Wrong("policy.limits: two rows have one name")
    return found


def uses_of(all_rows: list[Of], book: Of, bases: dict[str, Array]) -> list[Of]:
    """Each row as it is used: exactly where it is of whole cents or loans, else with a tolerance."""
    cents, lent_cents = np.rint(bases["offered"] * 100.0), np.rint(book.exposure * 100.0)
    split = (cents / 100.0 != bases["offered"]) | (lent_cents / 100.0 != book.exposure)
    lent, found = total(book.exposure.tolist()), []
    for rows in all_rows:
        terms = rows.weight * bases[rows.basis]
        reference = total([*bases[rows.of].tolist(), lent if rows.exposed else 0.0]) if rows.of else 1.0
        bound, added, sizes = rows.bound * reference, sums(rows, terms), sums(rows, np.abs(terms))
        largest, least, finest, greatest = (
            np.full(len(rows.names) + 1, x) for x in (0.0, math.inf, math.inf, -math.inf)
        )
        some = rows.weight != 0
        np.maximum.at(largest, rows.row, np.abs(terms))
        np.minimum.at(least, rows.row, rows.weight)
        np.maximum.at(greatest, rows.row, rows.weight)
        np.minimum.at(finest, rows.row[some], np.abs(rows.weight[some]))
        ragged = np.zeros(len(rows.names) + 1, dtype=bool)
        if rows.basis == "offered":
            ragged[rows.row[split]] = True
            ragged |= bool(rows.of) and bool(np.any(split))
        for k, name in enumerate(rows.names):
            used, scale = added[k] + rows.lent[k], max(abs(bound), float(largest[k]))
            even = least[k] == greatest[k] != 0 and rows.of != "drawn" and rows.basis in ("offered", "loans")
            tolerance = (
                max(min(1e-9 * scale, finest[k] / 2), 4 * U * scale)
                if rows.basis == "loans"
                else 1e-9 * scale
            )
            side: Any = used - bound
            if even and not ragged[k]:
                side, tolerance = exact_side(rows, k, bases, cents, lent_cents), 0.0
            over = {"at_most": side, "at_least": -side, "exactly": abs(side)}[rows.sense]
            size = sizes[k] + abs(rows.lent[k]) + abs(bound)
            excess, broken = max(float(over), 0.0), bool(over > tolerance)
            found.append(
                Of(name=name, used=used, bound=bound, scale=scale, size=size, excess=excess, broken=broken)
            )
    return found


def exact_side(rows: Of, k: int, bases: dict[str, Array], cents: Array, lent: Array) -> Any:
    """Left side less right side of a row of whole cents or loans."""

    def counted(some: Any) -> Fraction:
        if rows.basis == "loans":
            return Fraction(int(np.count_nonzero(bases["loans"][some])))
        return Fraction(sum(map(int, cents[some])) + (sum(map(int, lent[some])) if rows.exposed else 0), 100)

    members = np.flatnonzero(rows.row == k)
    return exact(rows.weight[members[0]]) * counted(members) - rows.whole * (
        counted(slice(None)) if rows.of else 1
    )


# --- 7. The bound ---------------------------------------------------------------------------------


def charges_of(run: Of, prices: Mapping[str, float], rounded: Mapping[str, float]) -> Of:
    """What prices charge a unit of each basis; b'lambda with the idle budget's worth; terms as in offers."""
    charge, terms = ({basis: np.zeros(len(run.book.ids)) for basis in MEASURES.values()} for _ in range(2))
    parts, lent, policy = [0.0], total(run.book.exposure.tolist()), run.policy
    for rows in run.rows:
        signs = {"at_most": (0.0, math.inf), "at_least": (-math.inf, 0.0), "exactly": (-math.inf, math.inf)}
        own = np.clip([prices.get(name, 0.0) for name in rows.names], *signs[rows.sense])
        mine = np.append(own, 0.0)[rows.row] * rows.weight
        charge[rows.basis] += mine
        terms[rows.basis] += np.abs(mine)
        side = (rows.bound * lent if rows.exposed else 0.0) if rows.of else rows.bound
        for price, name, used in zip(own.tolist(), rows.names, rows.lent, strict=True):
            parts += [price * rounded[name]] if name in rounded else [price * side, -price * used]
        if rows.of:
            share = rows.bound * total(own.tolist())
            charge[rows.of] -= share
            terms[rows.of] += abs(share)
    budget = policy.budget if policy.spend == "at_most" else 0.0
    room = min(rounded.get("budget", budget), budget)
    dear = max(0.0, policy.idle - max(prices.get("budget", 0.0), 0.0))
    parts += [policy.idle * (budget - room), room * dear]
    return Of(charge=charge, terms=terms, constant=total(parts), constant_terms=total(map(abs, parts)))


def answers(offers: Of, charges: Of, operations: int) -> tuple[Array, Array]:
    """Reduced values at the better end, and how far rounding may have moved them at most."""
    own = {basis: column[offers.who][:, None] for basis, column in charges.charge.items()}
    size = {basis: column[offers.who][:, None] for basis, column in charges.terms.items()}
    unit = offers.unit - own["offered"] - offers.accept * own["drawn"] - offers.gross * own["interest"]
    unit_terms = (
        offers.unit_terms + size["offered"] + offers.accept * size["drawn"] + offers.gross * size["interest"]
    )
    ends = np.maximum(unit * offers.low[:, None], unit * offers.high[:, None])
    error = operations * U * (unit_terms * offers.high[:, None] + offers.once_terms + size["loans"])
    return ends + (offers.once - own["loans"]), error


def values_of(parts: Iterable[Of], charges: Of, operations: int) -> Of:
    """U as computed (`bound`) and as it is at most (`upper`, inf where that cannot be computed); of the last
    part the options' upper values and everybody's best answer at least."""
    mean, most, bad, option, least = [charges.constant], [charges.constant], False, None, None
    most.append(operations * U * charges.constant_terms)
    for offers in parts:
        with np.errstate(all="ignore"):
            best, error = answers(offers, charges, operations)
            held, floor = (
                offers.held & (offers.low <= offers.high)[:, None],
                np.where(offers.refusal, 0.0, -np.inf),
            )
            bad |= bool(np.any(np.isnan((best + error)[held])))
            option, lower, middle = (np.where(held, x, -np.inf) for x in (best + error, best - error, best))
            upper, least, even = (np.maximum(x.max(axis=1), floor) for x in (option, lower, middle))
        mean, most = mean + even.tolist(), most + upper.tolist()
    if -math.inf in most and not bad:
        return Of(bound=-math.inf, upper=-math.inf, option=option, least=least)
    proved, bound = total(most), total(mean)
    known = not bad and math.isfinite(proved) and math.isfinite(bound)
    upper = (math.nextafter(proved, math.inf) if any(most) else 0.0) if known else math.inf
    return Of(bound=bound, upper=upper, option=option, least=least)


def misstated(said: float, found: Of, beside: float = 0.0) -> str:
    """What is wrong with a stated bound, "" where nothing is."""
    most = found.bound + 64 * (found.upper - found.bound) + 1e-9 * max(abs(found.bound), beside, 1.0)
    return "" if found.upper <= said <= most else f"states {said!r}, where {found.upper!r} is proved"


# --- 8. The tree ----------------------------------------------------------------------------------


class Tree:
    """A proof tree held against the offers that its root leaves to everybody."""

    def __init__(self, run: Of, document: Any, operations: int) -> None:
        self.run, self.operations, self.most = run, operations, -math.inf
        self.document = entries({"tree": document}, "tree", "bound lots nodes")
        self.claimed, self.nodes = number(document, "bound"), document.get("nodes")
        if not isinstance(self.nodes, list) or not self.nodes:
            raise Wrong("tree: no nodes")
        self.root = offers_to(np.flatnonzero(run.book.lendable), run)
        self.place = {run.book.ids[i]: place for place, i in enumerate(self.root.who)}
        self.lots = self.rounded()

    def faults(self) -> Iterator[str]:
        """What keeps the tree from proving the bound that it states."""
        waiting, seen = [(0, self.root)], set()
        while waiting:
            node, offers = waiting.pop()
            try:
                if node in seen:
                    raise Wrong("has two parents")
                seen.add(node)
                sides = self.sides_of(self.nodes[node], offers)
                children = self.nodes[node].get("children", [])
                known = isinstance(children, list) and len(children) == len(sides)
                if not known or any(type(c) is not int or not 0 < c < len(self.nodes) for c in children):
                    raise Wrong(f"has the children {children!r}, {len(sides)} nodes were expected")
                waiting += zip(children, sides, strict=True)
            except Wrong as fault:
                yield f"tree.nodes[{node}]: {fault}"
        if len(seen) < len(self.nodes):
            yield f"tree: {len(self.nodes) - len(seen)} nodes hang on no branch that could be followed"
        if self.claimed < self.most:
            yield f"tree: states {self.claimed!r}, its leaves prove {self.most!r} only"

    def rounded(self) -> dict[str, float]:
        """The rows whose right-hand sides are rounded to whole lots, none of them too far."""
        book, lot, held = self.run.book, self.run.policy.lot, entries(self.document, "lots")
        pins = book.low[book.pinned & book.lendable]
        stepped = self.run.policy.step is not None and bool(np.all(money(lots(pins, lot), lot) == pins))
        rows = {name: (rows, k) for rows in self.run.rows for k, name in enumerate(rows.names)}
        for name in held:
            own, k = rows.get(name, (None, 0))
            unit = {"loans": Fraction(1), "offered": lot if stepped else None}.get(own.basis) if own else None
            if unit is None or not own.plain or own.of or own.sense == "exactly":
                raise Wrong(f"tree.lots: {name!r} is not used by whole lots")
            lent = [exact(one) for one in book.exposure[(own.row == k) & own.exposed] if one]
            near = (
                0
                if all((100 * one).denominator == 1 for one in lent)
                else Fraction(2, 10**9) * abs(own.whole)
            )
            free, up = own.whole - sum(lent), own.sense == "at_most"
            whole = float(
                (math.floor((free + near) / unit) if up else math.ceil((free - near) / unit)) * unit
            )
            if (number(held, name) - whole) * (1 if up else -1) < -4 * U * abs(whole):
                raise Wrong(f"tree.lots: rounds {name!r} to {held[name]!r}, beyond {whole!r}")
        return {name: float(room) for name, room in held.items()}

    def sides_of(self, node: Any, offers: Of) -> list[Of]:
        """What is left below a node, once it is seen to be right."""
        if not isinstance(node, dict):
            raise Wrong("is no object")
        if "borrower" in node:
            by_amount = "amounts" in node
            entries({"n": node}, "n", "borrower amounts children" if by_amount else "borrower split children")
            place = self.place.get(node["borrower"]) if isinstance(node["borrower"], str) else None
            if place is None:
                raise Wrong(f"splits {node['borrower']!r}, who may get no offer")
            return (
                self.split_amounts(node, offers, place)
                if by_amount
                else self.split_options(node, offers, place)
            )
        entries({"n": node}, "n", "prices bound keeps children")
        prices = node.get("prices")
        if not isinstance(prices, dict) or prices.keys() - {n for rows in self.run.rows for n in rows.names}:
            raise Wrong("has no prices, or one of no limit")
        charges = charges_of(self.run, {name: number(prices, name) for name in prices}, self.lots)
        found = values_of([offers], charges, self.operations)
        fault = misstated(number(node, "bound"), found, abs(self.claimed)) if found.upper > -math.inf else ""
        if fault:
            raise Wrong(fault)
        if "keeps" not in node:
            self.most = max(self.most, found.upper)
            return []
        keeps = number(node, "keeps")
        self.most = max(self.most, math.nextafter(found.upper - keeps, math.inf))
        with np.errstate(invalid="ignore"):
            lost = found.least[:, None] - found.option > keeps
        return [offers.but(held=offers.held & ~lost, refusal=offers.refusal & ~(found.least > keeps))]

    def split_options(self, node: Any, offers: Of, place: int) -> list[Of]:
        sides = node.get("split")
        if (
            not isinstance(sides, list)
            or len(sides) != 2
            or not all(isinstance(side, list) for side in sides)
        ):
            raise Wrong("has not two sides")
        listed = []
        for side in sides:
            rates = [number({"rate": rate}, "rate") for rate in side if rate != "none"]
            with np.errstate(invalid="ignore"):
                same = np.abs(self.root.rate[place][:, None] - np.array(rates, dtype=float)) <= SAME
            if not same.any(axis=0).all():
                raise Wrong("lists a rate that the borrower may not be offered")
            listed.append((same.any(axis=1), "none" in side))
        (one, no), (other, neither) = listed
        if np.any(offers.held[place] & ~one & ~other) or (offers.refusal[place] and not (no or neither)):
            raise Wrong("does not cover what is left to the borrower")
        return [
            changed(offers, place, held=offers.held[place] & held, refusal=offers.refusal[place] and refused)
            for held, refused in listed
        ]

    def split_amounts(self, node: Any, offers: Of, place: int) -> list[Of]:
        amount, lot = number(node, "amounts"), self.run.policy.lot
        count = lots(np.array([amount]), lot)
        if self.run.policy.step is None or money(count, lot)[0] != amount:
            raise Wrong(f"splits at {amount!r}, which is no multiple of a step")
        if not self.root.refusal[place]:
            raise Wrong("splits the amount of a pinned offer")
        above = float(money(count + 1, lot)[0])
        low, high = max(offers.low[place], above), min(offers.high[place], amount)
        return [changed(offers, place, high=high), changed(offers, place, low=low, refusal=False)]


def changed(offers: Of, place: int, **own: Any) -> Of:
    """`offers` with other entries of one borrower."""
    columns = {name: getattr(offers, name).copy() for name in own}
    for name, entry in own.items():
        columns[name][place] = entry
    return offers.but(**columns)


# --- 9. The recheck -------------------------------------------------------------------------------


def ledger_of(run: Of, amount: Array, rate: Array) -> tuple[dict[str, Array], Array]:
    """What every decision earns and costs, by column; and whose rate may be offered."""
    book, policy = run.book, run.policy
    accept, walk, allowed = np.zeros(len(amount)), np.zeros(len(amount)), np.zeros(len(amount), dtype=bool)
    for i in np.flatnonzero(amount > 0):
        menu, curve = run.menus.get(book.grade[i]), run.curves.get(book.grade[i])
        k = int(np.argmin(np.abs(menu.rate - rate[i]))) if menu is not None and len(menu.rate) else -1
        listed = k >= 0 and not book.pinned[i] and abs(menu.rate[k] - rate[i]) <= SAME
        if listed or curve is not None:
            one = menu if listed else menu_of([rate[i]], curve)
            accept[i], walk[i] = one.accept[k if listed else 0], one.walk[k if listed else 0]
            pinned = rate[i] == book.pinned_rate[i]
            allowed[i] = pinned if book.pinned[i] else listed and rate[i] + SAME >= book.floor[i]
        else:
            accept[i], walk[i] = 1.0, 0.0  # nothing is known of who walks
    offered, drawn = amount > 0, accept * amount
    gross = drawn * rate * book.term
    found = {
        "amount": amount, "rate": np.where(offered, rate, 0.0), "take_up": accept, "drawn": drawn,
        "gross": gross,
        "interest": gross * (1.0 - book.pd), "expected_loss": drawn * book.pd * book.lgd,
        "funding_cost": drawn * policy.funding * book.term, "churn_cost": walk * amount * policy.kappa,
        "processing_cost": accept * policy.processing,
        "relationship_cost": np.where(offered, (walk - policy.decline) * book.worth, 0.0),
    }  # fmt: skip
    return {**found, "value": found["interest"] - sum(found[cost] for cost in COSTS)}, allowed


def broken_terms(run: Of, amount: Array, allowed: Array) -> dict[str, Array]:
    """What is wrong with decisions -> with whose."""
    offered, book, lot = amount > 0, run.book, run.policy.lot
    off, lent = money(lots(amount, lot), lot) != amount, offered & book.lendable
    found = {
        "amount to a borrower who may not be offered anything": offered & ~book.lendable,
        "amount outside the borrower's smallest and largest loan": lent
        & ((amount < book.low) | (amount > book.high)),
        f"amount that is no multiple of {float(lot):g}": offered & off & ~book.pinned,
        "rate that may not be offered": lent & ~allowed,
        "pinned offer not made": book.pinned & book.lendable & ~offered,
    }
    return {what: who for what, who in found.items() if who.any()}


def unlike(said: Any, found: Any, place: str, worth: float) -> Iterator[str]:
    """Where a document is not what the inputs give; sums of money agree up to the rounding of such sums."""
    if isinstance(found, dict) and isinstance(said, dict):
        for key in dict.fromkeys([*found, *said]):
            if key in found and key in said:
                yield from unlike(said[key], found[key], f"{place} {key}", worth)
            else:
                yield f"{place} {key}: is {'missing' if key in found else 'not known'}"
    elif isinstance(found, list) and isinstance(said, list) and len(found) == len(said):
        for k, (one, other) in enumerate(zip(said, found, strict=True)):
            yield from unlike(one, other, f"{place}[{k}]", worth)
    elif isinstance(found, float) and isinstance(said, int | float) and not isinstance(said, bool):
        rounding = 0.0 if place.endswith("mean_rate") else 1e-14 * worth
        if not abs(said - found) <= 1e-9 * max(abs(found), 1.0) + rounding:
            yield f"{place}: says {said!r}, the inputs give {found!r}"
    elif type(said) is not type(found) or said != found:
        yield f"{place}: says {said!r}, the inputs give {found!r}"


def faults_of(folder: str) -> Iterator[str]:
    """What a run says that is not so. Raises Missing, and Wrong where nothing more can be looked at."""
    if not os.path.isdir(folder):
        raise Missing(f"{folder}: no such folder")
    names = ("scenario.json", "certificate.json", "summary.json")
    scenario, certificate, summary = (strict_json(os.path.join(folder, name)) for name in names)
    decided = allocation_of(folder)
    for place, keys in KEYS.items():
        entries(scenario, place, keys)
    word(scenario, "policy.pricing", ["individual"], "individual")
    yield from inputs_changed(folder, scenario, entries(certificate, "inputs"))
    stress = stress_of(folder, scenario)
    policy, borrowers = policy_of(scenario, stress), borrowers_of(folder, scenario)
    curves = curves_of(folder, scenario, stress, set(borrowers.text("grade")))
    menus = menus_of(policy, curves)
    put_under(stress, borrowers)
    book = book_of(borrowers, policy, menus)
    if decided["borrower_id"].tolist() != book.ids:
        raise Wrong("allocation: does not list the borrowers in their order")
    rule = at(scenario, "strategy", "optimal")
    if not isinstance(rule, str):
        told = entries(scenario, "strategy", "ahp_lines min_loss file columns")
        rule = next((name for name in ("ahp_lines", "min_loss", "file") if name in told), "")
    run = Of(
        scenario=scenario, policy=policy, curves=curves, menus=menus, book=book, rule=rule, decided=decided
    )
    run.rows, run.operations = rows_of(policy, borrowers, book), 24 + 2 * (len(policy.limits) + 1)
    run.lines, allowed = ledger_of(run, decided["amount"], decided["rate"])
    offered = run.lines["amount"]
    bases = {
        "offered": offered,
        "drawn": run.lines["drawn"],
        "interest": run.lines["gross"],
        "loans": (offered > 0) * 1.0,
    }
    run.uses, run.terms = uses_of(run.rows, book, bases), broken_terms(run, offered, allowed)
    run.broken = [use.name for use in run.uses if use.broken]
    if rule == "optimal":
        yield from (f"{what}: borrower {book.ids[int(np.argmax(who))]}" for what, who in run.terms.items())
        yield from (f"limit {use.name}: uses {use.used!r} of {use.bound!r}" for use in run.uses if use.broken)
    run.unspent = run.uses[0].bound - run.uses[0].used if policy.spend == "at_most" else 0.0
    yield from certificate_faults(run, certificate)
    yield from summary_faults(run, certificate, summary)
    yield from line_faults(run, entries(certificate, "prices"))


def allocation_of(folder: str) -> dict[str, Any]:
    paths = [os.path.join(folder, f"allocation.{kind}") for kind in ("csv", "parquet")]
    there = [path for path in paths if os.path.exists(path)] or paths[:1]
    held, numbers = table_of(there[0]), ("amount", "rate", *FIGURES)
    if len(there) > 1 or held.keys() != {*TEXTS, *numbers}:
        raise Wrong(
            f"{there[0]}: stands twice, or its columns are other than a run writes: {', '.join(held)}"
        )
    found: dict[str, Any] = {
        name: as_numbers(held[name], f"{there[0]}, {name}", strict=True) for name in numbers
    }
    if np.any(np.signbit(found["amount"]) | np.signbit(found["rate"])):
        raise Wrong(f"{there[0]}: an amount or rate below 0, or -0")
    return found | {name: np.array([as_text(cell) for cell in held[name]], dtype=object) for name in TEXTS}


def inputs_changed(folder: str, scenario: Any, claimed: dict[str, Any]) -> Iterator[str]:
    """Inputs whose hash is not the stated one; of a database nothing but the copy can be looked at."""
    source = at(scenario, "portfolio.source")
    files: dict[str, Any] = {
        "churn": "response.churn",
        "scorecard": "portfolio.scorecard",
        "stress": "stress.file",
    }
    files |= {"book": "strategy.file", "weights": "strategy.ahp_lines.file"}
    paths: dict[str, Any] = {name: at(scenario, place) for name, place in files.items()}
    paths["churn"] = None if paths["churn"] == "none" else paths["churn"]
    paths["churn"] = None if paths["churn"] == "none" else paths["churn"]
    paths |= {name: path for name, path in at(source, "invoices", {}).items() if name != "duplicates"}
    kinds = [at(source, kind) for kind in ("csv", "parquet", "xlsx")]
    paths["portfolio"] = (
        source if isinstance(source, str) else next((k for k in kinds if k is not None), None)
    )
    found: dict[str, Any] = {
        name: hash_of(path_of(folder, path)) for name, path in paths.items() if path is not None
    }
    found |= {} if is_plain(folder, scenario) else {"borrowers": hash_of(copy_of(folder))}
    found |= {} if at(source, "sql") is None else {"portfolio": claimed.get("portfolio")}
    for name in dict.fromkeys([*found, *claimed]):
        if found.get(name) != claimed.get(name) or not re.fullmatch(
            "sha256:[0-9a-f]{64}", str(claimed.get(name))
        ):
            yield f"{name}: has changed since the run"


def is_gap(said: float, bound: float, value: float) -> bool:
    gap = (bound - value) / max(abs(bound), 1.0)
    negative = said == 0 and math.copysign(1.0, said) < 0
    return not negative and min(abs(said - gap), abs(said - max(gap, 0.0))) <= 1e-12


def certificate_faults(run: Of, certificate: dict[str, Any]) -> Iterator[str]:
    known = "schema prices bound value gap largest_violation limits inputs tree"
    entries({"certificate": certificate}, "certificate", known)
    prices, senses = entries(certificate, "prices"), {n: rows.sense for rows in run.rows for n in rows.names}
    if (
        prices.keys() != senses.keys()
        or type(certificate.get("schema")) is not int
        or certificate["schema"] != 1
    ):
        raise Wrong("certificate: its schema is not 1, or its prices are not one a limit")
    for name in prices:
        price = number(prices, name)
        if (senses[name] == "at_most" and price < 0) or (senses[name] == "at_least" and price > 0):
            yield f"certificate prices {name}: {price!r}, which a limit {senses[name]} cannot have"
    bound, value, gap = (number(certificate, key) for key in ("bound", "value", "gap"))
    lines, idle = run.lines, run.policy.idle
    worth = total([*lines["value"].tolist(), idle * run.unspent])
    sizes = [
        *sum(np.abs(lines[name]) for name in ("interest", *COSTS)),
        idle * (run.uses[0].size + run.policy.budget),
    ]
    error = 12 * U * total(sizes)
    if not worth - 64 * error - 1e-9 * max(abs(worth), 1.0) <= value <= worth - error:
        yield f"certificate value: says {value!r}, the inputs give {worth!r}"
    who, charges = np.flatnonzero(run.book.lendable), charges_of(run, prices, {})
    parts = (offers_to(who[k : k + 8192], run) for k in range(0, len(who), 8192))
    found = values_of(parts, charges, run.operations)
    if "tree" in certificate:
        tree = Tree(run, certificate["tree"], run.operations)
        yield from tree.faults()
        found = Of(bound=min(found.bound, tree.claimed), upper=min(found.upper, tree.claimed))
    if fault := misstated(bound, found):
        yield f"certificate bound: {fault}"
    slack = total(abs(prices[use.name]) * use.excess for use in run.uses)
    if value > bound + slack and not run.broken and not run.terms:
        yield f"certificate value: {value!r} lies above the bound {bound!r}"
    if not is_gap(gap, bound, value):
        yield f"certificate gap: says {gap!r}, not what bound and value give"
    yield from limit_faults(run, certificate)


def limit_faults(run: Of, certificate: dict[str, Any]) -> Iterator[str]:
    said, kinds = (
        certificate.get("limits"),
        [(rows.measure, rows.sense) for rows in run.rows for _ in rows.names],
    )
    if not isinstance(said, list) or len(said) != len(run.uses):
        raise Wrong("certificate limits: not one a row")
    for one, use, (measure, sense) in zip(said, run.uses, kinds, strict=True):
        if entries({"limit": one}, "limit").keys() != LIMIT_TOLD:
            raise Wrong("certificate limits: an entry of other keys")
        near, broken = 1e-9 * use.scale + 64 * U * use.size, 0.0
        if use.broken:
            broken = use.excess / use.scale if use.scale else 1.0
        wrong = (one["name"], one["measure"], one["sense"]) != (use.name, measure, sense)
        wrong |= abs(number(one, "used") - use.used) > near or abs(number(one, "bound") - use.bound) > near
        wrong |= number(one, "price") != certificate["prices"][use.name]
        wrong |= (
            abs(number(one, "violation") - broken) > 1e-9 * max(broken, 1.0)
            or (one["violation"] > 0) != use.broken
        )
        if wrong:
            yield f"certificate limits {use.name}: says {one}, the inputs give {use}"
    worst = max(one["violation"] for one in said)
    if number(certificate, "largest_violation") != worst:
        yield f"certificate largest_violation: is not {worst!r}, the largest of its limits"


def segment(run: Of, who: Array) -> dict[str, float]:
    return {name: total(run.lines[name][who].tolist()) for name in ("interest", *COSTS)}


def expected_summary(run: Of, certificate: dict[str, Any]) -> dict[str, Any]:
    lines, book, grades, limits = run.lines, run.book, {}, []
    amount, all_of, book_file = (
        lines["amount"],
        np.full(len(book.ids), True),
        at(run.scenario, "strategy.file"),
    )
    for grade in sorted(set(book.grade)):
        own = book.grade == grade
        offered, weighted = total(amount[own].tolist()), total((amount * lines["rate"])[own].tolist())
        grades[grade] = {
            "borrowers": int(own.sum()), "funded": int((amount[own] > 0).sum()), "offered": offered,
            "drawn": total(lines["drawn"][own].tolist()), "mean_rate": weighted / offered if offered else 0.0,
            **segment(run, own), "value": total(lines["value"][own].tolist()),
        }  # fmt: skip
    for one, use in zip(certificate["limits"], run.uses, strict=True):
        room = float(one["bound"] - one["used"])
        slack = {"at_most": room, "at_least": -room, "exactly": -abs(room)}[one["sense"]]
        shown = {key: one[key] for key in ("name", "measure", "sense")}
        shown |= {key: float(one[key]) for key in ("used", "bound", "price")}
        limits.append(
            {**shown, "slack": slack, "binding": bool(abs(slack) <= 1e-9 * use.scale), "broken": use.broken}
        )
    return {
        "schema": 1, "name": at(run.scenario, "name"), "currency": at(run.scenario, "policy.currency"),
        "objective": float(certificate["value"]), "certified_bound": float(certificate["bound"]),
        "certified_gap": float(certificate["gap"]), "limits_broken": run.broken,
        "strategy": run.rule if book_file is None else os.path.basename(book_file),
        "terms_broken": {what: int(who.sum()) for what, who in run.terms.items()},
        "offered": total(amount.tolist()), "drawn": total(lines["drawn"].tolist()), **segment(run, all_of),
        "idle_income": run.policy.idle * run.unspent,
        "budget_unspent": run.unspent, "refusal_constant": -run.policy.decline * total(book.worth.tolist()),
        "borrowers": len(book.ids), "funded": int((amount > 0).sum()), "by_grade": grades, "limits": limits,
        "digest": digest(run.scenario, certificate["inputs"]),
    }  # fmt: skip


def summary_faults(run: Of, certificate: dict[str, Any], said: dict[str, Any]) -> Iterator[str]:
    expected, free = expected_summary(run, certificate), {"notes": list, "seconds": dict, "versions": dict}
    words = ("status", "stop", "proof", "bound", "gap", "method", "peak_memory_mb", *free)
    told = {key: entry for key, entry in said.items() if key not in words}
    yield from unlike(told, expected, "summary", max(abs(certificate["bound"]), expected["offered"], 1.0))
    yield from (
        f"summary {key}: is no {kind.__name__}"
        for key, kind in free.items()
        if not isinstance(said.get(key), kind)
    )
    bound, gap, _ = (number(said, key) for key in ("bound", "gap", "peak_memory_mb"))
    value, certified, broken = certificate["value"], certificate["bound"], bool(run.broken or run.terms)
    asked = number(run.scenario, "solver.gap", 1e-9)
    least = value if not broken else -math.inf if said.get("proof") == "solver" else certified
    if not least <= bound <= max(least, certified):
        yield f"summary bound: says {bound!r}, outside {least!r} to {certified!r}"
    for key, whole in (
        ("objective", value),
        ("certified_bound", certified),
        ("certified_gap", certificate["gap"]),
    ):
        if said.get(key) != whole:
            yield f"summary {key}: is not the certificate's {whole!r}"
    for one, other in zip(said["limits"], certificate["limits"], strict=False):
        if any(one[key] != other[key] for key in ("used", "bound", "price")):
            yield f"summary limits {other['name']}: says other figures than the certificate"
    if not is_gap(gap, bound, value):
        yield f"summary gap: says {gap!r}, not what bound and objective give"
    own, method = "tree" if "tree" in certificate else "prices", at(run.scenario, "solver.method", "auto")
    proofs = {"solver"} if bound < certified else {own, "solver"} if bound == value else {own}
    late = run.rule == "optimal" and gap > asked + 1e-9
    possible = {
        "status": {"breaks_limits" if broken else "optimal" if gap <= asked else "feasible"}, "proof": proofs,
        "stop": {"time_limit", "exhausted"} if late else {"time_limit", "exhausted", "gap"},
        "method": {"exact", "reduced"} if method == "auto" else {method},
    }  # fmt: skip
    for key, known in possible.items():
        if said.get(key) not in known:
            yield f"summary {key}: says {said.get(key)!r}, where only {' or '.join(sorted(known))} can be"


def digest(scenario: Any, inputs: Any) -> str:
    """Of the scenario without its paths, of how its source is read, and of the inputs' hashes."""

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [whole(entry) for entry in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    document, source = whole(scenario), at(scenario, "portfolio.source")
    document.pop("stresses", None)
    for place in (*PLACES, "strategy.ahp_lines.file"):
        above, _, last = place.rpartition(".")
        if isinstance(at(document, above), dict):
            at(document, above).pop(last, None)
    told = {**source, **at(source, "invoices", {})} if isinstance(source, dict) else {}
    read_by = {key: told[key] for key in READ_BY if key in told}
    return hashlib.sha256(json.dumps([document, read_by, inputs], sort_keys=True).encode()).hexdigest()


def line_faults(run: Of, prices: dict[str, Any]) -> Iterator[str]:
    """Rows of the allocation that the inputs do not give."""
    said, lines = run.decided, run.lines
    refused = lines["amount"] == 0
    wrong = {"grade": said["grade"] != run.book.grade, "reason": (said["reason"] == "") == refused}
    wrong["reason"] |= refused & contradicted(run, refused, prices)
    for name in ("rate", *FIGURES):
        wrong[name] = ~(np.abs(said[name] - lines[name]) <= 1e-9 * np.maximum(np.abs(lines[name]), 1.0))
    for name, off in wrong.items():
        if np.any(off):
            row = int(np.argmax(off))
            given = lines[name][row] if name in lines else "something else"
            yield f"allocation, row {row + 1}, {name}: says {said[name][row]!r}, the inputs give {given!r}"


def contradicted(run: Of, refused: Array, prices: dict[str, Any]) -> Any:
    """Whose reason for a refusal cannot be it."""
    said, why = run.decided["reason"], run.book.why
    if run.rule == "file":
        return said != f"not in {os.path.basename(at(run.scenario, 'strategy.file'))}"
    wrong = np.where(why != "", said != why, np.isin(said, NO_OFFER))
    open_to, names = np.flatnonzero(refused & (why == "")), [name for rows in run.rows for name in rows.names]
    if run.rule != "optimal":
        known = {NEVER, "passed over: it would not earn its cost"}
        if run.rule == "ahp_lines":
            known |= {"no line for this grade", "no rate of the strategy's band may be offered"}
            taken = {limit.name for limit in run.policy.limits}
            lines = {grade: f"{grade} line" for grade in set(run.book.grade)}
            names += [f"{line} of the strategy" if line in taken else line for line in lines.values()]
        known |= {
            f"no room left in {'the budget' if n == 'budget' else f'limit {n}'} at its turn" for n in names
        }
        known = {"not needed for the wanted income at the least loss"} if run.rule == "min_loss" else known
        wrong[open_to] = ~np.isin(said[open_to], [*known])
        return wrong
    offers, reason, best = offers_to(open_to, run), said[open_to], []
    for priced in ({}, prices):
        own, _ = answers(offers, charges_of(run, priced, {}), run.operations)
        best.append(np.where(offers.held, own, -np.inf).max(axis=1))
    near = 1e-9 * np.maximum(offers.high, 1.0)
    bad = (reason != NEVER) & (reason != STEPPED)
    bad |= ((reason == NEVER) & (best[0] > near)) | ((reason == STEPPED) & (best[1] < -near))
    for rows in run.rows:
        for k, name in enumerate(rows.names):
            own = reason == (
                "crowded out by the budget" if name == "budget" else f"crowded out by limit {name}"
            )
            counted = (rows.row[open_to] == k) | bool(rows.of)
            bad[own] = (~counted | (best[0] < -near) | (best[1] > near))[own] | (prices[name] == 0)
    wrong[open_to] |= bad
    return wrong


def check(folder: str) -> list[str]:
    """Every fault of a run. Raises Missing where a file is not there."""
    faults: list[str] = []
    try:
        faults.extend(faults_of(folder))
    except Wrong as fault:
        faults.append(str(fault))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        faults.append(f"something is not of the kind that runs hold: {error}")
    return faults


def main(arguments: Sequence[str]) -> int:
    try:
        if len(arguments) != 1:
            raise Missing("usage: python checker.py RUN")
        faults = check(arguments[0])
    except Missing as missing:
        print(f"missing: {missing}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    print(
        f"{arguments[0]}: {len(faults)} faults, it does not hold" if faults else f"{arguments[0]}: it holds"
    )
    return 5 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
