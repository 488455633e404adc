"""Checks a stored run by itself, as docs/certificate.md says: python checker.py RUN.

Nothing of the package is used, so this file may be copied anywhere; it needs Python 3.11 and NumPy, and
pyarrow where a file is Parquet. Exit status: 0 the run holds, 5 it does not (every fault is named), 2 a
file is missing. Numbers of sections are those of the page; arrays have one entry per borrower, in the order
of the source, or one row per borrower and one column per offer.
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
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
U, SAME, CENT = 2.0**-53, 1e-12, Fraction(1, 100)
# Measure -> its basis, whether exposure counts, and its weight.
MEASURES: dict[str, tuple[str, bool, Any]] = {
    "offered": ("offered", True, lambda book: 1.0),
    "drawn": ("drawn", True, lambda book: 1.0),
    "expected_loss": ("drawn", True, lambda book: book.pd * book.lgd),
    "interest": ("interest", False, lambda book: 1.0 - book.pd),
    "gross_interest": ("interest", False, lambda book: 1.0),
    "capital": ("drawn", True, lambda book: book.requirements()),
    "tail_loss": ("drawn", True, lambda book: book.tail_losses()),
    "loans": ("loans", False, lambda book: 1.0),
    "clients_changed": ("loans", False, lambda book: np.where(book.served, -1.0, 1.0)),
    "money_moved": ("offered", False, lambda book: np.where(book.rises, 1.0, -1.0)),
    "hhi": ("offered", False, lambda book: 0.0 * book.pd),
    "value": ("interest", False, lambda book: 1.0 - book.pd),
}
# What a measure adds up -> its line of the ledger.
BASES = {"offered": "amount", "drawn": "drawn", "interest": "gross", "loans": "loans", "booked": "take_up"}
# Formula of churn -> the least and the largest of each parameter, and churn at a rate.
ENDS = {"midpoint": (0.0, 1.0), "slope": (math.ulp(0.0), 1e4)}
FORMULAS: dict[str, Any] = {
    "logistic": (ENDS, lambda rate, midpoint, slope: 1 / (1 + (-slope * (rate - midpoint)).exp())),
}
COSTS = ("expected_loss", "funding_cost", "churn_cost", "processing_cost", "relationship_cost")
FIGURES, TEXTS = ("take_up", "interest", *COSTS, "value"), ("borrower_id", "grade", "reason")
ON_CAPITAL, CLASSES = ("capital_cost", "capital_years", "raroc"), ("corporate", "sme", "retail")
# Column -> what everybody has where it is not there, and what an empty cell means; None: a fault.
NUMBERS = {"pd": (None, None), "lgd": (None, None), "term_years": (1.0, None), "min_amount": (0.0, 0.0)}
NUMBERS |= {"max_amount": (math.inf, math.inf), "relationship_value": (0.0, 0.0), "exposure": (0.0, 0.0)}
NUMBERS |= dict.fromkeys(("min_rate", "max_rate", "rate", "fixed_amount", "fixed_rate"), (math.nan,) * 2)
KEYS = {
    "": "schema name portfolio response former policy stress stresses strategy solver",
    "portfolio": "source columns defaults pd_by_grade scorecard", "response": "churn smoothing",
    "policy": "currency budget own_funds ticket term_years funding_rate churn_cost_rate decline_churn"
    " idle_rate processing_cost rates rate_grid pricing capital changes tail limits",
    "policy.tail": "confidence correlation sectors",
    "policy.capital": "approach asset_class asset_class_by turnover turnover_unit maturity pd_floor lgd_floor"
    " supporting_factor cost",
    "policy.budget": "amount spend basis", "policy.ticket": "min max step menu",
    "solver": "method gap time_limit memory threads seed",
    "stress": "pd lgd amount churn rates funding limits file column mean_of worst_of",
}  # fmt: skip
LIMIT = "name measure of weight where each by top at_most at_least exactly enforce under if_lent_to"
STATED = "schema prices bound value gap largest_violation limits inputs tree lists plugins cuts weights"
LIMIT_TOLD = {"name", "measure", "sense", "used", "bound", "price", "violation"}
FILES = {"churn": "response.churn", "scorecard": "portfolio.scorecard", "stress": "stress.file"}
FILES |= {"book": "strategy.file", "weights": "strategy.ahp_lines.file", "former": "former.file"}
READ_BY = ("sep", "decimal", "thousands", "skip", "encoding", "sheet", "table", "header", "duplicates")
NO_OFFER = (
    *("excluded", "no rates for this grade", "contract rate outside the band of the grade"),
    *("posted rate outside the rates of the grade", "no rate within what it may move from the former one"),
    *("no rate at or above the borrower's minimum", "no rate at or below the borrower's maximum"),
    *("request below the smallest loan", "smallest loan wanted above the largest ticket"),
    "no multiple of the step fits",
)
NEVER, STEPPED = "never profitable, whatever the limits", "decided by the integer step: lost within the gap"


class Missing(Exception):  # noqa: N818
    """A file that is not there, or an environment variable that is not set."""


class Wrong(Exception):  # noqa: N818
    """A fault after which nothing more can be said of its subject."""


class Facts(SimpleNamespace):
    """Facts by name."""

    def but(self, **changes: Any) -> Facts:
        """The same with other entries."""
        return Facts(**{**vars(self), **changes})


def need(holds: Any, fault: str) -> None:
    """Raise Wrong unless it holds."""
    if not holds:
        raise Wrong(fault)


# --- 1. Files, read strictly ----------------------------------------------------------------------
def content(path: str) -> bytes:
    """The bytes of a file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Missing(f"{path}: {error.strerror}") from error


def strict_json(path: str) -> dict[str, Any]:
    """The object of a file: no key twice, no number that is not finite."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), f"{path}: a key stands twice among {[k for k, _ in pairs]}")
        return dict(pairs)

    def decimal(digits: str) -> float:
        number = float(digits) if len(digits) < 5000 else math.inf
        need(math.isfinite(number), f"{path}: {digits[:30]} is beyond a double")
        return number

    def whole(digits: str) -> int | float:
        return int(digits) if math.isfinite(decimal(digits)) and digits != "-0" else -0.0

    kinds: Any = {"parse_float": decimal, "parse_int": whole, "object_pairs_hook": once}
    try:
        document = json.loads(content(path).decode(), parse_constant=decimal, **kinds)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{path}: no JSON in UTF-8: {error}") from None
    need(isinstance(document, dict), f"{path}: no JSON object")
    return dict(document)


def table_of(path: str, separator: str = ",", *, lax: bool = False) -> dict[str, Any]:
    """Name -> cells, texts or what Parquet holds; `lax` for inputs: section 1 says how much kinder it is."""
    raw = content(path)
    if raw[:4] == b"PAR1":
        return parquet_of(path, raw)
    raw = gzip.decompress(raw) if lax and raw[:2] == b"\x1f\x8b" else raw
    try:
        text = raw.decode("utf-8-sig" if lax else "utf-8")
        named = re.match(r'"?sep=([^"\r\n])"?(\r\n|\r|\n|$)', text, re.IGNORECASE) if lax else None
        need(named is None or named[1] == separator, f"{path}: names another separator than {separator!r}")
        lines = io.StringIO(text[named.end() if named else 0 :], newline="")
        rows = [*csv.reader(lines, delimiter=separator, strict=not lax)]
    except (ValueError, csv.Error) as error:
        raise Wrong(f"{path}: no table in UTF-8: {error}") from None
    while rows and not rows[-1]:
        rows.pop()
    header, *rows = [row for row in rows if row or not lax] or [[]]
    need(header and len(set(header)) == len(header), f"{path}: no header, or a name stands twice in it")
    for place, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise Wrong(f"{path}, row {place}: {len(row)} cells under a header of {len(header)}")
    return {name: [row[k] for row in rows] for k, name in enumerate(header)}


def parquet_of(path: str, raw: bytes) -> dict[str, Any]:
    """The same of Parquet: doubles as an array where none is missing."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        held = parquet.read_table(pa.BufferReader(raw))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Wrong(f"{path}: no Parquet: {error}") from None
    need(len(set(names := held.column_names)) == len(names), f"{path}: a column stands twice")
    fast = {name for name in names if pa.types.is_float64(held[name].type) and not held[name].null_count}
    return {name: held[name].to_numpy() if name in fast else held[name].to_pylist() for name in names}


def as_text(cell: Any) -> str:
    """A cell as text, "" where it is empty."""
    if cell is None or isinstance(cell, str) or cell != cell:
        return cell if isinstance(cell, str) else ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= 2**53:
        return str(int(cell))
    return str(cell).lower() if isinstance(cell, bool) else str(getattr(cell, "isoformat", lambda: cell)())


def as_numbers(cells: Any, place: str, mark: str = ".", *, strict: bool = False) -> Array:
    """Cells as doubles, NaN where empty; `strict`: as runs write them, none empty."""
    form = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?" if strict else r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
    plain, filled = re.compile(form + r"([eE][+-]?[0-9]+)?"), isinstance(cells, np.ndarray)

    def double(cell: Any) -> float:
        if isinstance(cell, str):
            digits = cell if strict else cell.strip()
            digits = digits.replace(".", "?").replace(",", ".") if mark == "," else digits
            if plain.fullmatch(digits):
                return float(digits)
        elif cell is not None and not isinstance(cell, bool):
            return float(cell)
        need(not strict and cell in ("", None), f"{place}: {cell!r} is no number")
        return math.nan

    numbers = np.array(cells if filled else [double(cell) for cell in cells], dtype=float)
    bad = ~np.isfinite(numbers) if strict or filled else np.isinf(numbers)
    need(not np.any(bad), f"{place}: a number that is not finite")
    return numbers


def at(document: Any, place: str, otherwise: Any = None) -> Any:
    """What stands at a place as policy.ticket.min."""
    for key in place.split(".") if place else ():
        document = document.get(key) if isinstance(document, dict) else None
    return otherwise if document is None else document


def number(document: Any, place: str, otherwise: float | None = None) -> float:
    """The number at a place."""
    entry = at(document, place, otherwise)
    need(isinstance(entry, int | float) and not isinstance(entry, bool), f"{place}: {entry!r} is no number")
    return float(entry)


def word(document: Any, place: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """The text at a place, one of those `known`."""
    entry, known = at(document, place, otherwise), [*known]
    need(isinstance(entry, str) and entry in known, f"{place}: {entry!r} is none of {', '.join(known)}")
    return str(entry)


def entries(document: Any, place: str, known: str | None = None) -> dict[str, Any]:
    """The object at a place, of no other than the `known` keys; empty where nothing stands."""
    entry = at(document, place, {})
    fits = isinstance(entry, dict) and (known is None or not entry.keys() - set(known.split()))
    need(fits, f"{place or 'root'}: no object, or one with other keys than {known}")
    return dict(entry)


def numbers_of(document: Any, place: str) -> dict[str, float]:
    """The object at a place, whose entries are numbers."""
    return {name: number({"entry": own}, "entry") for name, own in entries(document, place).items()}


def path_of(run: str, raw: Any) -> str:
    """A path of the scenario: ${VARIABLES} filled in, from the run's folder unless one leads it."""

    def filled(variable: re.Match[str]) -> str:
        if not os.environ.get(variable[1]):
            raise Missing(f"environment variable {variable[1]} is not set")
        return os.environ[variable[1]]

    need(isinstance(raw, str), f"scenario.json: {raw!r} is no path")
    path = re.sub(r"\$\{([^}]*)\}", filled, raw)
    return path if re.match(r"\$\{[^}]*\}(/|$)", raw) else os.path.join(run, path)


def hash_of(path: str) -> str:
    """The SHA-256 of a file; of a folder of Parquet files, that of the list of their names and hashes."""
    if not os.path.isdir(path):
        return "sha256:" + hashlib.sha256(content(path)).hexdigest()
    names, ends = [], (".parquet", ".parq", ".pq")
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name[0] not in "._"]
        own = [name for name in files if name[0] not in "._" and name.lower().endswith(ends)]
        names += [os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/") for name in own]
    listed = "".join(f"{name} {hash_of(os.path.join(path, name))}\n" for name in sorted(names))
    return "sha256:" + hashlib.sha256(listed.encode()).hexdigest()


# --- 2. The stress and the policy -----------------------------------------------------------------
def stress_of(run: str, scenario: Any) -> list[Any]:
    """The stress as written, and as its file of factors says: {figure: {all, where: [{factor, ...}]}}."""
    written = entries(scenario, "stress")
    if "file" not in written:
        return [written]
    path, column = path_of(run, written["file"]), at(written, "column", "industry")
    cells = table_of(path, lax=True)
    known = {"pd", "lgd", "amount", "churn"} & cells.keys()
    factors = {name: as_numbers(cells[name], path) for name in sorted(known)}
    if not factors and "growth" in cells:
        growth = as_numbers(cells["growth"], path)
        factors = {n: np.exp(k * growth) for n, k in (("pd", -2.0), ("lgd", -0.5), ("amount", 0.75))}
    labels: Any = cells.get(column, cells.get("industry"))
    need(labels is not None and factors, f"{path}: no column {column}, or no factors")
    listed: dict[str, Any] = {"churn": {"all": float(factors["churn"][0])}} if "churn" in factors else {}
    for name in factors.keys() - {"churn"}:
        pairs = zip(labels, factors[name].tolist(), strict=True)
        listed[name] = {"where": [{column: label, "factor": factor} for label, factor in pairs]}
    return [written, listed]


def everyone(stress: list[Any], figure: str) -> float:
    """The factor on a figure that is everybody's."""
    return math.prod(number(part, f"{figure}.all", 1.0) for part in stress)


def cases(stress: list[Any], figure: str) -> list[tuple[dict[str, Any], float]]:
    """The other factors on a figure: whose they are, and they."""
    listed = [case for part in stress for case in at(part, f"{figure}.where", [])]
    return [({k: v for k, v in case.items() if k != "factor"}, number(case, "factor")) for case in listed]


def share_of(entry: Any) -> dict[str, Any]:
    """What a limit is a share of: `of` as a basis or an amount of the policy, `base` the filter of whom."""
    if isinstance(at(entry, "of"), dict):
        entries(entry, "of", "measure where")
        basis = word(entry, "of.measure", ["offered", "drawn", "loans"], "offered")
        return {"of": basis, "base": entries(entry, "of.where")}
    named = word(entry, "of", ["budget", "own_funds", "former", "total", "drawn", "loans", ""], "")
    return {"of": {"total": "offered"}.get(named, named), "base": None}


def penalty_of(entry: Any, sense: str) -> float:
    """What a unit of a limit's excess costs: inf where it must hold, 0 where it is only reported."""
    if not isinstance(at(entry, "enforce"), dict):
        return {"hard": math.inf, "report": 0.0}[word(entry, "enforce", ["hard", "report"], "hard")]
    entries(entry, "enforce", "soft")
    price = number(entry, "enforce.soft")
    need(0 <= price <= 1e9 and (price == 0 or sense != "exactly"), f"policy.limits: {entry!r} is not soft so")
    return price


def shocks_of(scenario: Any, name: str) -> dict[str, Any]:
    """A named stress of PD and LGD alone."""
    need(name in at(scenario, "stresses", {}), f"no stress is named {name}")
    return entries({"stress": scenario["stresses"][name]}, "stress", "pd lgd column")


def named(stress: list[Any], name: str) -> float:
    """The factor on the bound of one limit, or on the budget."""
    return math.prod(factor for case, factor in cases(stress, "limits") if case.get("name") == name)


def limit_of(entry: Any, stress: list[Any], tail: Facts) -> Facts:
    """A limit after the stress."""
    senses = [sense for sense in ("at_most", "at_least", "exactly") if at(entry, sense) is not None]
    entries({"limit": entry}, "limit", LIMIT)
    free = at(entry, "enforce", "hard") != "hard" or at(entry, "under")
    free = at(entry, "if_lent_to") is not None and free
    need(not free, f"policy.limits: {entry!r} hangs on a condition and need not hold")
    need(len(senses) == 1, f"policy.limits: {entry!r} has not one bound")
    sense, name = senses[0], str(entry.get("name"))
    ours = tail.sectors and entry.get("measure") == "tail_loss"
    usual = "borrower_id" if at(entry, "top") is not None else None
    factor = (everyone(stress, "limits") if sense == "at_most" else 1.0, named(stress, name))
    return Facts(
        name=name, sense=sense, bound=number(entry, sense) * factor[0] * factor[1],
        where=at(entry, "where", {}), each=at(entry, "each"), weight=at(entry, "weight"),
        measure=word(entry, "measure", MEASURES), penalty=penalty_of(entry, sense), parent=None, entry=name,
        by=tail.sectors.column if ours else at(entry, "by", usual), stress=None, top=at(entry, "top"),
        given=entries(entry, "if_lent_to"), **share_of(entry),
    )  # fmt: skip


def limits_of(scenario: Any, stress: list[Any], tail: Facts) -> Iterator[Facts]:
    """Every limit after the stress, behind it as it is under further ones."""
    apart = at(scenario, "stress.worst_of") is not None
    for entry in at(scenario, "policy.limits", []):
        limit = limit_of(entry, stress, tail)
        need(not (apart and limit.top), f"{limit.name}: of the largest, in the worst of several stresses")
        yield limit.but(stress=[]) if apart and not limit.by else limit
        for name in at(entry, "under", []):
            need(not limit.by, f"{limit.name}: under {name}")
            yield limit.but(name=f"{limit.name} [{name}]", stress=[shocks_of(scenario, name)])


def stressed_policy(scenario: Any, stress: list[Any]) -> Facts:
    """The policy after the stress."""
    policy, grid = at(scenario, "policy"), at(scenario, "policy.rate_grid", "table")
    cost = at(policy, "capital.cost")
    need(cost is None or 0 <= number(policy, "capital.cost") <= 1, "policy.capital.cost: out of range")
    tail, step = tail_rule(policy), at(policy, "ticket.step")
    step = number(policy, "ticket.step") if not isinstance(step, dict | None) else step
    need(number(policy, "ticket.min", 0.0) >= 0, "policy.ticket.min lies below 0")
    funding = number(policy, "funding_rate", 0.0) * everyone(stress, "funding")
    amounts = {"budget": number(policy, "budget.amount") * named(stress, "budget"), "former": 1.0}
    if at(policy, "own_funds") is not None:
        amounts["own_funds"] = number(policy, "own_funds")
    return Facts(
        budget=amounts["budget"], amounts=amounts, step=step,
        spend=word(policy, "budget.spend", ["at_most", "exactly"], "at_most"),
        basis=word(policy, "budget.basis", ["offered", "drawn"], "offered"),
        smallest=number(policy, "ticket.min"), largest=number(policy, "ticket.max"),
        ticket=at(policy, "ticket"), funding=funding + number(stress[0], "funding.add", 0.0),
        kappa=number(policy, "churn_cost_rate", 0.0), decline=number(policy, "decline_churn", 0.0),
        idle=number(policy, "idle_rate", 0.0), processing=number(policy, "processing_cost", 0.0),
        rates={grade: (float(low), float(high)) for grade, (low, high) in entries(policy, "rates").items()},
        rate_step=None if grid in ("table", "contract") else number(policy, "rate_grid.step"),
        rate_moved=at(policy, "changes.rate_moved.at_most"), way=at(policy, "changes.amounts"),
        by_contract=grid == "contract", capital=capital_rule(policy), tail=tail, factors=None,
        capital_cost=cost, limits=[*limits_of(scenario, stress, tail)],
    )  # fmt: skip


# --- 3. Borrowers ---------------------------------------------------------------------------------
class Borrowers:
    """Columns by canonical name; `numbers` as the stress leaves them."""

    def __init__(self, cells: dict[str, Any], mark: str, defaults: dict[str, Any]) -> None:
        self.cells, self.mark, self.defaults = cells, mark, defaults
        self.numbers: dict[Any, Array] = {}
        self.apart: dict[Any, Array] = {}  # PD and LGD where `numbers` have their mean over stresses
        self.n = len(cells["borrower_id"])
        self.asked = np.full(self.n, math.inf)  # max_amount, before the policy's changes

    def text(self, column: str) -> Array:
        """Texts, "" where missing."""
        cells = self.cells.get(column, [self.defaults.get(column)] * self.n)
        return np.array([as_text(cell) for cell in cells], dtype=object)

    def number(self, column: Any) -> Array:
        """Numbers, NaN where missing."""
        if column not in self.numbers:
            cells, usual = self.cells.get(f"number {column}", self.cells.get(column)), self.defaults
            held = np.full(self.n, quantity(usual.get(column))) if cells is None else cells
            self.numbers[column] = held if cells is None else as_numbers(cells, column, self.mark)
        return self.numbers[column]

    def passes(self, where: dict[str, Any]) -> Array:
        """Who passes every test; a missing value passes none."""
        inside = np.ones(self.n, dtype=bool)
        ends: Any = {"above": np.greater, "at_least": np.greater_equal}
        ends |= {"below": np.less, "at_most": np.less_equal}
        for column, test in where.items():
            if not isinstance(test, dict):
                inside &= np.isin(self.text(column), [test] if isinstance(test, str) else test)
                continue
            for end in test:
                need(end in ends, f"{column}: {end} is no test")
                inside &= ends[end](self.number(column), number(test, end))
        return inside


def quantity(written: Any) -> float:
    """A default of a further column of numbers: a number, or a text as 2.5, 1_000 or 5%."""
    digits = str(written).replace("_", "").strip()
    try:
        return float(Fraction(digits[:-1].strip()) / 100) if digits.endswith("%") else float(digits)
    except ValueError:
        return math.nan


def source_of(scenario: Any) -> dict[str, Any]:
    """The borrowers' source as an object; a path alone is one of its kind."""
    source = at(scenario, "portfolio.source")
    if isinstance(source, str):
        source = {"parquet" if source.lower().endswith(".parquet") else "csv": source}
    need(isinstance(source, dict) and source, "scenario.json, portfolio.source: neither a path nor a source")
    return dict(source)


def former_of(run: str, scenario: Any) -> str:
    """The table of the former run's offers, "" where there is none."""
    named = at(scenario, "former.file", at(scenario, "former"))
    if named is None:
        return ""
    path = path_of(run, named)
    csv_file, other = (os.path.join(path, f"allocation.{kind}") for kind in ("csv", "parquet"))
    return path if not os.path.isdir(path) else csv_file if os.path.exists(csv_file) else other


def is_plain(run: str, scenario: Any) -> bool:
    """Whether the source is one CSV file, or one Parquet file, that is read as it stands."""
    source, former = source_of(scenario), former_of(run, scenario)
    if former and (at(scenario, "former.columns") or not former.lower().endswith((".csv", ".parquet"))):
        return False
    if at(scenario, "portfolio.scorecard") is not None:
        return False
    if source.keys() == {"parquet"}:
        return not os.path.isdir(path_of(run, source["parquet"]))
    usual = source.get("skip", 0) == 0 and source.get("encoding", "utf-8") == "utf-8"
    usual = usual and source.keys() <= {"csv", "sep", "decimal", "skip", "encoding"}
    return usual and str(source.get("csv")).lower().endswith(".csv")


def copy_of(run: str) -> str:
    """Where a run keeps borrowers whose source does not stand as it is."""
    path = os.path.join(run, "borrowers.csv")
    return path if os.path.exists(path) else os.path.join(run, "borrowers.parquet")


def borrowers_of(run: str, scenario: Any) -> Borrowers:
    """As they are before the stress."""
    source, defaults = source_of(scenario), entries(scenario, "portfolio.defaults")
    renamed, mark = entries(scenario, "portfolio.columns"), source.get("decimal", ".")
    if is_plain(run, scenario):
        path = path_of(run, source.get("csv", source.get("parquet")))
        held = table_of(path, source.get("sep", ","), lax=True)
    else:
        path, renamed, defaults, mark = copy_of(run), {}, {}, "."
        held = table_of(path)
    cells = {name: own for name, own in held.items() if name not in renamed.values()}
    cells |= {ours: held[theirs] for ours, theirs in renamed.items() if theirs in held}
    known = "borrower_id" in cells and "grade" in {*cells, *defaults}
    need(known, f"{path}: no column borrower_id, or no grade")
    people, by_grade = Borrowers(cells, mark, defaults), entries(scenario, "portfolio.pd_by_grade")
    grade, ids = people.text("grade"), people.text("borrower_id").tolist()
    fits = ids and len(set(ids)) == len(ids) and "" not in ids and not np.any(grade == "")
    need(fits, f"{path}: nobody, or an identifier or a grade that is empty or stands twice")
    for name, (absent, empty) in NUMBERS.items():
        usual = at(scenario, "policy.term_years", 1.0) if name == "term_years" else absent
        own = np.full(people.n, float(defaults.get(name, math.nan if usual is None else usual)))
        if name in cells:
            own = as_numbers(cells[name], f"{path}, {name}", mark)
            own = own if empty is None else np.where(np.isnan(own), empty, own)
        elif name == "pd" and by_grade:
            own = np.array([float(by_grade.get(own_grade, math.nan)) for own_grade in grade])
        need(empty is not None or not np.any(np.isnan(own)), f"{path}: {name} is not given for everybody")
        people.numbers[name] = own
    if is_plain(run, scenario) and (former := former_of(run, scenario)):
        with_former(people, former)
    return people


def with_former(people: Borrowers, path: str) -> None:
    """What the former run's file says of each: former, former_amount and former_rate."""
    held = table_of(path, lax=True)
    need({"borrower_id", "amount", "rate"} <= held.keys(), f"{path}: no column borrower_id, amount or rate")
    ids = [as_text(cell) for cell in held["borrower_id"]]
    need(len(set(ids)) == len(ids), f"{path}: an identifier stands twice")
    amount, rate = (as_numbers(held[name], f"{path}, {name}") for name in ("amount", "rate"))
    then = dict(zip(ids, zip(np.nan_to_num(amount).tolist(), rate.tolist(), strict=True), strict=True))
    own = [then.get(name, (-1.0, math.nan)) for name in people.text("borrower_id")]
    offered = np.array([x for x, _ in own])
    standing = np.where(offered > 0, "served", np.where(offered == 0, "declined", "new"))
    people.cells["former"] = standing.tolist()
    people.numbers["former_amount"] = np.maximum(offered, 0.0)
    people.numbers["former_rate"] = np.array([r if x > 0 else math.nan for x, r in own])


def put_under(stress: list[Any], borrowers: Borrowers) -> None:
    """PD and LGD, at most 1, and requests times their factors; filters read what was before."""
    moved = {}
    for figure, column in (("pd", "pd"), ("lgd", "lgd"), ("amount", "max_amount")):
        factor = np.full(borrowers.n, everyone(stress, figure))
        for where, case in cases(stress, figure):
            factor[borrowers.passes(where)] *= case
        own = np.where(factor == 0, 0.0, borrowers.numbers[column] * factor)
        moved[column] = np.minimum(own, 1.0) if figure in ("pd", "lgd") else own
    borrowers.numbers |= moved


def in_stress(stress: list[Any], borrowers: Borrowers) -> Borrowers:
    """The borrowers as a further stress alone leaves them."""
    seen = Borrowers(borrowers.cells, borrowers.mark, borrowers.defaults)
    seen.numbers = borrowers.numbers | borrowers.apart
    put_under(stress, seen)
    return seen


def weights_of(scenario: Any, certificate: Any) -> dict[str, float]:
    """Name -> weight of the stresses that the borrowers are the mean of: as the scenario has them, or, where
    the least of several values counts, as the certificate states them; empty without a mean."""
    worst, stated = at(scenario, "stress.worst_of"), numbers_of(certificate, "weights")
    if worst is None:
        need("weights" not in certificate, "certificate weights: of no worst of several stresses")
        named = entries(scenario, "stress.mean_of")
        weights = {name: number({"w": w}, "w") for name, w in named.items()}
        whole = not weights or (abs(sum(weights.values()) - 1) <= 1e-9 and min(weights.values()) >= 0)
        need(whole, "stress.mean_of: weights that are not 1 together, or below 0")
        return weights
    need(isinstance(worst, list) and worst, "stress.worst_of: names no stress")
    alone = [at(scenario, place) is None for place in ("stress.mean_of", "policy.capital.cost")]
    alone += [at(scenario, "policy.tail.sectors") is None, "lists" not in certificate]
    need(all(alone), "stress.worst_of: beside a mean, a cost of capital, sectors, or a price list")
    need([*stated] == worst, f"certificate weights: of {[*stated]}, expected {worst}")
    whole = sum(map(Fraction, stated.values())) == 1 and min(stated.values()) >= 0
    need(whole, "certificate weights: not 1 together to the last bit, or below 0")
    return stated


def put_mean(scenario: Any, weights: dict[str, float], borrowers: Borrowers) -> dict[str, Any]:
    """The mean PD over named stresses, and the LGD of the mean loss; what they were is kept apart. Returns
    name -> the columns in that stress alone."""
    shocks = {name: [shocks_of(scenario, name)] for name in weights if name != "base"}
    each = {name: in_stress(shocks.get(name, []), borrowers).numbers for name in weights}
    own = [(w, each[name]) for name, w in weights.items()]
    terms = [[w * of["pd"], w * of["pd"] * of["lgd"], w * of["lgd"]] for w, of in own]
    pd, loss, lgd = np.sum(terms, axis=0)
    pd = np.minimum(pd, 1.0)
    borrowers.apart = {name: borrowers.numbers[name] for name in ("pd", "lgd")}
    lgd = np.minimum(np.divide(loss, pd, out=lgd, where=pd > 0), 1.0)
    borrowers.numbers |= {"pd": pd, "lgd": lgd}
    return each


def hold_to(changes: dict[str, Any], borrowers: Borrowers) -> None:
    """What the policy's changes leave of the terms of those who were served."""
    borrowers.asked = borrowers.numbers["max_amount"]
    if not changes:
        return
    own, served = borrowers.numbers, formerly_served(borrowers)
    then, rate = borrowers.number("former_amount"), borrowers.number("former_rate")
    amounts = word(changes, "amounts", ["no_cut", "no_rise", "same", ""], "")
    keep, moved = changes.get("keep"), {}
    if "rate_moved" in changes:
        entries(changes, "rate_moved", "at_most")
        near = number(changes, "rate_moved.at_most")
        moved["min_rate"] = np.fmax(own["min_rate"], rate - near)
        moved["max_rate"] = np.fmin(own["max_rate"], rate + near)
    if amounts in ("no_cut", "same"):
        moved["min_amount"] = np.where(served, np.maximum(own["min_amount"], then), own["min_amount"])
    if amounts in ("no_rise", "same"):
        moved["max_amount"] = np.where(served, np.minimum(own["max_amount"], then), own["max_amount"])
    if keep is not None:
        where = {} if keep == "all" else entries(changes, "keep.where")
        kept = served & np.isnan(own["fixed_amount"]) & borrowers.passes(where)
        moved["fixed_amount"] = np.where(kept, then, own["fixed_amount"])
        moved["fixed_rate"] = np.where(kept, rate, own["fixed_rate"])
    borrowers.numbers |= moved


# --- 4. Curves and menus --------------------------------------------------------------------------
def exact(value: float) -> Fraction:
    """The shortest decimal that reads back as the double."""
    return Fraction(repr(float(value)))


def curves_of(run: str, scenario: Any, stress: list[Any], grades: set[str]) -> dict[str, Facts]:
    """Grade -> the table's rates and churn there in fractions, stressed and then smoothed.

    Nobody walks of those `grades` that have neither band nor curve: only a file of offers lends to them.
    """
    bands, nobody = entries(scenario, "policy.rates"), Facts(rates=[0.0, 1.0], churn=[Fraction(0)] * 2)
    stated = at(scenario, "response.churn")
    if stated == "none":
        return dict.fromkeys([*bands, *grades], nobody)
    if isinstance(stated, dict):
        path, columns = "response.churn", curve_table(stated)
    else:
        path = path_of(run, stated)
        columns = {name: as_numbers(own, f"{path}, {name}") for name, own in table_of(path, lax=True).items()}
    rates = columns.pop("rate", np.zeros(0))
    fits = len(rates) and not any(np.any(np.isnan(own)) for own in columns.values())
    need(fits and np.all(np.diff(rates) > 0), f"{path}: no rates that ascend, or a cell that is empty")
    smoothed = word(scenario, "response.smoothing", ["none", "isotonic"], "none") == "isotonic"
    curves = {}
    for grade, own in columns.items():
        factor = {figure: everyone(stress, figure) for figure in ("rates", "churn")}
        for figure in factor:
            for case, times in cases(stress, figure):
                listed = case.get("grade", [])
                factor[figure] *= times if grade in ([listed] if isinstance(listed, str) else listed) else 1
        moved = own if factor["rates"] == 1 else np.interp(rates / factor["rates"], rates, own)
        churn = [Fraction(value) for value in np.minimum(moved * factor["churn"], 1.0).tolist()]
        curves[grade] = Facts(rates=rates.tolist(), churn=rising(churn) if smoothed else churn)
    followed = at(scenario, "strategy.file") is not None
    return curves | dict.fromkeys(grades - bands.keys() - curves.keys() if followed else (), nobody)


def curve_table(stated: dict[str, Any]) -> dict[str, Array]:
    """Churn of curves by parameters at each basis point, the double nearest to the formula's value."""
    columns = {"rate": np.array([k / 10_000 for k in range(10_001)])}
    [formula] = entries({"churn": stated}, "churn", " ".join(FORMULAS))
    ends, value = FORMULAS[formula]
    for grade, curve in entries(stated, formula).items():
        given = numbers_of({grade: curve}, grade)
        fits = given.keys() == ends.keys() and all(a <= given[name] <= b for name, (a, b) in ends.items())
        need(fits, f"response.churn, {grade}: no such curve")
        with localcontext(prec=50):
            own = {name: Decimal(repr(parameter)) for name, parameter in given.items()}
            columns[grade] = np.array([float(value(Decimal(k) / 10_000, **own)) for k in range(10_001)])
    return columns


def rising(values: list[Fraction]) -> list[Fraction]:
    """The nearest sequence that does not fall: neighbours that do are pooled at their mean."""
    pools: list[list[Fraction]] = []
    for value in values:
        pools.append([value])
        while len(pools) > 1 and sum(pools[-2]) * len(pools[-1]) > sum(pools[-1]) * len(pools[-2]):
            pools[-2:] = [pools[-2] + pools[-1]]
    return [sum(pool, Fraction(0)) / len(pool) for pool in pools for _ in pool]


def walk_at(curve: Facts, rate: float) -> Any:
    """Churn at any rate: linear between the table's rates, level beyond its ends."""
    if not curve.rates[0] < rate < curve.rates[-1]:
        return curve.churn[0 if rate <= curve.rates[0] else -1]
    k = int(np.searchsorted(curve.rates, rate, "right"))
    (left, right), (a, b) = map(Fraction, curve.rates[k - 1 : k + 1]), curve.churn[k - 1 : k + 1]
    return a + (b - a) * (Fraction(rate) - left) / (right - left)


def menu_of(rates: Sequence[float], curve: Facts) -> Facts:
    """Rates with take-up and churn, each the double nearest to it."""
    walks = [walk_at(curve, rate) for rate in rates]
    columns = {"rate": rates, "accept": [float(1 - w) for w in walks], "walk": [float(w) for w in walks]}
    return Facts(**{name: np.array(own, dtype=float) for name, own in columns.items()})


def menus_of(policy: Facts, curves: dict[str, Facts]) -> dict[str, Facts]:
    """Grade -> the menu of its band."""
    menus = {}
    for grade, (low, high) in policy.rates.items():
        need(grade in curves, f"policy.rates.{grade}: the churn table has no such column")
        known = [] if policy.by_contract else curves[grade].rates
        rates = [rate for rate in known if low - SAME <= rate <= high + SAME]
        if policy.rate_step is not None:
            need(high - low <= 1e6 * policy.rate_step, f"policy.rates.{grade}: no band of steps")
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
    counts = np.rint(values * 100.0 if lot == CENT else values / float(lot))
    for i in np.flatnonzero(np.isfinite(values) & (np.abs(counts) > 2.0**50)).tolist():
        counts[i] = float(round(Fraction(float(values[i])) / lot))
    return counts


def snapped(values: Array, lot: Any, *, up: bool = False) -> Array:
    """The nearest amounts in whole lots, or of the pieces, that are no more than values, or no less."""
    if isinstance(lot, Fraction):
        count = lots(values, lot)
        near = money(count, lot)
        return money(count + (near < values) if up else count - (near > values), lot)
    count = lots(snapped(values, CENT, up=up), CENT)
    nearest = np.full(len(values), math.inf if up else -math.inf)
    for least, most, step in lot[::-1] if up else lot:
        near = (-(-np.maximum(count, least) // step) if up else np.minimum(count, most) // step) * step
        nearest = np.where((least <= near) & (near <= most), near, nearest)
    return money(nearest, CENT)


def lot_of(borrowers: Borrowers, policy: Facts) -> Any:
    """What amounts go by: a step, or pieces of cents, from the smallest to the largest: from, to and step."""
    step, menu = policy.step, entries(policy.ticket, "menu", "of amounts")
    if not menu and not isinstance(step, dict):
        return CENT if step is None else exact(step)

    def cents(values: Any) -> Array:
        return np.nan_to_num(lots(snapped(np.broadcast_to(values, borrowers.n), CENT), CENT), posinf=0.0)

    most = cents(policy.largest)
    sizes = [] if menu else at(entries(step, "", "column by_size"), "by_size", [])
    ends = [cents(number(size, "below")) - 1 for size in sizes[:-1]] + [most]
    begins, by = [most * 0, *(end + 1 for end in ends[:-1])], [cents(number(size, "step")) for size in sizes]
    if menu:
        parts = numbers_of({"amounts": dict(enumerate(menu["amounts"]))}, "amounts").values()
        asked = cents(borrowers.asked).astype(np.int64).astype(object)
        shares = [(asked * exact(p).numerator // exact(p).denominator).astype(float) for p in parts]
        begins = ends = by = shares if at(menu, "of") else [cents(part) for part in parts]
    by = by or [cents(borrowers.number(str(at(step, "column"))))]
    ends = [np.where(c > 0, np.minimum(b, most), 0.0) for b, c in zip(ends, by, strict=True)]
    return [(np.maximum(a, 1), b, np.maximum(c, 1)) for a, b, c in zip(begins, ends, by, strict=True)]


def grain_of(lot: Any) -> Fraction:
    """What every amount of everybody is a multiple of."""
    if isinstance(lot, Fraction):
        return lot
    steps = (np.unique(step[least <= most]).tolist() for least, most, step in lot)
    return Fraction(math.gcd(*(int(step) for own in steps for step in own)) or 1, 100)


def book_of(borrowers: Borrowers, policy: Facts, menus: dict[str, Facts], segments: Any) -> Facts:
    """Whom what may be offered, and why not."""
    own, grade, lot = borrowers.numbers, borrowers.text("grade"), lot_of(borrowers, policy)
    pinned, floor = ~np.isnan(own["fixed_amount"]), np.nan_to_num(own["min_rate"], nan=-math.inf)
    roof, rates = np.nan_to_num(own["max_rate"], nan=math.inf), rates_left(borrowers, policy, menus, segments)
    inside = (own["rate"] >= rates.band[:, 0] - SAME) & (own["rate"] <= rates.band[:, 1] + SAME)
    bound, least = ~pinned & ~np.isnan(own["rate"]), float(lot) if isinstance(lot, Fraction) else 0.01
    wanted = np.maximum(own["min_amount"], policy.smallest or least)
    low = snapped(wanted, lot, up=True)
    high = snapped(np.minimum(own["max_amount"], policy.largest), lot)
    none, served = low > high, formerly_served(borrowers)
    former = borrowers.number("former_amount") if served.any() else np.zeros(borrowers.n)
    then = np.nan_to_num(np.where(served, former, 0.0))
    rises = np.where(pinned, own["fixed_amount"] >= then, policy.way == "no_cut") | ~served
    out, unbanded = kept_out(borrowers), np.isnan(rates.highest)
    above, near = ~bound & (rates.highest + SAME < floor), policy.rate_moved is not None and served
    unfit = ~bound & ~rates.some
    tests = [bound & ~inside, ~bound & rates.unposted, near & (above | unfit), above, unfit]
    tests += [own["max_amount"] < wanted, own["min_amount"] > policy.largest, none]
    tests = [out, unbanded, *(test & ~pinned for test in tests)]
    return Facts(
        ids=borrowers.text("borrower_id").tolist(), grade=grade, pd=own["pd"], lgd=own["lgd"],
        term=own["term_years"], worth=own["relationship_value"], exposure=own["exposure"], floor=floor,
        roof=roof, served=served, then=then, rises=rises, lot=lot, pinned=pinned, single=pinned | bound,
        low=np.where(pinned, own["fixed_amount"], np.where(none, 1.0, low)),
        high=np.where(pinned, own["fixed_amount"], np.where(none, 0.0, high)),
        one_rate=np.where(pinned, own["fixed_rate"], np.where(inside, own["rate"], math.nan)),
        why=np.select(tests, NO_OFFER, default="").astype(object),
        lendable=~out & ~unbanded & (pinned | ~none),
    )  # fmt: skip


def rates_left(borrowers: Borrowers, policy: Facts, menus: dict[str, Facts], segments: Any) -> Facts:
    """The band of everybody's grade, its highest rate, whether some may be offered, or none is posted."""
    grade, own, n = borrowers.text("grade"), borrowers.numbers, borrowers.n
    floor, roof = np.nan_to_num(own["min_rate"], nan=-math.inf), np.nan_to_num(own["max_rate"], nan=math.inf)
    band, highest, (some, unposted) = np.full((n, 2), math.nan), np.full(n, math.nan), np.zeros((2, n), bool)
    of = grade if segments is None else segments.of
    for name, segment in dict.fromkeys(zip(grade, of, strict=True)):
        if name not in menus:
            continue
        mine, rates = (grade == name) & (of == segment), menus[name].rate
        if segments is not None:
            left = rates[open_to_list(rates[None], np.array([segment], dtype=object), segments.posted)[0]]
            rates, unposted[mine] = left, len(left) < min(len(rates), 1)
        band[mine], first = policy.rates[name], np.searchsorted(rates, floor[mine] - SAME)
        some[mine] = first < np.searchsorted(rates, roof[mine] + SAME, "right")
        highest[mine] = rates[-1] if len(rates) else -math.inf
    return Facts(band=band, highest=highest, some=some, unposted=unposted)


def kept_out(borrowers: Borrowers) -> Array:
    """Whom the column exclude names."""
    if cells := [as_text(cell).lower() for cell in borrowers.cells.get("exclude", [])]:
        return np.isin(cells, ["true", "1"])
    return np.full(borrowers.n, borrowers.defaults.get("exclude") is True)


def formerly_served(borrowers: Borrowers) -> Array:
    """Who was offered something in the former run."""
    known = "former_amount" in {*borrowers.cells, *borrowers.numbers}
    return borrowers.number("former_amount") > 0 if known else np.zeros(borrowers.n, dtype=bool)


def offers_to(who: Array, run: Facts) -> Facts:
    """Every offer to `who`; NaN where there is no such offer. *_terms add the absolute values of terms."""
    book, policy, width = run.book, run.policy, max([1, *(len(menu.rate) for menu in run.menus.values())])
    rate, accept, walk = (np.full((len(who), width), math.nan) for _ in range(3))
    pinned, single = book.pinned[who], book.single[who]
    for grade, menu in run.menus.items():
        own = np.flatnonzero((book.grade[who] == grade) & ~single)
        open_to = menu.rate + SAME >= book.floor[who[own]][:, None]
        open_to &= menu.rate - SAME <= book.roof[who[own]][:, None]
        if run.left is not None:
            every = np.broadcast_to(menu.rate, open_to.shape)
            open_to &= open_to_list(every, run.segments.of[who[own]], run.left)
        for into, column in ((rate, menu.rate), (accept, menu.accept), (walk, menu.walk)):
            into[own, : len(menu.rate)] = np.where(open_to, column, math.nan)
    for place in np.flatnonzero(single & ~np.isnan(book.one_rate[who])):
        only = menu_of([book.one_rate[who[place]]], run.curves[book.grade[who[place]]])
        rate[place, 0], accept[place, 0], walk[place, 0] = only.rate[0], only.accept[0], only.walk[0]
    pd, lgd, term, worth = (column[who][:, None] for column in (book.pd, book.lgd, book.term, book.worth))
    gross = accept * rate * term
    earned, lost = gross * (1.0 - pd), accept * pd * lgd
    spent = accept * policy.funding * term + walk * policy.kappa
    if policy.capital_cost is not None:
        spent = spent + accept * policy.capital_cost * book.tied_up[who][:, None] * term
    kept, left = policy.decline * worth, walk * worth + accept * policy.processing
    return Facts(
        who=who, rate=rate, accept=accept, gross=gross, held=~np.isnan(rate), no_offer=~pinned,
        unit=earned - lost - spent, unit_terms=np.abs(earned) + lost + spent, once=kept - left,
        once_terms=kept + left, low=book.low[who], high=book.high[who],
    )  # fmt: skip


def ledger_of(run: Facts, amount: Array, rate: Array) -> tuple[dict[str, Array], Array]:
    """What every decision earns and costs, by column; and whose rate may be offered."""
    book, policy, offered = run.book, run.policy, amount > 0
    accept, walk, allowed = offered * 1.0, np.zeros(len(amount)), np.zeros(len(amount), dtype=bool)
    for i in np.flatnonzero(offered):
        menu, curve = run.menus.get(book.grade[i]), run.curves.get(book.grade[i])
        k = int(np.argmin(np.abs(menu.rate - rate[i]))) if menu is not None and len(menu.rate) else -1
        listed = k >= 0 and not book.single[i] and abs(menu.rate[k] - rate[i]) <= SAME
        if listed or curve is not None:  # else nothing is known of who walks
            known, k = (menu, k) if listed else (menu_of([rate[i]], curve), 0)
            accept[i], walk[i] = known.accept[k], known.walk[k]
            open_to = rate[i] + SAME >= book.floor[i] and rate[i] - SAME <= book.roof[i]
            if run.left is not None:
                posted = run.left.get(run.segments.of[i], [math.inf])[0]
                open_to &= abs(rate[i] - posted) <= SAME
            allowed[i] = rate[i] == book.one_rate[i] if book.single[i] else listed and open_to
    drawn = accept * amount
    gross = drawn * rate * book.term
    lines = {
        "amount": amount, "rate": np.where(offered, rate, 0.0), "take_up": accept, "drawn": drawn,
        "gross": gross, "loans": offered * 1.0, "interest": gross * (1.0 - book.pd),
        "expected_loss": drawn * book.pd * book.lgd, "funding_cost": drawn * policy.funding * book.term,
        "churn_cost": walk * amount * policy.kappa, "processing_cost": accept * policy.processing,
        "relationship_cost": np.where(offered, (walk - policy.decline) * book.worth, 0.0),
    }  # fmt: skip
    lines["value"] = lines["interest"] - sum(lines[cost] for cost in COSTS)
    if policy.capital_cost is None:
        return lines, allowed
    tied_up, run.earned = drawn * book.tied_up * book.term, lines["value"]
    lines |= {"capital_years": tied_up, "capital_cost": tied_up * policy.capital_cost}
    lines["value"] = run.earned - lines["capital_cost"]
    raroc = np.divide(run.earned, tied_up, out=np.zeros(len(tied_up)), where=tied_up > 0)
    return {**lines, "raroc": raroc}, allowed


def broken_terms(run: Facts, amount: Array, allowed: Array) -> dict[str, Array]:
    """What is wrong with decisions -> with whose."""
    offered, book, lot = amount > 0, run.book, run.book.lot
    off, lent = snapped(amount, lot) != amount, offered & book.lendable
    what = f"no multiple of {float(lot):g}" if isinstance(lot, Fraction) else "none of the borrower's steps"
    outside = lent & ((amount < book.low) | (amount > book.high))
    terms = {
        "amount to a borrower who may not be offered anything": offered & ~book.lendable,
        "amount outside the borrower's smallest and largest loan": outside,
        f"amount that is {what}": offered & off & ~book.pinned,
        "rate that may not be offered": lent & ~allowed,
        "pinned offer not made": book.pinned & book.lendable & ~offered,
    }
    return {what: who for what, who in terms.items() if who.any()}


# --- 6a. Capital ----------------------------------------------------------------------------------
def capital_rule(policy: Any) -> Facts:
    """How much capital a unit drawn ties up."""
    rule = at(policy, "capital", {})
    made = Facts(
        kind=word(rule, "asset_class", CLASSES, "corporate"), by=at(rule, "asset_class_by"), who=slice(None),
        small=at(rule, "supporting_factor", False) is True, sales=at(rule, "turnover", "turnover"),
        irb=word(rule, "approach", ["irb", "standardised"], "irb") == "irb",
        years=number(rule, "maturity", 2.5), floor=number(rule, "pd_floor", 0.0005),
        least=number(rule, "lgd_floor", 0.0), million=number(rule, "turnover_unit", 1.0),
    )  # fmt: skip
    need(1 <= made.years <= 5 and 1e-4 <= made.floor < 1, "policy.capital: a maturity or floor out of range")
    return made


def factor_of(rule: Facts) -> str:
    return "0.7619" if rule.small and rule.kind != "corporate" else "1"


def by_class(formula: Any, rule: Facts, borrowers: Borrowers) -> Array:
    """What a formula gives of a rule for `rule.who`, of each borrower by the rule of the own class."""
    if rule.by is None:
        return np.asarray(formula(rule))
    kinds, out = borrowers.text(rule.by), np.full(borrowers.n, math.nan)
    for kind in CLASSES:
        who = np.flatnonzero(kinds == kind)
        out[who] = formula(Facts(**{**vars(rule), "kind": kind, "who": who}))
    need(not np.any(np.isnan(out)), f"{rule.by}: none of corporate, sme, retail")
    return out


def below(x: Any) -> Any:
    """N(x), in doubles."""
    return np.array([math.erfc(-value / math.sqrt(2.0)) / 2.0 for value in np.atleast_1d(x).tolist()])


def quantile(p: Any) -> Any:
    """The x of N(x) = p, p from 1e-300 on: a rational first guess of the lower tail, then Halley's steps."""
    tail = np.maximum(np.minimum(p, 1.0 - np.asarray(p)), 1e-300)
    with np.errstate(all="ignore"):
        t = np.sqrt(-2.0 * np.log(tail))
        under = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
        x = (2.515517 + t * (0.802853 + t * 0.010328)) / under - t
        for _ in range(2):  # of third order: 5e-4, 1e-10, 1e-28
            step = (below(x) - tail) * math.sqrt(2 * math.pi) * np.exp(x * x / 2)
            x = x - step / (1 + x * step / 2)
    return np.where(np.asarray(p) >= 1, math.inf, np.where(np.asarray(p) > 0.5, -x, x))


def long_below(x: Decimal) -> Decimal:
    """N(x), in decimals: the integral of the density's power series from 0, all of whose terms add up."""
    if x.is_infinite():
        return Decimal(int(x > 0))
    summed, term, k = Decimal(0), x, 1
    while abs(term) > Decimal("1e-70"):
        summed, k = summed + term, k + 2
        term = term * x * x / k
    return Decimal("0.5") + summed * (-x * x / 2).exp() / TAU.sqrt()


def long_quantile(p: Decimal) -> Decimal:
    """The x of N(x) = p, in decimals; p lies above 0."""
    if p >= 1:
        return Decimal("Infinity")
    x = Decimal(float(quantile(float(p))[0]))
    for _ in range(5):
        x -= (long_below(x) - p) * TAU.sqrt() * (x * x / 2).exp()
    return x


TAU = Decimal("6.28318530717958647692528676655900576839433879875021164194988918461563281")
IN_DOUBLES = Facts(number=float, exp=np.exp, log=np.log, below=below, quantile=quantile)
IN_DECIMALS = Facts(number=Decimal, exp=Decimal.exp, log=Decimal.ln, below=long_below, quantile=long_quantile)


def requirement(by: Facts, rule: Facts, pd: Any, lgd: Any, term: Any, sales: Any) -> Any:
    """K of internal ratings, before it is rounded."""
    num, p = by.number, of_a_year(by, rule, pd, term)
    r, root = correlation_of(by, rule, p, sales), num("0.5")
    worst = by.below((by.quantile(p) + r**root * by.quantile(num("0.999"))) / (1 - r) ** root)
    k = np.maximum(lgd, num(rule.least)) * (worst - p) * num(factor_of(rule))
    if rule.kind != "retail":
        b = (num("0.11852") - num("0.05478") * by.log(p)) ** 2
        k = k * (1 + (num(rule.years) - num("2.5")) * b) / (1 - num("1.5") * b)
    return k


def of_a_year(by: Facts, rule: Facts, pd: Any, term: Any) -> Any:
    """The PD of one year, floored."""
    return np.maximum(1 - by.exp(by.log(1 - pd) / term), by.number(rule.floor))


def correlation_of(by: Facts, rule: Facts, p: Any, sales: Any) -> Any:
    """R of internal ratings."""
    num, retail = by.number, rule.kind == "retail"
    decay, high, low = (35, "0.16", "0.03") if retail else (50, "0.24", "0.12")
    part = (1 - by.exp(-decay * p)) / (1 - by.exp(num(-decay)))
    r = num(low) * part + num(high) * (1 - part)
    if rule.kind == "sme":
        size = np.minimum(np.maximum(sales / num(rule.million), num(5)), num(50))
        r = r - num("0.04") * (1 - (size - 5) / 45)
    return r


def requirements_of(rule: Facts, borrowers: Borrowers) -> Array:
    """K of everybody, a decimal of 8 places; what doubles leave open at a half is asked in decimals."""
    if not rule.irb:
        weight = {"corporate": "0.08", "sme": "0.068", "retail": "0.06"}[rule.kind]
        every = np.full(borrowers.n, float(Decimal(weight) * Decimal(factor_of(rule))))
        return np.asarray(every[rule.who])
    return in_places(lambda by, *own: requirement(by, rule, *own), rule, borrowers, rule.kind == "sme")


def in_units(formula: Any, columns: Sequence[Any]) -> Array:
    """A formula of columns to the nearest 1e-8, in such units."""
    columns = [np.asarray(column) for column in columns]
    with np.errstate(divide="ignore"):
        scaled = formula(IN_DOUBLES, *columns) * 1e8
    units = np.rint(scaled)
    for i in np.flatnonzero(abs(abs(scaled - units) - 0.5) < 1e-5).tolist():
        with localcontext(prec=60):
            value = formula(IN_DECIMALS, *(Decimal(float(column[i])) for column in columns))
            units[i] = float((value * 10**8).to_integral_value())
    return np.asarray(units)


def in_places(formula: Any, rule: Facts, borrowers: Borrowers, sized: bool) -> Array:
    """A formula of pd, lgd, term and sales, the last only where `sized`, to 8 places, of `rule.who`."""
    own, sales = borrowers.numbers, borrowers.number(rule.sales) if sized else np.zeros(borrowers.n)
    need(not np.any(np.isnan(sales[rule.who])), f"{rule.sales}: a value is missing")
    columns = [column[rule.who] for column in (own["pd"], own["lgd"], own["term_years"], sales)]
    return np.asarray(in_units(formula, columns) / 1e8)


def tail_rule(policy: Any) -> Facts:
    """Which years are the worst, and how borrowers' assets are correlated; None: as internal ratings say."""
    stated = at(policy, "tail.correlation", 0.15)
    shared = None if stated == "irb" else number(policy, "tail.correlation", 0.15)
    alpha = number(policy, "tail.confidence", 0.999)
    fits = 0.5 <= alpha <= 0.99999 and (shared is None or 0 <= shared <= 0.5)
    need(fits, "policy.tail: a confidence or correlation out of range")
    made = Facts(alpha=alpha, shared=shared, sectors=None)
    if stated := entries(policy, "tail.sectors", "column between nodes"):
        between, years = number(stated, "between"), number(stated, "nodes", 256)
        fits = shared is not None and 0 <= between <= shared and years in range(16, 4097)
        need(fits, "policy.tail.sectors: a correlation between sectors, or nodes, out of range")
        made.sectors = Facts(column=str(at(stated, "column")), between=between, years=int(years))
    return made


def nodes(by: Facts) -> list[tuple[Any, Any]]:
    """Gauss and Legendre's points and weights from -1 to 1; in decimals after Newton's steps."""
    count = 40 if by is IN_DECIMALS else 20
    points, weights = np.polynomial.legendre.leggauss(count)
    pairs: list[tuple[Any, Any]] = list(zip(points.tolist(), weights.tolist(), strict=True))
    for i, point in enumerate(points.tolist() if by is IN_DECIMALS else []):
        x, rise = Decimal(point), Decimal(1)
        for _ in range(4):
            last, p = Decimal(1), x
            for n in range(1, count):
                last, p = p, ((2 * n + 1) * x * p - n * last) / (n + 1)
            rise = count * (last - x * p) / (1 - x * x)
            x -= p / rise
        pairs[i] = (x, 2 / ((1 - x * x) * rise * rise))
    return pairs


def tail_loss(by: Facts, tail: Facts, rule: Facts, pd: Any, lgd: Any, term: Any, sales: Any) -> Any:
    """Mean loss of the worst years, before it is rounded."""
    num = by.number
    if tail.shared is None:
        r = correlation_of(by, rule, of_a_year(by, rule, pd, term), sales)
    else:
        r = num(tail.shared)
    half, rare = r ** num("0.5") / 2, 1 - num(tail.alpha)
    h = by.quantile(np.minimum(np.maximum(pd, num("1e-16")), 1 - num("1e-16")))
    k, joint = by.quantile(rare), 0 * h
    for point, weight in nodes(by):
        t = half * (1 + point)
        exponent = -(h * h - 2 * t * h * k + k * k) / (2 * (1 - t * t))
        joint = joint + weight * by.exp(exponent) / (1 - t * t) ** num("0.5")
    return lgd * (pd + joint * half / (num(TAU) * rare))


def tail_losses_of(tail: Facts, rule: Facts, borrowers: Borrowers) -> Array:
    """Of everybody, a decimal of 8 places."""
    sized = tail.shared is None and rule.kind == "sme"
    return in_places(lambda by, *own: tail_loss(by, tail, rule, *own), rule, borrowers, sized)


class Factors:
    """Losses in the years that stand for all, where sectors have factors of their own."""

    def __init__(self, tail: Facts, borrowers: Borrowers) -> None:
        self.tail, self.years = tail, tail.sectors.years
        self.pd, self.lgd = borrowers.numbers["pd"], borrowers.numbers["lgd"]
        with np.errstate(divide="ignore"):
            self.easy = quantile(self.pd)
        self.names, self.sector = np.unique(borrowers.text(tail.sectors.column), return_inverse=True)
        need(self.names[0] != "", f"policy.tail: a value of {tail.sectors.column} is missing")
        need(len(self.names) <= 20, f"policy.tail: {len(self.names)} sectors")
        part = [Fraction(j**4 - (j - 1) ** 4, self.years**4) for j in range(1, self.years + 1)]
        self.caps = [round(min(Fraction(1), own / (1 - exact(tail.alpha))) * 10**7) for own in part]
        primes = [p for p in range(2, 80) if all(p % d for d in range(2, p))]
        self.points = [[(2 * j - 1) ** 4 / (2 * self.years) ** 4 for j in range(1, self.years + 1)]]
        self.points += [self.digits(p) for p in primes[: len(self.names) - 1]]
        moves = [lambda by, *z, s=s: self.move(s, by, *z) for s in range(len(self.names))]
        self.moves = np.array([in_units(move, self.points) for move in moves])

    def digits(self, base: int) -> list[float]:
        """j = 1, 2, ... with its digits mirrored at the point."""
        mirrored_digits = []
        for j in range(1, self.years + 1):
            mirrored, place = 0, 1
            while j:
                j, mirrored, place = j // base, mirrored * base + j % base, place * base
            mirrored_digits.append(mirrored / place)
        return mirrored_digits

    def move(self, s: int, by: Facts, mean: Any, *own: Any) -> Any:
        """What sector s, from 0, moves by: the mean of all, and what Helmert's matrix makes of the others."""
        num, many, z = by.number, len(self.names), [by.quantile(place) for place in own]
        beta = num(self.tail.sectors.between)
        rest, half = num(self.tail.shared) - beta, num("0.5")
        apart = 0 * beta
        for t in range(max(s, 1), many):
            scale = num(t * (t + 1)) ** half
            apart = apart + (z[t - 1] / scale if t > s else -num(t) * z[t - 1] / scale)
        return (beta + rest / many) ** half * by.quantile(mean) + rest**half * apart

    def losses(self, year: int, who: Any = slice(None)) -> Array:
        """What a unit drawn of `who` loses, in units of 1e-8."""

        def loss(by: Facts, pd: Any, lgd: Any, move: Any, easy: Any) -> Any:
            own = (easy if by is IN_DOUBLES else by.quantile(pd)) - move
            return lgd * by.below(own / (1 - by.number(self.tail.shared)) ** by.number("0.5"))

        moved = self.moves[self.sector[who], year - 1] / 1e8
        return in_units(loss, [self.pd[who], self.lgd[who], moved, self.easy[who]])

    def weights(self, name: str, stated: dict[str, float]) -> Array:
        """What a unit drawn counts in the row of a cut."""
        units = {year: exact(q) * 10**7 for year, q in stated.items()}
        caps = {str(j): cap for j, cap in enumerate(self.caps, 1)}
        known = units.keys() <= caps.keys()
        fits = known and all(q.denominator == 1 and 0 <= q <= caps[year] for year, q in units.items())
        need(fits and sum(units.values()) <= 10**7, f"cuts {name}: weights that no worst years have")
        summed = np.zeros(len(self.pd))
        for year, q in units.items():
            summed = summed + float(q) * self.losses(int(year))
        return np.asarray(summed / 1e15)

    def worst(self, money: Array) -> float:
        """The largest mean loss on `money` drawn: the worst year weighs what it may, then the next."""
        few = np.flatnonzero(money)
        lost = [total(self.losses(j, few) * money[few]) for j in range(1, self.years + 1)]
        left, terms = 10**7, []
        for year in sorted(range(self.years), key=lambda year: -lost[year]):
            terms.append(lost[year] * min(self.caps[year], left))
            left -= min(self.caps[year], left)
        return total(terms) / 1e15


# --- 6. Rows --------------------------------------------------------------------------------------
def total(terms: Any) -> float:
    """The sum, rounded once; NaN where it is beyond a double."""
    try:
        return math.fsum(terms.tolist() if isinstance(terms, np.ndarray) else terms)
    except (OverflowError, ValueError):
        return math.nan


def members_of(rows: Facts) -> list[Array]:
    """Who is in each row."""
    order = np.argsort(rows.row, kind="stable")
    cuts = np.searchsorted(rows.row[order], np.arange(len(rows.names) + 1)).tolist()
    return [order[a:b] for a, b in pairwise(cuts)]


def rows_of(policy: Facts, borrowers: Borrowers, book: Facts) -> list[Facts]:
    """One entry per limit, the budget first: its rows, and `row` of each borrower, -1: none."""
    budget = Facts(name="budget", measure=policy.basis, sense=policy.spend, bound=policy.budget, stress=None)
    budget = budget.but(given={}, by=None, of="", base=None, penalty=math.inf)
    made = [rows_of_limit(budget.but(weight=None, where={}, each=None), policy, borrowers, book)]
    for limit in policy.limits:
        under = limit.stress
        seen = (borrowers, book) if under is None else seen_under(under, policy, borrowers, book)
        made.append(rows_of_limit(limit, policy, *seen))
    every = [name for rows in made for name in rows.names]
    need(len(set(every)) == len(every), "policy.limits: two rows have one name")
    return made


def rows_of_limit(limit: Facts, policy: Facts, borrowers: Borrowers, book: Facts) -> Facts:
    """The rows of one limit: whom each counts and how, and its bound."""
    inside, names = borrowers.passes(limit.where), [limit.name]
    row = np.where(inside, 0, -1)
    if limit.each is not None:
        texts = borrowers.text(limit.each)
        values = sorted(set(texts[inside]) - {""})
        place = {value: k for k, value in enumerate(values)}
        row = np.where(inside, np.array([place.get(text, -1) for text in texts]), -1)
        names = [f"{limit.name}[{value}]" for value in values]
    column = np.ones(borrowers.n) if limit.weight is None else borrowers.number(limit.weight)
    basis, exposed, own = MEASURES[limit.measure]
    weight, moved = (0.0 * book.pd if limit.by else own(book)) * column, limit.measure == "money_moved"
    need(not np.any(np.isnan(weight[row >= 0])), f"limit {limit.name}: a weight is missing")
    need(not moved or (policy.way and limit.weight is None), f"{limit.name}: which way is not said")
    rows = Facts(
        limit=limit.name, given=borrowers.passes(limit.given) if limit.given else None,
        names=names, measure=limit.measure, sense=limit.sense, basis=basis, row=row, moved=moved,
        weight=np.where(row >= 0, weight, 0.0), plain=not moved and bool(np.all(weight[row >= 0] == 1)),
        further=[(b, np.where(row >= 0, part * column, 0.0)) for b, part in beside(limit, policy, book)],
        exposed=exposed and limit.name != "budget", of="" if limit.of in policy.amounts else limit.of,
        among=limit.base is not None, base=borrowers.passes(limit.base or {}), share=limit.bound,
        penalty=limit.penalty,
    )  # fmt: skip
    again = column * formerly_used(limit.measure, book) if limit.of == "former" else None
    amount, members = policy.amounts.get(limit.of, 1.0), members_of(rows)
    amounts = [amount if again is None else total(again[own]) for own in members]
    lent = rows.weight * book.exposure if rows.exposed else np.zeros(borrowers.n)
    lent = -rows.weight * book.served if rows.measure == "clients_changed" else lent
    lent = np.where(row >= 0, book.then, 0.0) if moved else lent
    whole = [exact(limit.bound) * exact(own) for own in amounts]
    bounds, held = [limit.bound * own for own in amounts], [total(lent[own]) for own in members]
    return rows.but(bounds=bounds, whole=whole, lent=held)


def formerly_used(measure: str, book: Facts) -> Array:
    """What the former run's offers, made again, add up to: a share of that run is one of this."""
    known = ("offered", "loans", "clients_changed", "money_moved")
    need(measure in known, f"policy.limits: {measure} of the former run")
    if measure == "offered":
        return np.asarray(book.then + book.exposure)
    return np.asarray(book.then if measure == "money_moved" else book.served * 1.0)


def beside(limit: Facts, policy: Facts, book: Facts) -> list[tuple[str, Any]]:
    """Bases that the limit's measure adds up besides, each with its weight: of money moved, and of value."""
    if limit.measure == "money_moved":
        return [("loans", np.where(book.rises, -2.0 * book.then, 0.0))]
    if limit.measure != "value":
        return []
    lost, spent = book.pd * book.lgd, policy.funding * book.term
    drawn = [("drawn", -lost), ("drawn", -spent), ("drawn", policy.kappa), ("offered", -policy.kappa)]
    if policy.capital_cost is not None:
        drawn.append(("drawn", -policy.capital_cost * book.requirements() * book.term))
    booked = [("booked", book.worth), ("booked", -policy.processing)]
    return [*drawn, *booked, ("loans", (policy.decline - 1.0) * book.worth)]


def measure_risk(book: Facts, policy: Facts, borrowers: Borrowers) -> None:
    """Lets capital and tail losses be asked for, which only limits on them do."""
    capital, tail = policy.capital, policy.tail
    classed = capital if tail.shared is None else Facts(**{**vars(capital), "by": None})
    book.requirements = lambda: by_class(lambda own: requirements_of(own, borrowers), capital, borrowers)
    book.tail_losses = lambda: by_class(lambda own: tail_losses_of(tail, own, borrowers), classed, borrowers)


def seen_under(stress: list[Any], policy: Facts, people: Borrowers, book: Facts) -> tuple[Borrowers, Facts]:
    """Both with PD and LGD under a further stress, and what follows from these."""
    seen = in_stress(stress, people)
    figures = book.but(pd=seen.numbers["pd"], lgd=seen.numbers["lgd"])
    measure_risk(figures, policy, seen)
    return seen, figures


def cuts_among(policy: Facts, borrowers: Borrowers, stated: dict[str, Any]) -> list[Facts]:
    """The limits, behind each that is convex its cuts, whose weights become columns: section 6."""
    made: list[Facts] = []
    for limit in policy.limits:
        made.append(limit)
        if not limit.by:
            continue
        if limit.top is None and limit.measure == "tail_loss":
            made.extend(cuts_of_tail(limit, policy, borrowers, stated))
            continue
        fits = limit.sense == "at_most" and limit.bound > 0 and not (limit.each or limit.weight)
        if index := limit.top is None:
            fits = fits and limit.of in ("offered", "budget") and not (limit.where or limit.base)
            made[-1] = limit.but(of="", whole=limit.of)
        kinds = ("hhi",) if index else ("offered", "drawn", "expected_loss")
        fits = fits and limit.measure in kinds and not limit.given and limit.penalty == math.inf
        need(fits and (index or limit.top > 0), f"{limit.name}: no limit on an index, or on the largest")
        root, texts = math.sqrt(limit.bound), borrowers.text(str(limit.by))
        need(not np.any(texts == ""), f"limit {limit.name}: a value of {limit.by} is missing")
        while min(Fraction(root), exact(root)) ** 2 < max(Fraction(limit.bound), exact(limit.bound)):
            root = math.nextafter(root, math.inf)
        for name in [name for name in stated if name.rpartition("[")[0] == limit.name]:
            shares = numbers_of(stated, name)
            most = [max(Fraction(s), exact(s)) ** (2 if index else 1) for s in shares.values()]
            long = sum(most, Fraction(0)) > (limit.top or 1) or max([*most, Fraction(0)]) > 1
            need(not long and min(shares.values(), default=0) >= 0, f"cuts {name}: longer than 1, or below 0")
            need(re.fullmatch(r"\[[1-9][0-9]{0,8}\]", name[len(limit.name) :]), f"cuts {name}: no such name")
            column = ("cut", name)  # which no limit can name
            borrowers.numbers[column] = np.array([shares.get(text, 0.0) for text in texts])
            bound, measure = (root, "offered") if index else (limit.bound, limit.measure)
            cut = {"name": name, "measure": measure, "bound": bound, "weight": column, "by": None}
            made.append(limit.but(**cut, parent=limit))
    parents = {limit.name for limit in made if limit.parent}
    need(stated.keys() == parents, f"cuts {sorted(stated.keys() - parents)}: of no limit on an index")
    return made


def cuts_of_tail(limit: Facts, policy: Facts, borrowers: Borrowers, stated: Any) -> Iterator[Facts]:
    """The rows that a limit on the mean loss of the worst years implies."""
    fits = limit.sense == "at_most" and limit.bound > 0 and limit.penalty == math.inf
    fits = fits and not (limit.each or limit.weight or limit.given)
    need(fits, f"{limit.name}: no limit on several factors")
    if policy.factors is None:
        policy.factors = Factors(policy.tail, borrowers)
    for name in [name for name in stated if name.rpartition("[")[0] == limit.name]:
        need(re.fullmatch(r"\[[1-9][0-9]{0,8}\]", name[len(limit.name) :]), f"cuts {name}: no such name")
        column = ("cut", name)  # which no limit can name
        borrowers.numbers[column] = policy.factors.weights(name, numbers_of(stated, name))
        cut = {"name": name, "measure": "drawn", "bound": limit.bound * (1.0 + 2.0**-50)}
        yield limit.but(**cut, weight=column, parent=limit, by=None)


def largest(count: int, used: Array, groups: Array) -> float:
    """What so many groups use, those that use most."""
    order = np.argsort(groups, kind="stable")
    first = np.flatnonzero(np.append(True, groups[order][1:] != groups[order][:-1]))
    return total(sorted((total(own) for own in np.split(used[order], first[1:])), reverse=True)[:count])


def index_of(limit: Facts, run: Facts, borrowers: Borrowers) -> Fraction:
    """The sum of the squared shares of the groups, what they have already counted in."""
    held: dict[str, Fraction] = {}
    both = zip(run.lines["amount"].tolist(), run.book.exposure.tolist(), strict=True)
    for text, pair in zip(borrowers.text(limit.by).tolist(), both, strict=True):
        held[text] = held.get(text, Fraction(0)) + sum((exact(own) for own in pair if own), Fraction(0))
    whole = exact(run.policy.budget) if limit.whole == "budget" else sum(held.values(), Fraction(0))
    return sum((own * own for own in held.values()), Fraction(0)) / whole**2 if whole else Fraction(0)


def uses_of(all_rows: list[Facts], book: Facts, bases: dict[str, Array]) -> list[Facts]:
    """Each row as it is used."""
    uses = []
    for rows in all_rows:
        reference = 1.0
        if rows.of:
            lent = total(book.exposure[rows.base]) if rows.exposed else 0.0
            reference = total([*bases[rows.of][rows.base].tolist(), lent])
        each = zip(rows.names, members_of(rows), rows.lent, rows.bounds, rows.whole, strict=True)
        for name, own, held, bound, stated in each:
            row = rows.but(name=name, held=held, bound=bound * reference, stated=stated)
            uses.append(use_of(row, own, book, bases))
    return uses


def use_of(row: Facts, own: Array, book: Facts, bases: dict[str, Array]) -> Facts:
    """One row: decided exactly where it is of whole cents or loans, else with a tolerance."""
    weight, some = row.weight[own], np.abs(row.weight[own])
    parts = [weight * bases[row.basis][own]]
    parts += [part[own] * bases[basis][own] for basis, part in row.further if not row.moved]
    terms = sum(parts[1:], parts[0])
    if row.moved:  # |x - f| - f
        terms = np.maximum(bases["offered"][own] - 2.0 * book.then[own], -bases["offered"][own])
    used, scale = total(terms) + row.held, max(abs(row.bound), float(np.max(np.abs(terms), initial=0.0)))
    tolerance, side = 1e-9 * scale, used - row.bound
    if row.basis == "loans":
        finest = float(np.min(some[some > 0], initial=math.inf))
        tolerance = max(min(tolerance, finest / 2), 4 * U * scale)
    whole = beyond(row, own, book, bases)
    tolerance, side = (tolerance, side) if whole is None else (0.0, whole)
    over = {"at_most": side, "at_least": -side, "exactly": abs(side)}[row.sense]
    size = total(np.abs(terms if row.moved else parts).ravel()) + abs(row.held) + abs(row.bound)
    excess, off, hard = max(float(over), 0.0), bool(over > tolerance), row.penalty == math.inf
    paid = row.penalty * excess if 0 < row.penalty < math.inf else 0.0
    doubt = 6 * U * size * (over > -6 * U * size) if whole is None else 2 * U * excess
    use = Facts(name=row.name, measure=row.measure, sense=row.sense, used=used, bound=row.bound, scale=scale)
    use = use.but(size=size, excess=excess, broken=off and hard, penalty=row.penalty, given=row.given)
    use = use.but(paid=paid, doubt=row.penalty * doubt if paid or not hard else 0.0)
    return use.but(missed=excess if off and not hard and row.given is None else 0.0)


def beyond(row: Facts, own: Array, book: Facts, bases: dict[str, Array]) -> Any:
    """By how much a row of whole cents or loans lies above its bound; None of any other."""
    weight, whose, money = row.weight[own], slice(None) if row.of else own, (bases["offered"], book.exposure)
    alike = len(own) and weight.min() == weight.max() != 0 and row.of not in ("drawn", "loans")
    in_cents = row.basis == "offered" and not row.moved
    if not alike or row.among or not (in_cents or row.measure == "loans"):
        return None
    if in_cents and any(np.any(np.rint(x[whose] * 100.0) / 100.0 != x[whose]) for x in money):
        return None

    def counted(some: Any) -> Fraction:
        if row.basis == "loans":
            return Fraction(int(np.count_nonzero(bases["loans"][some])))
        cents = [np.rint(x[some] * 100.0).tolist() for x in money[: 1 + row.exposed]]
        return Fraction(sum(int(own) for column in cents for own in column), 100)

    return exact(weight[0]) * counted(own) - row.stated * (counted(whose) if row.of else 1)


# --- 7. The bound ---------------------------------------------------------------------------------
def charges_of(run: Facts, prices: Mapping[str, float], rounded: Mapping[str, float]) -> Facts:
    """What prices charge a unit of each basis; b'lambda with the idle budget's worth; terms as in offers."""
    n = len(run.book.ids)
    charge, terms = ({basis: np.zeros(n) for basis in BASES} for _ in range(2))
    parts, policy = [0.0], run.policy
    signs = {"at_most": (0.0, math.inf), "at_least": (-math.inf, 0.0), "exactly": (-math.inf, math.inf)}
    for rows in run.rows:
        own = np.clip([prices.get(name, 0.0) for name in rows.names], *signs[rows.sense])
        own = np.clip(own, -rows.penalty, rows.penalty) + 0.0
        for basis, weight in [(rows.basis, rows.weight), *rows.further]:
            mine = np.append(own, 0.0)[rows.row] * weight
            charge[basis] += mine
            terms[basis] += np.abs(mine)
        lent = total(run.book.exposure[rows.base]) if rows.exposed else 0.0
        known = lent if rows.of else 1.0
        for price, name, used, bound in zip(own.tolist(), rows.names, rows.lent, rows.bounds, strict=True):
            parts += [price * rounded[name]] if name in rounded else [price * bound * known, -price * used]
        if rows.of:
            share = rows.share * total(own)
            charge[rows.of] -= share * rows.base
            terms[rows.of] += abs(share) * rows.base
    budget = policy.budget if policy.spend == "at_most" else 0.0
    room = min(rounded.get("budget", budget), budget)
    dear = max(0.0, policy.idle - max(prices.get("budget", 0.0), 0.0))
    parts += [policy.idle * (budget - room), room * dear]
    return Facts(charge=charge, terms=terms, constant=total(parts), constant_terms=total(map(abs, parts)))


def answers(offers: Facts, charges: Facts, operations: int) -> tuple[Array, Array]:
    """Reduced values at the better end, and how far rounding may have moved them at most."""
    own = {basis: column[offers.who][:, None] for basis, column in charges.charge.items()}
    size = {basis: column[offers.who][:, None] for basis, column in charges.terms.items()}
    unit = offers.unit - own["offered"] - offers.accept * own["drawn"] - offers.gross * own["interest"]
    terms = offers.unit_terms + size["offered"] + offers.accept * size["drawn"]
    terms = (terms + np.abs(offers.gross) * size["interest"]) * offers.high[:, None]
    ends = np.maximum(unit * offers.low[:, None], unit * offers.high[:, None])
    once = offers.once - own["loans"] - offers.accept * own["booked"]
    size_once = offers.once_terms + size["loans"] + offers.accept * size["booked"]
    return ends + once, operations * U * (terms + size_once)


def values_of(parts: Iterable[Facts], charges: Facts, operations: int) -> Facts:
    """U as computed (`bound`) and as it is at most (`upper`, inf where that cannot be computed); of the last
    part the options' upper values and everybody's best response at least."""
    mean, most = [charges.constant], [charges.constant, operations * U * charges.constant_terms]
    bad, option, least = False, None, None
    for offers in parts:
        best, error = answers(offers, charges, operations)
        held = offers.held & (offers.low <= offers.high)[:, None]
        bad |= bool(np.any(np.isnan((best + error)[held])))
        floor = np.where(offers.no_offer, 0.0, -np.inf)
        option, lower, middle = (np.where(held, x, -np.inf) for x in (best + error, best - error, best))
        upper, least, even = (np.maximum(x.max(axis=1), floor) for x in (option, lower, middle))
        mean, most = mean + even.tolist(), most + upper.tolist()
    if -math.inf in most and not bad:
        return Facts(bound=-math.inf, upper=-math.inf, option=option, least=least)
    proved, bound = total(most), total(mean)
    known = not bad and math.isfinite(proved) and math.isfinite(bound)
    upper = (math.nextafter(proved, math.inf) if any(most) else 0.0) if known else math.inf
    return Facts(bound=bound, upper=upper, option=option, least=least)


def misstated(stated: float, ours: Facts, beside: float = 0.0) -> str:
    """What is wrong with a stated bound, "" where nothing is."""
    most = ours.bound + 64 * (ours.upper - ours.bound) + 1e-9 * max(abs(ours.bound), beside, 1.0)
    return "" if ours.upper <= stated <= most else f"states {stated!r}, where {ours.upper!r} is proved"


def bounded(node: Any, ours: Facts, claimed: float) -> float:
    """What a leaf of a proof of `claimed` may state, once it is seen to be right; -inf of nothing."""
    stated = number(node, "bound")
    if ours.upper == -math.inf:
        need(stated == 0, f"states {stated!r} of nothing")
        return -math.inf
    fault = misstated(stated, ours, abs(claimed))
    need(not fault, fault)
    return float(ours.bound + 64 * (ours.upper - ours.bound))


# --- 8. The tree ----------------------------------------------------------------------------------
def misgrown(proof: Any, root: Any) -> Iterator[str]:
    """What keeps nodes from being one tree that proves its bound; `sides_of` say what is left to children."""
    nodes = proof.nodes
    waiting, seen = [(0, root)], set[int]()
    while waiting:
        node, left = waiting.pop()
        try:
            need(node not in seen, "has two parents")
            seen.add(node)
            need(isinstance(nodes[node], dict), "is no object")
            sides = proof.sides_of(nodes[node], left)
            children = nodes[node].get("children", [])
            known = isinstance(children, list) and len(children) == len(sides)
            known = known and all(type(c) is int and 0 < c < len(nodes) for c in children)
            need(known, f"has the children {children!r}, {len(sides)} nodes were expected")
            waiting += zip(children, sides, strict=True)
        except Wrong as fault:
            yield f"{proof.name}.nodes[{node}]: {fault}"
    if len(seen) < len(nodes):
        yield f"{proof.name}: {len(nodes) - len(seen)} nodes hang on no branch that could be followed"
    allowed = 0.0 if proof.highest == -math.inf else proof.highest
    if not proof.most <= proof.claimed <= allowed + 1e-9 * max(abs(allowed), 1.0):
        yield f"{proof.name}: states {proof.claimed!r}, its leaves prove {proof.most!r}"


class Tree:
    """A proof tree held against the offers that its root leaves to everybody."""

    def __init__(self, run: Facts, document: Any) -> None:
        self.run, self.name, self.most, self.highest = run, "tree", -math.inf, -math.inf
        document = entries({"tree": document}, "tree", "bound lots nodes")
        self.claimed, self.nodes = number(document, "bound"), document.get("nodes", [])
        need(isinstance(self.nodes, list) and self.nodes, "tree: no nodes")
        self.root = offers_to(np.flatnonzero(run.book.lendable), run).but(met=frozenset())
        self.place = {run.book.ids[i]: place for place, i in enumerate(self.root.who)}
        self.rows = {name: (rows, k) for rows in run.rows for k, name in enumerate(rows.names)}
        self.lots = self.rounded(numbers_of(document, "lots"))

    def faults(self) -> Iterator[str]:
        """What keeps the tree from proving the bound that it states."""
        yield from misgrown(self, self.root)

    def rounded(self, held: dict[str, float]) -> dict[str, float]:
        """The rows whose right-hand sides are rounded to whole lots, none of them too far."""
        book, lot = self.run.book, grain_of(self.run.book.lot)
        pins = book.low[book.pinned & book.lendable]
        stepped = (self.run.policy.step is not None or book.lot != lot) and bool(
            np.all(money(lots(pins, lot), lot) == pins)
        )
        units = {"loans": Fraction(1)} | ({"offered": lot} if stepped else {})
        for name, room in held.items():
            own, k = self.rows.get(name, (None, 0))
            fits = own is not None and own.basis in units and own.plain and not own.of
            fits = fits and not 0 < own.penalty < math.inf
            need(fits and own.sense != "exactly", f"tree.lots: {name!r} is not used by whole lots")
            lent = [exact(amount) for amount in book.exposure[(own.row == k) & own.exposed] if amount]
            ragged = any((100 * amount).denominator != 1 for amount in lent)
            near = Fraction(2, 10**9) * abs(own.whole[k]) * ragged
            up, free, unit = 1 if own.sense == "at_most" else -1, own.whole[k] - sum(lent), units[own.basis]
            whole = float(up * math.floor((up * free + near) / unit) * unit)
            need((room - whole) * up >= -4 * U * abs(whole), f"tree.lots: {name!r} beyond {whole!r}")
        return held

    def sides_of(self, node: Any, offers: Facts) -> list[Facts]:
        """What is left below a node, once it is seen to be right."""
        need(isinstance(node, dict), "is no object")
        if "limit" in node:
            entries({"n": node}, "n", "limit children")
            name = node["limit"]
            known = isinstance(name, str) and name in self.run.conditional
            need(known, f"splits by {name!r}, which is no limit on a condition")
            group = self.run.conditional[name][offers.who]
            none = offers.but(held=offers.held & ~group[:, None])
            return [none, offers.but(met=offers.met | {name})]
        if "borrower" in node:
            by_amount, who = "amounts" in node, node["borrower"]
            entries({"n": node}, "n", "borrower amounts children" if by_amount else "borrower split children")
            need(isinstance(who, str) and who in self.place, f"splits {who!r}, who may get no offer")
            split = self.split_amounts if by_amount else self.split_options
            return split(node, offers, self.place[who])
        entries({"n": node}, "n", "prices bound keeps children")
        prices = node.get("prices")
        known = isinstance(prices, dict) and not prices.keys() - self.rows.keys()
        need(known, "has no prices, or one of no limit")
        met = {True: math.inf, False: 0.0}
        rows = [x if x.given is None else x.but(penalty=met[x.limit in offers.met]) for x in self.run.rows]
        charges = charges_of(self.run.but(rows=rows), numbers_of(node, "prices"), self.lots)
        ours = values_of([offers], charges, self.run.operations)
        self.highest = max(self.highest, bounded(node, ours, self.claimed) - number(node, "keeps", 0.0))
        if "keeps" not in node:
            self.most = max(self.most, ours.upper)
            return []
        keeps = number(node, "keeps")
        self.most = max(self.most, math.nextafter(ours.upper - keeps, math.inf))
        lost = ours.least[:, None] - ours.option > keeps
        return [offers.but(held=offers.held & ~lost, no_offer=offers.no_offer & ~(ours.least > keeps))]

    def split_options(self, node: Any, offers: Facts, place: int) -> list[Facts]:
        """The two sides of a split by rates, which together hold all that is left."""
        sides, listed = node.get("split"), []
        known = isinstance(sides, list) and len(sides) == 2 and all(isinstance(side, list) for side in sides)
        need(known, "has not two sides")
        for side in sides:
            rates = [number({"rate": rate}, "rate") for rate in side if rate != "none"]
            same = np.abs(self.root.rate[place][:, None] - np.array(rates, dtype=float)) <= SAME
            need(same.any(axis=0).all(), "lists a rate that the borrower may not be offered")
            listed.append((same.any(axis=1), "none" in side))
        (first, no), (second, neither) = listed
        declined, left = offers.no_offer[place], offers.held[place]
        covered = not np.any(left & ~first & ~second) and (no or neither or not declined)
        need(covered, "does not cover what is left to the borrower")
        return [changed(offers, place, held=left & own, no_offer=declined and none) for own, none in listed]

    def split_amounts(self, node: Any, offers: Facts, place: int) -> list[Facts]:
        """The two sides of a split at an amount."""
        amount, lot = number(node, "amounts"), self.run.book.lot
        if not isinstance(lot, Fraction):
            lot = [[part[self.root.who[place]] for part in piece] for piece in lot]
        need(snapped(np.array([amount]), lot)[0] == amount, f"splits at {amount!r}, which is no amount")
        need(self.root.no_offer[place], "splits the amount of a pinned offer")
        low = max(offers.low[place], float(snapped(np.nextafter([amount], math.inf), lot, up=True)[0]))
        upper = changed(offers, place, low=low, no_offer=False)
        return [changed(offers, place, high=min(offers.high[place], amount)), upper]


# --- 8. Price lists -------------------------------------------------------------------------------
def segments_of(menus: dict[str, Facts], scenario: Any, certificate: Any, borrowers: Borrowers) -> Any:
    """Who shares a posted rate, what each segment may post, and what it does; None where none is posted."""
    pricing, single = at(scenario, "policy.pricing", "individual"), ["individual", "per_grade", "monotone"]
    by, groups, across = None, dict[str, str](), "apart"
    if isinstance(pricing, dict):
        stated = entries(scenario, "policy.pricing", "per_segment grades groups")
        by = str(stated.get("per_segment"))
        across = word(stated, "grades", ["together", "apart", "monotone"], "together")
        groups = {value: name for name, values in at(stated, "groups", {}).items() for value in values}
    else:
        across = word(scenario, "policy.pricing", single, "individual")
    posts = across != "individual"
    need(("lists" in certificate) == posts, f"certificate lists: under pricing {pricing}")
    if not posts:
        return None
    need("tree" not in certificate and at(scenario, "strategy", "optimal") == "optimal", "lists: of a rule")
    values = [""] * borrowers.n if by is None else borrowers.text(by).tolist()
    values = [groups.get(value, value) for value in values]
    posting = [grade for grade, menu in menus.items() if len(menu.rate)]

    def name(grade: str, value: str) -> str:
        return grade if by is None else value if across == "together" else f"{grade} / {value}"

    rates, chains = dict[str, Array](), list[list[str]]()
    for value in sorted(set(values) if by else {""}):
        chain = [name(grade, value) for grade in posting]
        for grade, own in zip(posting, chain, strict=True):
            every = [menus[key].rate for key in (posting if across == "together" else [grade])]
            joined = np.unique(np.concatenate(every))
            rates[own] = joined[np.append(True, np.diff(joined) > SAME)]
        chains += [chain] if across == "monotone" else [[own] for own in dict.fromkeys(chain)]
    posted = numbers_of(certificate, "lists.posted")
    need(posted.keys() == rates.keys(), f"lists.posted: not one rate for each of {', '.join(rates)}")
    listed = all(np.any(np.abs(own - posted[key]) <= SAME) for key, own in rates.items())
    need(listed, "lists.posted: a rate that its segment may not post")
    falls = any(posted[b] < posted[a] - SAME for chain in chains for a, b in pairwise(chain))
    need(not falls, "lists.posted: a rate falls from one grade to the next")
    pairs = zip(borrowers.text("grade").tolist(), values, strict=True)
    of = np.array([name(*own) for own in pairs], dtype=object)
    return Facts(of=of, rates=rates, chains=chains, posted={key: np.array([k]) for key, k in posted.items()})


def open_to_list(rate: Array, segment: Array, left: Any) -> Array:
    """Which rates (n, K) are among those `left` to each one's segment (n,)."""
    held = np.zeros(rate.shape, dtype=bool)
    for name in {*segment} & {*left}:
        mine = segment == name
        place = np.searchsorted(left[name], rate[mine] - SAME)
        held[mine] = np.append(left[name], math.inf)[place] <= rate[mine] + SAME
    return held


class Lists:
    """The proof over all price lists: boxes of lists, a mask over the rates of each segment."""

    def __init__(self, run: Facts, document: Any) -> None:
        self.rates, self.chains = run.segments.rates, run.segments.chains
        self.run, self.name, self.sums = run.but(left=self.rates), "lists", dict[int, Any]()
        self.most = self.highest = -math.inf
        document = entries({"lists": document}, "lists", "posted bound prices nodes")
        self.claimed, self.nodes = number(document, "bound"), document.get("nodes", [])
        self.vectors = document.get("prices", [])
        self.rows = {name for rows in run.rows for name in rows.names}
        held = isinstance(self.nodes, list) and self.nodes and isinstance(self.vectors, list)
        need(held, "lists: no nodes, or no prices")

    def faults(self) -> Iterator[str]:
        """What keeps the proof from proving the bound that it states."""
        yield from misgrown(self, {name: rates == rates for name, rates in self.rates.items()})
        if len(self.sums) < len(self.vectors):
            yield "lists.prices: some prove no leaf"

    def sides_of(self, node: dict[str, Any], box: dict[str, Array]) -> list[dict[str, Array]]:
        """What is left below a node, once it is seen to be right."""
        if "split" in node:
            entries({"n": node}, "n", "segment split children")
            name, sides = str(node.get("segment")), node["split"]
            need(name in box and node["segment"] == name, f"splits {name!r}, which posts no rate")
            known = isinstance(sides, list) and sides and all(isinstance(side, list) for side in sides)
            need(known, "has no sides")
            rates = self.rates[name][:, None]
            listed = [[number({"rate": rate}, "rate") for rate in side] for side in sides]
            same = [np.abs(rates - np.array(side)) <= SAME for side in listed]
            need(all(own.any(axis=0).all() for own in same), "lists a rate that the segment may not post")
            left = [own.any(axis=1) for own in same]
            need(not np.any(box[name] & ~np.any(left, axis=0)), f"does not cover the rates of {name}")
            return [{**box, name: box[name] & own} for own in left]
        if "tree" in node:
            entries({"n": node}, "n", "tree")
            kept = {name: rates[box[name]] for name, rates in self.rates.items()}
            tree = Tree(self.run.but(left=kept), node["tree"])
            wrong = [*tree.faults()]
            need(not wrong, "; ".join(wrong))
            self.most, self.highest = max(self.most, tree.claimed), max(self.highest, tree.claimed)
            return []
        entries({"n": node}, "n", "prices bound")
        place: Any = node.get("prices")
        need(type(place) is int and 0 <= place < len(self.vectors), f"has the prices {place!r}")
        ours = self.bound_of(place, box)
        self.highest = max(self.highest, bounded(node, ours, self.claimed))
        self.most = max(self.most, ours.upper)
        return []

    def bound_of(self, place: int, box: dict[str, Array]) -> Facts:
        """U of the best list of a box, as computed and at most; -inf where no list is left."""
        if place not in self.sums:
            prices = numbers_of({"p": self.vectors[place]}, "p")
            need(not prices.keys() - self.rows, f"has the prices {place}, one of no limit")
            self.sums[place] = self.summed(charges_of(self.run, prices, {}))
        most, known = list[float](), True
        for fixed, sums in self.sums[place]:
            for chain in self.chains:
                reached, before = np.zeros(1), np.array([-math.inf])
                for name in chain:
                    rates, own = self.rates[name][box[name]], sums[name][box[name]]
                    lower = np.searchsorted(before, rates + SAME, "right")
                    best = np.append(-math.inf, np.maximum.accumulate(reached))[lower]
                    reached, before = best + own, rates
                fixed += float(np.max(reached, initial=-math.inf))
                known &= not np.any(np.isnan(reached))
            most.append(fixed)
            known &= not math.isnan(fixed) and fixed < math.inf
        bound, upper = most
        if known and upper not in (0.0, -math.inf):  # a sum of nothing but 0 is not rounded
            upper = math.nextafter(upper, math.inf)
        return Facts(bound=bound, upper=upper if known else math.inf)

    def summed(self, charges: Facts) -> list[Any]:
        """What no list changes, and segment -> its sum at each rate: as computed, and at most."""
        run, book = self.run, self.run.book
        error = run.operations * U * charges.constant_terms
        fixed: list[list[float]] = [[charges.constant], [charges.constant, error]]
        sums = [{name: [np.zeros(len(rates))] for name, rates in self.rates.items()} for _ in fixed]
        who = np.flatnonzero(book.lendable)
        for k in range(0, len(who), 8192):
            offers = offers_to(who[k : k + 8192], run)
            best, error = answers(offers, charges, run.operations)
            single, grade = book.single[offers.who], book.grade[offers.who]
            segment = run.segments.of[offers.who]
            floor, open_to = np.where(offers.no_offer, 0.0, -np.inf), offers.held.any(axis=1)
            for into, parts, values in zip(fixed, sums, (best, best + error), strict=True):
                values = np.where(offers.held, np.where(np.isnan(values), math.inf, values), -math.inf)
                into += np.maximum(values.max(axis=1), floor)[single & open_to].tolist()
                for label, name in dict.fromkeys(zip(grade[~single], segment[~single], strict=True)):
                    who, menu = (grade == label) & (segment == name) & ~single, run.menus[label].rate
                    mine, at_rates = np.maximum(values[who, : len(menu)], 0.0), 0.0 * self.rates[name]
                    place = np.searchsorted(self.rates[name], menu - SAME)
                    at_rates[place] = [total(column) for column in mine.T]
                    parts[name].append(at_rates)
        pooled = []
        for into, parts, wider in zip(fixed, sums, (1.0, 1.0 + 4 * U), strict=True):
            own = {name: np.array([total(k) for k in np.transpose(some)]) for name, some in parts.items()}
            pooled.append((total(into), {name: values * wider for name, values in own.items()}))
        return pooled


def changed(offers: Facts, place: int, **own: Any) -> Facts:
    """`offers` with other entries of one borrower."""
    columns = {name: getattr(offers, name).copy() for name in own}
    for name, entry in own.items():
        columns[name][place] = entry
    return offers.but(**columns)


# --- 9. The certificate and the allocation --------------------------------------------------------
def faults_of(folder: str) -> Iterator[str]:
    """What a run says that is not so. Raises Missing, and Wrong where nothing more can be looked at."""
    if not os.path.isdir(folder):
        raise Missing(f"{folder}: no such folder")
    names = ("scenario.json", "certificate.json", "summary.json")
    scenario, certificate, summary = (strict_json(os.path.join(folder, name)) for name in names)
    decided = allocation_of(folder)
    for place, keys in KEYS.items():
        entries(scenario, place, keys)
    brought = brought_by(scenario, entries(certificate, "plugins"))
    need(entries(summary, "plugins") == brought, "summary plugins: not those of the certificate")
    yield from inputs_changed(folder, scenario, entries(certificate, "inputs"))
    run = run_of(folder, scenario, decided, brought, certificate)
    if run.rule == "optimal":
        yield from (f"{what}: {run.book.ids[int(np.argmax(who))]}" for what, who in run.terms.items())
        yield from (f"limit {use.name}: uses {use.used!r} of {use.bound!r}" for use in run.uses if use.broken)
    yield from certificate_faults(run, certificate)
    yield from summary_faults(run, certificate, summary)
    yield from line_faults(run, numbers_of(certificate, "prices"))


def brought_by(scenario: Any, stated: dict[str, Any]) -> dict[str, Any]:
    """What other packages brought to the run. Raises Missing for a measure: nothing says what it is."""
    limits, rule = at(scenario, "policy.limits", []), at(scenario, "strategy", "optimal")
    foreign = {f"measure {at(entry, 'measure')}" for entry in limits if at(entry, "measure") not in MEASURES}
    others = {f"strategy {name}" for name in ([rule] if isinstance(rule, str) else rule)}
    others |= {f"source {key}" for key in source_of(scenario)}
    fits = foreign <= stated.keys() <= foreign | others
    need(fits, f"certificate plugins: {sorted(stated)}, where the scenario names {sorted(foreign)}")
    for name, package in stated.items():
        if name.startswith("measure "):
            known = ", ".join(MEASURES)
            raise Missing(f"the {name} is of the package {package}: this file checks {known} alone")
    return stated


def run_of(folder: str, scenario: Any, decided: Any, brought: Any, certificate: Any) -> Facts:
    """What the inputs give for the amounts and rates that were decided."""
    stress, weights = stress_of(folder, scenario), weights_of(scenario, certificate)
    policy, borrowers = stressed_policy(scenario, stress), borrowers_of(folder, scenario)
    curves = curves_of(folder, scenario, stress, set(borrowers.text("grade")))
    menus = menus_of(policy, curves)
    segments = segments_of(menus, scenario, certificate, borrowers)
    put_under(stress, borrowers)
    worlds = put_mean(scenario, weights, borrowers) if weights else {}
    policy.limits = cuts_among(policy, borrowers, entries(certificate, "cuts"))
    hold_to(entries(scenario, "policy.changes", "rate_moved amounts keep"), borrowers)
    book = book_of(borrowers, policy, menus, segments)
    need(decided["borrower_id"].tolist() == book.ids, "allocation: does not list the borrowers in order")
    run = Facts(scenario=scenario, policy=policy, curves=curves, menus=menus, book=book)
    run.worlds = {} if at(scenario, "stress.worst_of") is None else worlds
    run.left = None if segments is None else segments.posted
    run.rule, run.segments, run.decided = rule_of(scenario, brought), segments, decided
    measure_risk(book, policy, borrowers)
    book.tied_up = None if policy.capital_cost is None else book.requirements()
    run.rows = rows_of(policy, borrowers, book)
    run.operations = 26 + sum(6 if limit.measure == "value" else 2 for limit in policy.limits)
    run.lines, allowed = ledger_of(run, decided["amount"], decided["rate"])
    more = () if policy.capital_cost is None else ON_CAPITAL
    need([*more] == [name for name in ON_CAPITAL if name in decided], "allocation: columns of capital")
    run.figures, run.costs = (*FIGURES, *more), (*COSTS, *more[:1])
    for rows in run.rows:
        if rows.given is not None:  # it must hold if its group is lent anything
            rows.penalty = math.inf if np.any(run.lines["amount"][rows.given] > 0) else 0.0
    run.conditional = {rows.limit: rows.given for rows in run.rows if rows.given is not None}
    alone = any(limit.by for limit in policy.limits) or "lists" in certificate
    need(not (run.conditional and alone), "policy.limits: a condition beside a convex limit, or a price list")
    run.uses = uses_of(run.rows, book, {basis: run.lines[name] for basis, name in BASES.items()})
    run.terms = broken_terms(run, decided["amount"], allowed)
    convex = {limit.name: limit for limit in policy.limits if limit.by}
    for use in run.uses:
        if use.name in convex:
            put_convex(use, convex[use.name], run, borrowers)
    run.broken = [use.name for use in run.uses if use.broken]
    run.unspent = run.uses[0].bound - run.uses[0].used if policy.spend == "at_most" else 0.0
    return run


def rule_of(scenario: Any, brought: dict[str, Any]) -> Any:
    """The name of the strategy."""
    rule = at(scenario, "strategy", "optimal")
    if isinstance(rule, str):
        return rule
    foreign = [key.removeprefix("strategy ") for key in brought if key.startswith("strategy ")]
    stated = entries(scenario, "strategy", " ".join(("ahp_lines min_loss file columns", *foreign)))
    return next((name for name in ("ahp_lines", "min_loss", "file", *foreign) if name in stated), "")


def put_convex(use: Facts, limit: Facts, run: Facts, borrowers: Borrowers) -> None:
    """What a limit uses that counts nobody: its index, or the mean loss of the worst years."""
    if limit.measure == "hhi":
        index = index_of(limit, run, borrowers)
        over = max(index - exact(use.bound), Fraction(0))
        use.used, use.scale, use.excess, use.broken = float(index), use.bound, float(over), over > 0
        return
    basis, _, weight = MEASURES[limit.measure]
    owed = np.where(borrowers.passes(limit.where), run.lines[BASES[basis]] + run.book.exposure, 0.0)
    of_groups = owed * (weight(run.book) if limit.top else 1.0), borrowers.text(limit.by)
    use.used = largest(limit.top, *of_groups) if limit.top else run.policy.factors.worst(owed)
    use.scale, use.excess = abs(use.bound), max(use.used - use.bound, 0.0)
    use.broken = use.excess > 1e-9 * use.scale


def allocation_of(folder: str) -> dict[str, Any]:
    """The columns of the allocation."""
    paths = [os.path.join(folder, f"allocation.{kind}") for kind in ("csv", "parquet")]
    path, *more = [path for path in paths if os.path.exists(path)] or paths[:1]
    held = table_of(path)
    numbers = ("amount", "rate", *FIGURES, *(name for name in ON_CAPITAL if name in held))
    known = not more and held.keys() == {*TEXTS, *numbers}
    need(known, f"{path}: stands twice, or its columns are other than a run writes: {', '.join(held)}")
    columns: dict[str, Any] = {n: as_numbers(held[n], f"{path}, {n}", strict=True) for n in numbers}
    zero = (columns["rate"] == 0) & np.signbit(columns["rate"])
    need(not np.any(np.signbit(columns["amount"]) | zero), f"{path}: an amount below 0, or a rate of -0")
    return columns | {name: np.array([as_text(cell) for cell in held[name]], dtype=object) for name in TEXTS}


def inputs_changed(folder: str, scenario: Any, claimed: dict[str, Any]) -> Iterator[str]:
    """Inputs whose hash is not the stated one; of a database nothing but the copy can be looked at."""
    source = source_of(scenario)
    paths = {name: at(scenario, place) for name, place in FILES.items()}
    paths["churn"] = None if isinstance(paths["churn"], dict) or paths["churn"] == "none" else paths["churn"]
    paths |= {name: path for name, path in at(source, "invoices", {}).items() if name != "duplicates"}
    paths["former"] = at(scenario, "former.file", at(scenario, "former"))
    named = [entry for key, entry in source.items() if key not in READ_BY]
    paths["portfolio"] = None if source.keys() & {"sql", "invoices"} or len(named) != 1 else named[0]
    there = {name: path_of(folder, path) for name, path in paths.items() if path is not None}
    there |= {"former": former_of(folder, scenario)} if "former" in there else {}
    hashes: dict[str, Any] = {name: hash_of(path) for name, path in there.items()}
    hashes |= {} if is_plain(folder, scenario) else {"borrowers": hash_of(copy_of(folder))}
    hashes |= {} if "sql" not in source else {"portfolio": claimed.get("portfolio")}
    for name in dict.fromkeys([*hashes, *claimed]):
        stated = claimed.get(name)
        if hashes.get(name) != stated or not re.fullmatch("sha256:[0-9a-f]{64}", str(stated)):
            yield f"{name}: has changed since the run"


def is_gap(stated: float, bound: float, value: float) -> bool:
    """Whether that is the gap of bound and value."""
    gap = (bound - value) / max(abs(bound), 1.0)
    negative = stated == 0 and math.copysign(1.0, stated) < 0
    return not negative and min(abs(stated - gap), abs(stated - max(gap, 0.0))) <= 1e-12


def certificate_faults(run: Facts, certificate: dict[str, Any]) -> Iterator[str]:
    """What the certificate says that the inputs do not give."""
    entries({"certificate": certificate}, "certificate", f"{STATED} price_bound")
    prices, schema = numbers_of(certificate, "prices"), certificate.get("schema")
    need(type(schema) is int and schema == 1, "certificate: its schema is not 1")
    need(prices.keys() == {use.name for use in run.uses}, "certificate prices: not one per limit")
    for use in run.uses:
        price, away = prices[use.name], {"at_most": -1, "at_least": 1, "exactly": 0}[use.sense]
        if price * away > 0 or abs(price) > use.penalty:
            yield f"certificate prices {use.name}: {price!r} is none of {use.sense}, at most {use.penalty!r}"
    bound, value, gap = (number(certificate, key) for key in ("bound", "value", "gap"))
    yield from value_faults(run, value)
    yield from bound_faults(run, certificate, prices)
    if value > bound + worth_of_excess(run, certificate, prices) and not run.broken and not run.terms:
        yield f"certificate value: {value!r} lies above the bound {bound!r}"
    if not is_gap(gap, bound, value):
        yield f"certificate gap: says {gap!r}, not what bound and value give"
    yield from limit_faults(run, certificate)


def lines_in_each(run: Facts) -> dict[str, Any]:
    """The ledger in each of the stresses whose least value counts, by name; the one there is without such."""
    made = {}
    for name, own in run.worlds.items():
        lines, pd = dict(run.lines), own["pd"]
        lines |= {"interest": lines["gross"] * (1.0 - pd), "expected_loss": lines["drawn"] * pd * own["lgd"]}
        made[name] = lines | {"value": lines["interest"] - sum(lines[cost] for cost in COSTS)}
    return made or {"": run.lines}


def worth_of(run: Facts, lines: Any) -> float:
    """What the offers of a ledger come to, with what idle money earns, less what soft limits cost."""
    beside = [run.policy.idle * run.unspent, *(-use.paid for use in run.uses)]
    return total([*lines["value"].tolist(), *beside])


def worths_of(run: Facts) -> dict[str, float]:
    """What the decisions are worth in each of the stresses whose least value counts, or as they are."""
    return {name: worth_of(run, lines) for name, lines in lines_in_each(run).items()}


def value_faults(run: Facts, value: float) -> Iterator[str]:
    """What is wrong with the value that is stated."""
    worth, error = min(worths_of(run).values()), 0.0
    for lines in lines_in_each(run).values():
        sizes = sum(np.abs(lines[name]) for name in ("interest", *run.costs)).tolist()
        own = U * (12 * total(sizes) + 6 * run.policy.idle * run.uses[0].size)
        error = max(error, own + total(use.doubt for use in run.uses))
    if not worth - 64 * error - 1e-9 * max(abs(worth), 1.0) <= value <= worth - error:
        yield f"certificate value: says {value!r}, the inputs give {worth!r}"


def bound_faults(run: Facts, certificate: dict[str, Any], prices: dict[str, float]) -> Iterator[str]:
    """What is wrong with the bounds that are stated, and with the proof."""
    need("tree" in certificate or not run.conditional, "certificate: limits on a condition, and no tree")
    proofs: dict[str, Any] = {"tree": Tree, "lists": Lists}
    who, charges = np.flatnonzero(run.book.lendable), charges_of(run, prices, {})
    parts = (offers_to(who[k : k + 8192], run) for k in range(0, len(who), 8192))
    ours = values_of(parts, charges, run.operations)
    alone = not proofs.keys() & certificate.keys()
    need(alone != ("price_bound" in certificate), "certificate price_bound: missing, or beside no proof")
    if fault := "" if alone else misstated(number(certificate, "price_bound"), ours):
        yield f"certificate price_bound: {fault}"
    for name, kind in proofs.items():
        if name in certificate:
            proof = kind(run, certificate[name])
            yield from proof.faults()
            if run.conditional or name == "lists" or proof.claimed <= ours.upper:
                ours = Facts(bound=proof.claimed, upper=proof.claimed)
    if fault := misstated(number(certificate, "bound"), ours):
        yield f"certificate bound: {fault}"


def worth_of_excess(run: Facts, certificate: dict[str, Any], prices: dict[str, float]) -> float:
    """What rows that must hold are exceeded by within their tolerance, at the largest price of each."""
    leaves, vectors = (at(certificate, f"lists.{key}", []) for key in ("nodes", "prices"))
    trees = [certificate.get("tree"), *(at(leaf, "tree") for leaf in leaves)]
    every = [numbers_of(node, "prices") for tree in trees for node in at(tree, "nodes", [])]
    every += [prices, *(numbers_of({"own": own}, "own") for own in vectors)]
    dearest = {use.name: max(abs(own.get(use.name, 0.0)) for own in every) for use in run.uses}
    return total(dearest[use.name] * use.excess for use in run.uses if use.penalty == math.inf)


def lenient(use: Facts, entry: Any) -> dict[str, Any]:
    """What is said more of a row that need not hold, its figures as `entry` has them."""
    figures = ["missed", "penalty"] if use.penalty else ["missed"]
    numbers = {key: float(entry[key]) for key in figures if key in entry}
    free = "report" if use.given is None else "not_in_force"
    return {"enforce": {"soft": use.penalty} if use.penalty else free, **numbers}


def limit_faults(run: Facts, certificate: dict[str, Any]) -> Iterator[str]:
    """Rows of the certificate that are used otherwise."""
    stated = certificate.get("limits", [])
    need(isinstance(stated, list) and len(stated) == len(run.uses), "certificate limits: not one per row")
    for entry, use in zip(stated, run.uses, strict=True):
        told = LIMIT_TOLD | set({} if use.penalty == math.inf else lenient(use, {"missed": 0, "penalty": 0}))
        need(entries({"l": entry}, "l").keys() == told, "certificate limits: an entry of other keys")
        near = 1e-9 * use.scale + 64 * U * use.size
        broken = (use.excess / use.scale if use.scale else 1.0) if use.broken else 0.0
        used, bound, price, violation = (number(entry, n) for n in ("used", "bound", "price", "violation"))
        right = all(entry[key] == getattr(use, key) for key in ("name", "measure", "sense"))
        right &= abs(used - use.used) <= near and abs(bound - use.bound) <= near
        right &= price == certificate["prices"][use.name] and (violation > 0) == use.broken
        if use.penalty != math.inf:
            missed = number(entry, "missed")
            right &= entry["enforce"] == lenient(use, {})["enforce"] and (missed > 0) == (use.missed > 0)
            right &= abs(missed - use.missed) <= near
            if use.penalty:
                right &= abs(number(entry, "penalty") - use.paid) <= use.penalty * near
        if not right or abs(violation - broken) > 1e-9 * max(broken, 1.0):
            yield f"certificate limits {use.name}: says {entry}, the inputs give {use}"
    worst = max(entry["violation"] for entry in stated)
    if number(certificate, "largest_violation") != worst:
        yield f"certificate largest_violation: is not {worst!r}, the largest of its limits"


def line_faults(run: Facts, prices: dict[str, float]) -> Iterator[str]:
    """Rows of the allocation that the inputs do not give."""
    stated, lines = run.decided, run.lines
    declined = lines["amount"] == 0
    wrong = {"grade": stated["grade"] != run.book.grade, "reason": (stated["reason"] == "") == declined}
    wrong["reason"] |= declined & contradicted(run, declined, prices)
    for name in ("rate", *run.figures):
        wrong[name] = ~(np.abs(stated[name] - lines[name]) <= 1e-9 * np.maximum(np.abs(lines[name]), 1.0))
    for name, off in wrong.items():
        if np.any(off):
            row = int(np.argmax(off))
            given = lines[name][row] if name in lines else "something else"
            yield f"allocation, row {row + 1}, {name}: says {stated[name][row]!r}, the inputs give {given!r}"


def contradicted(run: Facts, declined: Array, prices: dict[str, float]) -> Any:
    """Whose reason for declining cannot be it."""
    stated, why, named = run.decided["reason"], run.book.why, [use.name for use in run.uses]
    if run.rule == "file":
        return stated != f"not in {os.path.basename(at(run.scenario, 'strategy.file'))}"
    wrong = np.where(why != "", stated != why, np.isin(stated, NO_OFFER))
    open_to = np.flatnonzero(declined & (why == ""))
    reason = stated[open_to]
    groups = {name: group for name, group in run.conditional.items() if np.all(declined[group])}
    aside = {f"left out, so that limit {name} need not hold": group for name, group in groups.items()}
    if run.rule != "optimal":
        known = {NEVER, "passed over: it would not earn its cost"}
        if run.rule == "ahp_lines":
            known |= {"no line for this grade", "no rate of the strategy's band may be offered"}
            lines, taken = {f"{grade} line" for grade in run.book.grade}, {x.name for x in run.policy.limits}
            named += [f"{line} of the strategy" if line in taken else line for line in lines]
        rooms = ("the budget" if name == "budget" else f"limit {name}" for name in named)
        known |= {f"no room left in {room} at its turn" for room in rooms}
        known = {"not needed for the wanted income at the least loss"} if run.rule == "min_loss" else known
        wrong[open_to] = ~np.isin(reason, [*known, *aside])
        for word, group in aside.items():
            wrong |= (stated == word) & ~group
        return wrong
    offers = offers_to(open_to, run)
    own = [answers(offers, charges_of(run, priced, {}), run.operations)[0] for priced in ({}, prices)]
    free, priced = (np.where(offers.held, values, -np.inf).max(axis=1) for values in own)
    near = 1e-9 * np.maximum(offers.high, 1.0)
    bad = np.where(reason == NEVER, free > near, (reason != STEPPED) | (priced < -near))
    for word, group in aside.items():
        out = group[open_to]
        bad |= (reason == STEPPED) & out & (priced > near)
        bad[reason == word] = (~out | (priced < -near))[reason == word]
    for rows in run.rows:
        for k, name in enumerate(rows.names):
            mine = reason == f"crowded out by {'the budget' if name == 'budget' else f'limit {name}'}"
            counted = (rows.row[open_to] == k) | (rows.base[open_to] & bool(rows.of))
            idle = ~counted | (prices[name] == 0)
            bad[mine] = (idle | (free < -near) | (priced > near))[mine]
    wrong[open_to] |= bad
    return wrong


# --- 10. The summary ------------------------------------------------------------------------------
def summed(run: Facts, who: Any, *names: str) -> dict[str, float]:
    """Sums of lines over some borrowers, behind them what these earn on capital where that has a cost."""
    sums = {name: total(run.lines[name][who]) for name in names}
    if run.policy.capital_cost is None:
        return sums
    tied_up, earned = total(run.lines["capital_years"][who]), total(run.earned[who])
    return {**sums, "capital_years": tied_up, "raroc": earned / tied_up if tied_up else 0.0}


def by_grade(run: Facts) -> dict[str, dict[str, float]]:
    """What is told of each grade that somebody has."""
    told, amount = {}, run.lines["amount"]
    for grade in sorted(set(run.book.grade)):
        own = run.book.grade == grade
        offered, weighted = total(amount[own]), total((amount * run.lines["rate"])[own])
        told[grade] = {
            "borrowers": int(own.sum()), "funded": int((amount[own] > 0).sum()), "offered": offered,
            "mean_rate": weighted / offered if offered else 0.0,
            **summed(run, own, "drawn", "interest", *run.costs, "value"),
        }  # fmt: skip
    return told


def limits_told(run: Facts, stated: list[Any]) -> Iterator[dict[str, Any]]:
    """What is told of each row, its figures as the certificate has them."""
    for entry, use in zip(stated, run.uses, strict=True):
        room = float(entry["bound"] - entry["used"])
        slack = {"at_most": room, "at_least": -room, "exactly": -abs(room)}[use.sense]
        expected = {key: float(entry[key]) for key in ("used", "bound", "price")} | {"slack": slack}
        expected |= {"name": use.name, "measure": use.measure, "sense": use.sense, "broken": use.broken}
        if use.penalty != math.inf:
            expected |= lenient(use, entry)
        yield {**expected, "binding": bool(use.penalty and abs(slack) <= 1e-9 * use.scale)}


def expected_summary(run: Facts, certificate: dict[str, Any]) -> dict[str, Any]:
    """The keys that follow from the inputs, and what stands there."""
    amount, followed = run.lines["amount"], at(run.scenario, "strategy.file")
    paid = [use.paid for use in run.uses if 0 < use.penalty < math.inf]
    return {
        "schema": 1, "name": at(run.scenario, "name"), "currency": at(run.scenario, "policy.currency"),
        "objective": float(certificate["value"]), "certified_bound": float(certificate["bound"]),
        "certified_gap": float(certificate["gap"]), "limits_broken": run.broken,
        "strategy": run.rule if followed is None else os.path.basename(followed),
        "terms_broken": {what: int(who.sum()) for what, who in run.terms.items()},
        "offered": total(amount), **summed(run, slice(None), "drawn", "interest", *run.costs),
        "idle_income": run.policy.idle * run.unspent,
        "budget_unspent": run.unspent, **({"limit_penalty": total(paid)} if paid else {}),
        **in_each(run, certificate), "borrowers": len(run.book.ids),
        "refusal_constant": -run.policy.decline * total(run.book.worth),
        "funded": int((amount > 0).sum()), "by_grade": by_grade(run),
        "limits": [*limits_told(run, certificate["limits"])],
        "digest": digest(run.scenario, certificate["inputs"]),
        **{key: certificate[key] for key in ("plugins",) if key in certificate},
        **({"price_list": at(certificate, "lists.posted")} if "lists" in certificate else {}),
        **({"per_point": points} if (points := per_point(run, certificate["limits"])) else {}),
    }  # fmt: skip


def in_each(run: Facts, certificate: dict[str, Any]) -> dict[str, Any]:
    """What is said where the least of several values counts."""
    if not run.worlds:
        return {}
    worths, weights = worths_of(run), numbers_of(certificate, "weights")
    each = {name: {"weight": weights[name], "value": worth} for name, worth in worths.items()}
    return {"worst_of": each, "above_worst": worth_of(run, run.lines) - min(worths.values())}


def per_point(run: Facts, stated: list[Any]) -> dict[str, float]:
    """What a percentage point more of each share adds, all rows of a limit together."""
    adds: dict[str, float] = {}
    for limit, rows in zip(run.policy.limits, run.rows[1:], strict=True):
        named, own = limit.entry, limit.parent or limit
        per = 2.0 * own.bound if own.measure == "hhi" else own.bound
        for entry in stated if limit.of and limit.bound else []:
            if entry["name"] in rows.names and entry["price"]:
                per_percent = float(entry["price"]) * float(entry["bound"]) / per / 100.0
                adds[named] = adds.get(named, 0.0) + per_percent
    return adds


def unlike(stated: Any, computed: Any, place: str, worth: float) -> Iterator[str]:
    """Where a document is not what the inputs give; sums of money agree up to the rounding of such sums."""
    if isinstance(computed, dict) and isinstance(stated, dict):
        for key in dict.fromkeys([*computed, *stated]):
            if key in computed and key in stated:
                yield from unlike(stated[key], computed[key], f"{place} {key}", worth)
            else:
                yield f"{place} {key}: is {'missing' if key in computed else 'not known'}"
    elif isinstance(computed, list) and isinstance(stated, list) and len(computed) == len(stated):
        for k, (left, right) in enumerate(zip(stated, computed, strict=True)):
            yield from unlike(left, right, f"{place}[{k}]", worth)
    elif isinstance(computed, float) and isinstance(stated, int | float) and not isinstance(stated, bool):
        rounding = 0.0 if place.endswith(("mean_rate", "raroc")) else 1e-14 * worth
        if not abs(stated - computed) <= 1e-9 * max(abs(computed), 1.0) + rounding:
            yield f"{place}: says {stated!r}, the inputs give {computed!r}"
    elif type(stated) is not type(computed) or stated != computed:
        yield f"{place}: says {stated!r}, the inputs give {computed!r}"


def summary_faults(run: Facts, certificate: dict[str, Any], stated: dict[str, Any]) -> Iterator[str]:
    """What the summary says that inputs and certificate do not give."""
    expected = expected_summary(run, certificate)
    expected = {key: own for key, own in expected.items() if key != "per_point" or key in stated}
    free: dict[str, type] = {"notes": list, "seconds": dict, "versions": dict, "solved_at": str}
    words = ("status", "stop", "proof", "bound", "gap", "method", "peak_memory_mb", *free)
    checked = {key: entry for key, entry in stated.items() if key not in words}
    yield from unlike(checked, expected, "summary", max(abs(certificate["bound"]), expected["offered"], 1.0))
    summary = {"solved_at": "", **stated}  # which older runs do not say
    wrong = (key for key, kind in free.items() if not isinstance(summary.get(key), kind))
    yield from (f"summary {key}: is not of its kind" for key in wrong)
    bound, gap, memory = (number(stated, key) for key in ("bound", "gap", "peak_memory_mb"))
    spent = (memory, *numbers_of(stated, "seconds").values())
    texts = (*entries(stated, "versions").values(), *at(stated, "notes", []))
    if any(math.copysign(1.0, own) < 0 for own in spent) or not all(isinstance(own, str) for own in texts):
        yield "summary seconds, versions, notes or peak_memory_mb: below 0, or no text"
    value, certified, broken = certificate["value"], certificate["bound"], bool(run.broken or run.terms)
    asked = number(run.scenario, "solver.gap", 1e-9)
    least = value if not broken else -math.inf if stated.get("proof") == "solver" else certified
    if not least <= bound <= max(least, certified):
        yield f"summary bound: says {bound!r}, outside {least!r} to {certified!r}"
    for left, right in zip(stated["limits"], certificate["limits"], strict=False):
        if any(left[key] != right[key] for key in ("used", "bound", "price")):
            yield f"summary limits {right['name']}: says other figures than the certificate"
    if not is_gap(gap, bound, value):
        yield f"summary gap: says {gap!r}, not what bound and objective give"
    own = "tree" if {"tree", "lists"} & certificate.keys() else "prices"
    method = at(run.scenario, "solver.method", "auto")
    late = run.rule == "optimal" and gap > asked + 1e-9
    capped = {"memory"} if at(run.scenario, "solver.memory") is not None else set()
    possible: dict[str, set[Any]] = {
        "objective": {value}, "certified_bound": {certified}, "certified_gap": {certificate["gap"]},
        "status": {"breaks_limits" if broken else "optimal" if gap <= asked else "feasible"},
        "proof": {"solver"} if bound < certified else {own, "solver"} if bound == value else {own},
        "stop": {"time_limit", "exhausted"} | (set() if late else {"gap"}) | capped,
        "method": {"exact", "reduced"} if method == "auto" else {method},
    }  # fmt: skip
    for key, known in possible.items():
        if stated.get(key) not in known:
            yield f"summary {key}: says {stated.get(key)!r}, where only {sorted(map(str, known))} can be"


def digest(scenario: Any, inputs: Any) -> str:
    """Facts the scenario without its paths, of how its source is read, and of the inputs' hashes."""

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [whole(entry) for entry in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    document, source = whole(scenario), source_of(scenario)
    named = {name for limit in at(document, "policy.limits", []) for name in limit.get("under", [])}
    named |= {*at(document, "stress.mean_of", {}), *at(document, "stress.worst_of", [])}
    kept = {name: own for name, own in at(document, "stresses", {}).items() if name in named}
    document |= {"stresses": kept} if kept else {}
    for place in (*([] if kept else ["stresses"]), "portfolio.source", *FILES.values()):
        above, _, last = place.rpartition(".")
        if isinstance(at(document, above), dict):
            at(document, above).pop(last, None)
    if isinstance(document.get("former"), str):
        document.pop("former")
    if isinstance(at(scenario, "response.churn"), dict):  # by parameters: no file says it
        document["response"]["churn"] = whole(scenario["response"]["churn"])
    described = {**source, **source.get("invoices", {})}
    read_by = {key: described[key] for key in READ_BY if key in described}
    parts = [document, read_by, inputs]
    pricing = at(document, "policy.pricing")
    if "monotone" in (pricing, pricing.get("grades") if isinstance(pricing, dict) else None):
        parts.append(list(document["policy"]["rates"]))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def check(folder: str) -> list[str]:
    """Every fault of a run. Raises Missing where a file is not there."""
    faults: list[str] = []
    try:
        with np.errstate(all="ignore"):
            faults.extend(faults_of(folder))
    except (Wrong, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        kind = "" if isinstance(error, Wrong) else "something is not of the kind that runs hold: "
        faults.append(f"{kind}{error}")
    return faults


def main(arguments: Sequence[str]) -> int:
    """The program: prints every fault."""
    try:
        if len(arguments) != 1:
            raise Missing("usage: python checker.py RUN")
        faults = check(arguments[0])
    except Missing as missing:
        print(f"missing: {missing}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    print(f"{arguments[0]}: {f'{len(faults)} faults, it does not hold' if faults else 'it holds'}")
    return 5 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
