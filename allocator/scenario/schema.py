"""What people type in a scenario file, section by section.

See also `source_schema`, `policy_schema`, `limit_schema`, `stress_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
)

from allocator.records.columns import COLUMNS, Column
from allocator.records.curves import Smoothing
from allocator.records.document import NO_CHURN
from allocator.records.former import FORMER, MONEY_MOVED
from allocator.records.misfits import Misfit, describe, refuse
from allocator.records.strategy import Method
from allocator.scenario.changes_schema import ChangesEntry
from allocator.scenario.policy_schema import PolicyEntry
from allocator.scenario.quantities import (
    Flag,
    Memory,
    Money,
    PositiveMoney,
    PositiveWhole,
    Rate,
    Seconds,
    Share,
    SignedRate,
    Slope,
    Text,
    Whole,
    Years,
    one_of,
    text,
)
from allocator.scenario.source_schema import PATH, InvoiceSource, Source
from allocator.scenario.strategy_schema import BookColumnsEntry, StrategyEntry
from allocator.scenario.stress_schema import NamedStresses, StressEntry
from allocator.scenario.typed import Typed, told_by_keys

_SAFE = re.compile(r"[^\W_][\w.-]{0,99}")


def _safe_name(value: object) -> str:
    """A scenario's name, which also names the folders of its runs."""
    name = text(value)
    if _SAFE.fullmatch(name):
        return name
    suggestion = re.sub(r"[^\w.-]+", "-", name).strip("-._")[:100] or "my-scenario"
    problem = f"{name!r} cannot name a folder: expected letters, digits, - _ . and a letter or digit first"
    raise refuse(Misfit(problem, f"write `name: {suggestion}`"))


def _schema_number(value: object) -> object:
    if value in ("1", 1) and not isinstance(value, bool):
        return 1
    raise refuse(Misfit(f"schema {describe(value)} is not known, expected 1", "write `schema: 1`"))


Name = Annotated[
    str, BeforeValidator(_safe_name), WithJsonSchema({"type": ["string", "number"], "unit": "text"})
]


class AnyColumn(Typed):
    """Columns by name: the canonical ones, which the schema lists, and those that a limit uses."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Text] = Field(init=False)


_KINDS: dict[str, Any] = {
    "text": Text, "flag": Flag, "share": Share, "rate": SignedRate, "years": Years, "money": Money,
}  # fmt: skip


def _default_of(column: Column) -> Any:
    """What may be typed as everybody's value of a column."""
    positive = column.positive or column.name == "max_amount"
    return PositiveMoney if column.kind == "money" and positive else _KINDS[column.kind]


def _by_column(name: str, about: str, columns: Iterable[Column], typed: Callable[[Column], Any]) -> Any:
    """A section with one optional key a column, and any other that a limit uses."""
    keys = {
        column.name: (typed(column) | None, Field(default=None, description=column.about))
        for column in columns
    }
    fields: dict[str, Any] = keys
    return create_model(name, __base__=AnyColumn, __doc__=about, **fields)


if TYPE_CHECKING:
    ColumnsEntry = AnyColumn
    DefaultsEntry = AnyColumn
else:
    ColumnsEntry = _by_column(
        "ColumnsEntry",
        "Columns (canonical, or used by a limit) and the source's names for them, where those differ.",
        COLUMNS,
        lambda column: Text,
    )
    DefaultsEntry = _by_column(
        "DefaultsEntry",
        "Values for columns (canonical, or used by a limit) that the source lacks.",
        COLUMNS[1:],
        _default_of,
    )


def _says_pd(columns: AnyColumn | None) -> bool:
    return columns is not None and columns.model_dump().get("pd") is not None


class PortfolioEntry(Typed):
    """Where the borrowers are and how to read them."""

    source: Annotated[
        Source, Field(examples=["borrowers.csv"], json_schema_extra={"unit": "path or mapping"})
    ]
    """The borrowers: a file, or a mapping that says how to read it."""
    columns: ColumnsEntry = ColumnsEntry()
    """Column, canonical or used by a limit: the source's name for it."""
    defaults: DefaultsEntry = DefaultsEntry()
    """Column, canonical or used by a limit: the value of every borrower where the source lacks it."""
    pd_by_grade: dict[Text, Share] = Field(default_factory=dict)
    """Probability of default of each grade, where the source has no column pd."""
    scorecard: Annotated[
        Text | None, Field(examples=["../models/grades/cumcm-2020-v1.json"], json_schema_extra=PATH)
    ] = Field(default=None, validate_default=True)
    """Fitted file (`allocator fit`) that gives PD, and grade and LGD where it knows them, in place of the
    source's own columns. Invoices need one."""

    @field_validator("pd_by_grade")
    @classmethod
    def _one_pd(cls, by_grade: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        defaults = info.data.get("defaults")
        if by_grade and _says_pd(defaults):
            problem = "defaults.pd also says what a missing column pd is"
            raise refuse(Misfit(problem, "keep pd_by_grade or defaults.pd, not both"))
        return by_grade

    @field_validator("scorecard")
    @classmethod
    def _one_source_of_pd(cls, scorecard: str | None, info: ValidationInfo) -> str | None:
        source, columns = info.data.get("source"), info.data.get("columns")
        if scorecard is None:
            if isinstance(source, InvoiceSource):
                problem = "invoices say nothing of grade and PD by themselves"
                remedy = "add `scorecard: FILE`, one that `allocator fit grade` wrote"
                raise refuse(Misfit(problem, remedy, up=True))
            return scorecard
        given = {
            "columns.pd": _says_pd(columns),
            "defaults.pd": _says_pd(info.data.get("defaults")),
            "pd_by_grade": bool(info.data.get("pd_by_grade")),
        }
        findings = [
            Misfit(f"{key} also says what PD is", f"keep the scorecard or {key}, not both")
            for key, twice in given.items()
            if twice
        ]
        if findings:
            raise refuse(*findings)
        return scorecard


class LogisticEntry(Typed):
    """Churn of 1 / (1 + exp(-slope (rate - midpoint))) at each basis point, straight between them."""

    midpoint: Annotated[Rate, Field(examples=["11%"])]
    """Rate at which half of the customers walk away."""
    slope: Annotated[Slope, Field(examples=["40"])]
    """By how much the log-odds of walking away grow: at 40 by 0.4 a percentage point."""


def _some_grade(curves: dict[str, LogisticEntry]) -> dict[str, LogisticEntry]:
    if not curves:
        raise refuse(Misfit("no grade has a curve", "write one, as A: {midpoint: 11%, slope: 40}"))
    return curves


class CurveEntry(Typed):
    """Churn curves by parameters, in the place of a table; rate_grid is a step, or contract."""

    logistic: Annotated[dict[Text, LogisticEntry], AfterValidator(_some_grade)]
    """Grade: its logistic curve."""


class ResponseEntry(Typed):
    """How customers answer to a rate."""

    churn: Annotated[
        Annotated[Text, Tag("<file>")] | Annotated[CurveEntry, Tag("<logistic>")],
        told_by_keys("<file>", CurveEntry),
        Field(examples=["../models/churn/cumcm-2020.csv"], json_schema_extra={"unit": "path or mapping"}),
    ]
    """Churn curve: a CSV file with a column of rates, then one column per grade; or curves by parameters;
    none: nobody walks away at any rate, and rate_grid is a step, or contract."""
    smoothing: Annotated[Smoothing, one_of(*get_args(Smoothing))] = "none"
    """isotonic makes each grade's churn increase with the rate (equal-weight pool-adjacent-violators)."""


class FormerEntry(Typed):
    """The offers of the former run, in a table with other names for its columns."""

    file: Annotated[Text, Field(examples=["offers.csv"], json_schema_extra=PATH)]
    """Table with borrower_id, amount and rate, or the folder of a run."""
    columns: BookColumnsEntry = BookColumnsEntry()
    """Column: the file's name for it."""


class SolverEntry(Typed):
    """How long and how hard to search."""

    method: Annotated[Method, one_of(*get_args(Method))] = "auto"
    """exact solves the whole formulation, reduced a core of it; auto decides by size."""
    gap: Share = 1e-9
    """Relative distance to the proven bound at which the search ends."""
    time_limit: Seconds = 60.0
    """Wall time after which the best allocation found is taken: of each solve, of which a frontier or a
    stress has one a point."""
    memory: Annotated[Memory, Field(examples=["8 GB"])] | None = None
    """Memory, as 8 GB or 500 MB, that the process may use before the best allocation found is taken;
    absent: all there is."""
    threads: PositiveWhole = 2
    """Threads of the solver."""
    seed: Whole = 0
    """Seed of the solver's random choices."""


def _misfits_of_curves(policy: PolicyEntry, churn: object) -> list[Misfit]:
    """Grades without a curve, where curves are by parameters, and rates of a table that is not there."""
    by_parameters = dict(churn) if isinstance(churn, Typed) else {}
    misfits = [
        Misfit(
            f"grade {grade} has no churn curve",
            f"give it one under response.churn.{formula}, or take its band away",
            below=("rates", grade),
        )
        for formula, curves in by_parameters.items()
        for grade in policy.rates
        if grade not in curves
    ]
    if policy.rate_grid == "table" and (churn == NO_CHURN or by_parameters):
        what = "churn curve" if churn == NO_CHURN else "table of churn"
        problem = f"there is no {what} whose rates could be offered"
        misfits.append(Misfit(problem, "write a step, as rate_grid: {step: 0.25%}", below=("rate_grid",)))
    return misfits


def _misfits_of_changes(policy: PolicyEntry) -> list[Misfit]:
    """What of the policy is about a former run, where the file names none."""
    remedy = "add `former: FOLDER`, a run's, or a file of its offers"
    changes = ("clients_changed", MONEY_MOVED)
    misfits = [
        Misfit(f"there is no former run that {what}", remedy, below=("limits", place, key))
        for key, what in (
            ("measure", "clients could change from"),
            ("of", "the limit could be a share of"),
        )
        for place, limit in enumerate(policy.limits)
        if (
            limit.measure in changes
            if key == "measure"
            else limit.of == FORMER and limit.measure not in changes
        )
    ]
    if policy.changes != ChangesEntry():
        misfits.append(Misfit("there is no former run whose offers could change", remedy, below=("changes",)))
    return misfits


class ScenarioFile(Typed):
    """One scenario file, merged with those that it extends."""

    version: Annotated[Literal[1], BeforeValidator(_schema_number), Field(alias="schema", examples=["1"])]
    """Version of this format."""
    name: Name
    """Name of the scenario and its runs; absent: the file's name without its ending."""
    portfolio: PortfolioEntry
    """The borrowers."""
    response: ResponseEntry
    """The customers' answers."""
    former: Annotated[
        Annotated[
            Annotated[Text, Tag("<path>")] | Annotated[FormerEntry, Tag("<file>")],
            told_by_keys("<path>", FormerEntry),
        ]
        | None,
        Field(examples=["../runs/last-month"], json_schema_extra={"unit": "path or mapping"}),
    ] = None
    """The run that changes are counted from: its folder, or a table of its offers. The borrowers gain the
    columns former (served, declined, or new), former_amount and former_rate."""
    policy: PolicyEntry
    """What the lender allows."""
    stress: StressEntry | None = None
    """Factors on PD, LGD, requests, churn, funding and limits, put on before anything is priced."""
    stresses: NamedStresses = Field(default_factory=dict)
    """Name, any but base: a stress of the same form, put on top of `stress` by `allocator stress`; absent:
    its built-in ones."""
    strategy: StrategyEntry = "optimal"
    """How amounts and rates are chosen: the optimum, or a rule to compare it with."""
    solver: SolverEntry = SolverEntry()
    """The search."""

    @field_validator("policy")
    @classmethod
    def _some_rates(cls, policy: PolicyEntry, info: ValidationInfo) -> PolicyEntry:
        response = info.data.get("response")
        churn = None if response is None else response.churn
        findings = _misfits_of_curves(policy, churn)
        if info.data.get("former", "unread") is None:
            findings += _misfits_of_changes(policy)
        if findings:
            raise refuse(*findings)
        return policy
