"""The workbook to be filled in: a scenario's keys with what they mean, and sheets for all that has rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from allocator.records.columns import COLUMNS
from allocator.records.curves import Smoothing
from allocator.records.document import CHURN, SOURCE
from allocator.records.scenario import Basis, Reference, Spend
from allocator.records.strategy import NamedRule
from allocator.records.workbook import Cell, Choice, Column, Kind, Sheet, Table, Workbook
from allocator.scenario.limit_schema import MEASURES
from allocator.scenario.places import REQUIRED, section_at
from allocator.scenario.typed import field_texts
from allocator.scenario.workbook import BORROWERS, CURVE, LIMIT_SHEET, RATE_COLUMNS, RATES, SCENARIO

_SPARE = 1_000
"""Rows below the example that what may be typed is checked in."""
_KEYS: tuple[tuple[str, Any], ...] = (
    ("name", "my-book"),
    ("policy.currency", "EUR"),
    ("policy.budget.amount", 1_000_000),
    ("policy.budget.spend", "at_most"),
    ("policy.budget.basis", "offered"),
    ("policy.ticket.min", 50_000),
    ("policy.ticket.max", 500_000),
    ("policy.ticket.step", 1_000),
    ("policy.term_years", 1),
    ("policy.funding_rate", "2%"),
    ("policy.churn_cost_rate", 0),
    ("policy.decline_churn", 0),
    ("policy.idle_rate", 0),
    ("policy.processing_cost", 0),
    ("policy.rate_grid", "{step: 0.5%}"),
    ("response.smoothing", "none"),
    ("strategy", "optimal"),
    ("solver.time_limit", 60),
    ("solver.gap", 1e-9),
    ("portfolio.source", None),
    ("portfolio.defaults.lgd", None),
    ("response.churn", None),
)
"""Keys with the example's values; None: left empty."""
_SHEETS = {SOURCE: f"empty: the sheet {BORROWERS}", CHURN: f"empty: the sheet {CURVE}"}
_CHOICES: dict[str, tuple[str, ...]] = {
    "policy.budget.spend": get_args(Spend), "policy.budget.basis": get_args(Basis),
    "response.smoothing": get_args(Smoothing), "strategy": get_args(NamedRule),
}  # fmt: skip
_BAND = {"A": (0.03, 0.09), "B": (0.05, 0.12), "C": (0.08, 0.15)}
_LIMITS: tuple[dict[str, Any], ...] = (
    {"name": "C line", "measure": "offered", "where": "grade: C", "at_most": 0.3, "of": "budget"},
    {"name": "sectors", "measure": "offered", "each": "sector", "at_most": 0.6, "of": "total"},
    {"name": "loss rate", "measure": "expected_loss", "at_most": "2%", "of": "drawn"},
    {"name": "book size", "measure": "loans", "at_least": 3},
)
_LIMIT_KEYS = ("name", "measure", "where", "each", "at_most", "at_least", "exactly", "of", "weight")
_FIRMS: tuple[dict[str, Any], ...] = (
    {
        "borrower_id": "0001",
        "grade": "A",
        "pd": 0.005,
        "lgd": 0.45,
        "max_amount": 400_000,
        "sector": "retail",
    },
    {"borrower_id": "0002", "grade": "A", "pd": 0.008, "lgd": 0.4, "max_amount": 250_000, "sector": "food"},
    {"borrower_id": "0003", "grade": "B", "pd": 0.02, "lgd": 0.45, "max_amount": 300_000, "sector": "retail"},
    {"borrower_id": "0004", "grade": "B", "pd": 0.03, "lgd": 0.5, "max_amount": 500_000, "sector": "steel"},
    {"borrower_id": "0005", "grade": "C", "pd": 0.06, "lgd": 0.5, "max_amount": 350_000, "sector": "food"},
)
_CURVE = {
    "rate": (0.03, 0.05, 0.08, 0.12, 0.15), "A": (0.0, 0.2, 0.5, 0.85, 0.95),
    "B": (0.0, 0.1, 0.35, 0.7, 0.85), "C": (0.0, 0.05, 0.2, 0.5, 0.7),
}  # fmt: skip
_KINDS: dict[str, Kind] = {"text": "text", "flag": "number", "share": "share", "rate": "factor",
                           "years": "number", "money": "money"}  # fmt: skip
_SHARE = Choice(low=0.0, high=1.0, says="A fraction from 0 to 1: 5% or 0.05.")
_GRADE = Choice(source=f"={RATES}!$A$2:$A${_SPARE}", says=f"A grade of the sheet {RATES}.", strict=False)


def form() -> Workbook:
    """The workbook with an example that can be solved as it is."""
    keys = Table(tuple(_scenario_columns()))
    return Workbook(
        (
            Sheet(SCENARIO, (keys, (), *((Cell(line, "note"),) for line in _NOTES)), (30, 22, 26, 100)),
            Sheet(RATES, (Table(tuple(_rate_columns()), spare=100),)),
            Sheet(LIMIT_SHEET, (Table(tuple(_limit_columns()), spare=200),)),
            Sheet(BORROWERS, (Table(tuple(_borrower_columns()), spare=_SPARE),)),
            Sheet(CURVE, (Table(tuple(_curve_columns()), spare=200),)),
        ),
        "A scenario to be filled in",
    )


_NOTES = (
    "Every key of docs/scenario.md may be added in a row of its own; what has braces is read as YAML. "
    "A row without a value is passed over.",
    f"{RATES}: a grade without a band is declined. {LIMIT_SHEET}: a row a limit, one of at_most, at_least "
    "and exactly; where as `grade: A` or `sector: [retail, food], pd: {above: 5%}`.",
    f"{BORROWERS}: a row a borrower; further columns may be added, for limits to use. {CURVE}: the share of "
    "customers who walk away at each rate.",
    "Then: allocator check FILE.xlsx, allocator solve FILE.xlsx --xlsx RESULT.xlsx",
)


def _scenario_columns() -> Iterator[Column]:
    names, texts = [name for name, _ in _KEYS], field_texts()
    yield Column("key", "key", "text", names, width=30)
    choices = [_choice_of(name) for name in names]
    yield Column("value", "value", "number", [value for _, value in _KEYS], width=22, choice=choices)
    yield Column("expected", "expected", "note", [_expected(name) for name in names], width=26)
    yield Column("meaning", "meaning", "note", [_meaning(name, texts) for name in names], width=100)


def _choice_of(key: str) -> Choice | None:
    among = _CHOICES.get(key, ())
    return Choice(among, says=f"One of {', '.join(among)}.", strict=key != "strategy") if among else None


def _expected(key: str) -> str:
    steps = tuple(key.split("."))
    if steps in _SHEETS:
        return _SHEETS[steps]
    if key in _CHOICES:
        return " or ".join(_CHOICES[key][:3]) + (", ..." if len(_CHOICES[key]) > 3 else "")
    return "required" if steps in REQUIRED else "optional"


def _meaning(key: str, texts: Mapping[str, Mapping[str, str]]) -> str:
    """The schema's sentence on the key, from the `texts` of its sections."""
    *above, last = key.split(".")
    section = section_at(tuple(above))
    about = "" if section is None else texts.get(section.__name__, {}).get(last, "")
    if not about:  # a section with a key per column
        about = next((column.about for column in COLUMNS if column.name == last), "")
    return " ".join(about.split())


def _rate_columns() -> Iterator[Column]:
    grade, low, high = RATE_COLUMNS
    yield Column(grade, grade, "text", [*_BAND], width=10)
    yield Column(low, low, "factor", [band[0] for band in _BAND.values()], choice=_SHARE)
    yield Column(high, high, "factor", [band[1] for band in _BAND.values()], choice=_SHARE)


def _limit_columns() -> Iterator[Column]:
    choices = {
        "measure": Choice(MEASURES, says="What is summed: one of the list."),
        "of": Choice(
            get_args(Reference), says="budget, own_funds, former, total or drawn; empty: an amount, a number."
        ),
    }
    for key in _LIMIT_KEYS:
        kind: Kind = "number" if key in ("at_most", "at_least", "exactly") else "text"
        width = 36 if key == "where" else 18 if key == "name" else 13
        values = [entry.get(key) for entry in _LIMITS]
        yield Column(key, key, kind, values, width=width, choice=choices.get(key))


def _borrower_columns() -> Iterator[Column]:
    amount = Choice(low=0.0, says="An amount, 0 or more.")
    choices = {"share": _SHARE, "rate": _SHARE, "money": amount,
               "flag": Choice(("TRUE", "FALSE"), says="TRUE or FALSE, or empty.")}  # fmt: skip
    for column in COLUMNS:
        if column.name == "term_years":  # of the policy, unless the column is added
            continue
        values = [firm.get(column.name) for firm in _FIRMS]
        choice = _GRADE if column.name == "grade" else choices.get(column.kind)
        yield Column(column.name, column.name, _KINDS[column.kind], values, width=15, choice=choice)
    yield Column("sector", "sector", "text", [firm["sector"] for firm in _FIRMS], width=15)


def _curve_columns() -> Iterator[Column]:
    for name, values in _CURVE.items():
        yield Column(name, name, "share", values, width=10, choice=_SHARE)
