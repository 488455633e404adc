"""The borrowers of a scenario: read, or scored first; stressed last.

    table ─────────────────────► Portfolio ─┐
    table ──────► scorecard ───► Portfolio ─┼─► stress ─► what every later stage sees
    invoices ───► scorecard ───► Portfolio ─┘

One path for whoever needs them: solve, its recheck, check and score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from allocator.errors import Fault, InputError, gathering
from allocator.intake import content_hash, one_reading
from allocator.portfolio import (
    fingerprint,
    held_to,
    load_portfolio,
    off_curve,
    portfolio_as_csv,
    read_book,
    stands_as_it_is,
    with_columns,
    with_facts,
    with_former,
    with_numeric_columns,
)
from allocator.pricing.churn import never_walking, read_churn_table, sampled_table, with_zero_churn
from allocator.records.case import Inputs
from allocator.records.columns import CANONICAL, NUMBERS
from allocator.records.filters import mean_over
from allocator.records.former import FORMER_NUMBERS, FORMER_TEXTS
from allocator.records.frames import File, Frame
from allocator.records.portfolio import ChurnTable, Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import PortfolioSource, Scenario
from allocator.records.sources import InvoiceFiles
from allocator.records.stress import Stress, StressSource
from allocator.tables import fetch_whole, source_of

# scoring is imported where it is used: a scenario without a scorecard need not wait for it to load.
if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from allocator.scoring.fitted import Fitted
    from allocator.scoring.invoices import InvoiceNotes
    from allocator.scoring.levels import UnseenLevel
    from allocator.scoring.reading import ImputedVariable

Read = TypeVar("Read")


@dataclass(frozen=True)
class ExaminedInputs:
    """What could be read of a scenario's inputs, and everything that is wrong with them."""

    portfolio: Portfolio | None
    churn: ChurnTable | None
    book: Decisions | None
    lines: dict[str, float] | None
    errors: tuple[InputError, ...]
    notes: tuple[str, ...] = ()
    """What stands for empty cells and unseen levels, and idle cases of the stress, in words."""

    before: Portfolio | None = None
    """The portfolio before the stress."""

    @property
    def faults(self) -> list[Fault]:
        """Those of all errors."""
        return [fault for error in self.errors for fault in error.faults]


@dataclass(frozen=True)
class _ScoredBorrowers:
    """Borrowers with a scorecard's columns put in under canonical names, in the place of their own."""

    table: pa.Table
    given: tuple[str, ...]
    """The columns that the scorecard gave."""
    notes: tuple[InvoiceNotes, ...] = ()
    """What was found in files of invoices."""
    imputed: tuple[ImputedVariable, ...] = ()
    """Variables of the scorecard with empty cells."""
    unseen: tuple[UnseenLevel, ...] = ()
    """Levels that the scorecard's fit has not seen."""

    @property
    def imputations(self) -> tuple[str, ...]:
        """What stands for empty cells and unseen levels, in words."""
        from allocator.scoring.levels import unseen_lines
        from allocator.scoring.reading import imputed_lines

        empty = [f"{name}: {how}" for name, how in imputed_lines(self.imputed).items()]
        return (*unseen_lines(self.unseen), *empty)


_FIGURES = {column.name for column in NUMBERS} | {"exclude"}
"""Canonical columns that hold no texts."""


@dataclass(frozen=True)
class FurtherColumns:
    """Further columns of the source, for those who ask more of the borrowers than limits do."""

    texts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, stresses: Iterable[Stress]) -> FurtherColumns:
        """Those that the conditions of `stresses` read."""
        some = list(stresses)
        return cls(
            frozenset[str]().union(*(stress.text_columns() for stress in some)),
            frozenset[str]().union(*(stress.number_columns() for stress in some)),
        )

    def and_more(self, others: FurtherColumns) -> FurtherColumns:
        """These and those."""
        return FurtherColumns(self.texts | others.texts, self.numbers | others.numbers)

    @classmethod
    def named(cls, texts: Iterable[str], numbers: Iterable[str], option: str) -> FurtherColumns:
        """Those named as `texts` and `numbers`; what every portfolio has is left out.

        Raises InputError, in terms of `option`, for a text that is a canonical column of numbers.
        """
        texts, numbers = set(texts), set(numbers)
        faults = [
            Fault(f"{name} is no column of texts", "name one, as grade or sector", field=option)
            for name in sorted(texts & _FIGURES)
        ]
        if faults:
            raise InputError.of(faults, "command line")
        return cls(frozenset(texts) - set(CANONICAL), frozenset(numbers) - set(CANONICAL))


NO_MORE = FurtherColumns()


@one_reading()
def read_inputs(scenario: Scenario, further: FurtherColumns = NO_MORE) -> Inputs:
    """The borrowers and the churn curve as every later stage sees them: scored and stressed.

    The portfolio has the columns that limits and the stress read, and the `further` ones.
    Raises InputError with every fault of the borrowers, the scorecard, the curve and the stress.
    """
    examined = examine(scenario, further)
    if len(examined.errors) == 1:
        raise examined.errors[0]
    if examined.portfolio is None or examined.churn is None or examined.errors:
        raise InputError.of(examined.faults, scenario.name)
    hashes, copy = content_hashes(scenario), _copy(scenario, examined.before)
    if copy is not None:
        hashes["borrowers"] = f"sha256:{hashlib.sha256(copy).hexdigest()}"
    return Inputs(
        examined.portfolio, examined.churn, hashes, examined.book, examined.lines, examined.notes, copy
    )


def examine(scenario: Scenario, further: FurtherColumns = NO_MORE) -> ExaminedInputs:
    """As read_inputs, with the errors listed instead of raised.

    Where the stress is at fault the borrowers come without it, so that what follows can be examined too.
    """
    errors: list[InputError] = []
    of_stress: list[InputError] = []
    notes: tuple[str, ...] = ()
    stress = _gather(of_stress, stress_of, scenario.stress)
    further = further.and_more(FurtherColumns.of(own for _, own in scenario.stress.mean))
    read = _gather(errors, _portfolio, scenario, stress or scenario.stress.factors, further)
    portfolio, remarks = read or (None, ())
    if portfolio is not None and scenario.former is not None:
        portfolio, changes = _gather(errors, with_former, portfolio, scenario.former) or (None, ())
        remarks = (*remarks, *changes)
    before = portfolio
    churn = _gather(errors, _churn, scenario, portfolio)
    errors += of_stress
    if portfolio is not None and churn is not None and stress is not None and stress != Stress():
        after = _gather(errors, stressed, portfolio, churn, stress, scenario.stress)
        notes = () if after is None else notes_on(portfolio, scenario.stress)
        portfolio, churn = after or (portfolio, churn)
    if portfolio is not None and churn is not None and scenario.stress.mean and not errors:
        portfolio = _gather(errors, _mean, portfolio, churn, scenario.stress)
    if portfolio is not None:
        portfolio = _gather(errors, held_to, portfolio, scenario.policy)
    notes = (*scenario.notes, *remarks, *notes)
    strategy = scenario.strategy
    book, lines = None, None
    if strategy.book is not None and portfolio is not None and churn is not None:
        source = replace(source_of(strategy.book), columns=strategy.columns)
        book = _gather(errors, read_book, source, portfolio)
        if book is not None:
            notes = (*notes, *off_curve(book, strategy.name, portfolio, churn, set(scenario.policy.rates)))
    if strategy.weights is not None:
        lines = _gather(errors, _weights, strategy.weights)
    return ExaminedInputs(portfolio, churn, book, lines, tuple(errors), notes, before)


def _copy(scenario: Scenario, portfolio: Portfolio | None) -> bytes | None:
    """The borrowers before the stress, where a checker could not read their source; else None."""
    written = scenario.document.get("portfolio", {}).get("source")
    former = scenario.former
    plain = former is None or former.plain
    if portfolio is None or (plain and stands_as_it_is(scenario.portfolio, written)):
        return None
    policy, stress = scenario.policy, scenario.stress.factors
    mean = FurtherColumns.of(own for _, own in scenario.stress.mean)
    texts = policy.text_columns() | stress.text_columns() | mean.texts
    if scenario.stress.file is not None:
        texts |= {scenario.stress.column} - {"grade", "borrower_id"}
    numbers = policy.number_columns() | stress.number_columns() | mean.numbers
    if former is not None:
        texts, numbers = texts | FORMER_TEXTS, numbers | FORMER_NUMBERS
    return portfolio_as_csv(portfolio, texts & portfolio.texts.keys(), numbers)


def content_hashes(scenario: Scenario) -> dict[str, str]:
    """Content hash of each input. Raises InputError where one cannot be read."""
    source = scenario.portfolio
    files: dict[str, File | None] = {
        "churn": scenario.response.churn,
        "scorecard": source.scorecard,
        "stress": scenario.stress.file,
        "former": None if scenario.former is None else scenario.former.file,
        **scenario.strategy.files(),
        **(source.invoices.files() if source.invoices is not None else {}),
    }
    hashes = {} if source.invoices is not None else {"portfolio": fingerprint(source)}
    return hashes | {name: _hash(path) for name, path in files.items() if path is not None}


def scored_table(source: PortfolioSource, scorecard: Path, *, intervals: bool = False) -> _ScoredBorrowers:
    """The borrowers of `source` with what `scorecard` says of them.

    `intervals` adds pd_low and pd_high of a logit. Raises InputError for faults of the borrowers, their
    invoices or the scorecard.
    """
    from allocator.scoring.fitted import read_fitted
    from allocator.scoring.reading import faults_located_in
    from allocator.scoring.rows import with_rows
    from allocator.scoring.score import imputed_cells, read_firms_of, scores, text_columns, unseen_levels

    faults: list[Fault] = []
    fitted, fetched = None, None
    with gathering(faults):
        fitted = read_fitted(scorecard)
    if source.invoices is not None:
        if fitted is not None:
            return _scored_firms(source.invoices, fitted)
        read_firms_of(source.invoices, faults, partly=True)
    else:
        with gathering(faults):
            fetched = fetch_whole(source)
    if fitted is None or fetched is None:
        raise InputError.of(faults, source.label)
    table = fetched.table
    levels = text_columns(fitted) | {source.columns.get(name, name) for name in text_columns(fitted)}
    frame = with_numeric_columns(table, source.decimal, levels, source.thousands)
    ours = {name: fetched.letters[theirs] for name, theirs in source.columns.items()
            if theirs in fetched.letters}  # fmt: skip
    frame = _under_our_names(with_rows(frame, fetched.number, {**fetched.letters, **ours}), source)
    with faults_located_in(source.label, frame):
        given = scores(frame, fitted, intervals=intervals)
        imputed = imputed_cells(frame, fitted)
        unseen = unseen_levels(frame, fitted, given)
    return _ScoredBorrowers(with_columns(table, given), tuple(given.columns), imputed=imputed, unseen=unseen)


def _churn(scenario: Scenario, portfolio: Portfolio | None) -> ChurnTable:
    """The curve, where nobody walks of the grades that have neither curve nor band.

    Only a file of offers can lend to them. Where there is no curve at all nobody walks.
    """
    named, path, curves = set(scenario.policy.rates), scenario.response.churn, scenario.response.curves
    grades = named | (set(portfolio.grade.values) if portfolio is not None else set())
    if path is None and not curves:
        return never_walking(grades)
    table = sampled_table(curves) if path is None else _curve(path)
    without = grades - named if scenario.strategy.book is not None else set[str]()
    return with_zero_churn(table, without - table.churn.keys())


def _curve(path: File) -> ChurnTable:
    """The curve of a file, or of a frame; faults of one that was a sheet name its cells."""
    try:
        return read_churn_table(path)
    except InputError as error:
        if isinstance(path, Frame) and path.sheet is not None:
            raise InputError.of(
                [path.sheet.located(fault) for fault in error.faults], path.sheet.file
            ) from None
        raise


def _weights(path: Path) -> dict[str, float]:
    from allocator.scoring.fitted import read_weights

    return read_weights(path)


def _hash(path: File) -> str:
    try:
        return content_hash(path)
    except OSError as error:
        fault = Fault(f"cannot be read: {error.strerror}", "see that it may be read", file=str(path))
        raise InputError.of([fault], str(path)) from error


def stress_of(source: StressSource) -> Stress:
    """The factors as written, times those of the file. Raises InputError for faults of the file."""
    if source.file is None:
        return source.factors
    from allocator.scoring.shock import read_stress

    return source.factors.times(read_stress(source.file, source.column))


def stressed(
    portfolio: Portfolio, churn: ChurnTable, stress: Stress, source: StressSource
) -> tuple[Portfolio, ChurnTable]:
    """Both after `stress`, what `source` comes to. Raises InputError for faults of the stress."""
    from allocator.scoring.shock import apply_stress, check_coverage

    after = apply_stress(portfolio, churn, stress)
    if source.file is not None:
        check_coverage(portfolio, stress, source.column, source.file)
    return after


def _mean(portfolio: Portfolio, churn: ChurnTable, source: StressSource) -> Portfolio:
    """The borrowers with their mean over the stresses of `source`."""
    worlds = [stressed(portfolio, churn, own, StressSource(own))[0] for _, own in source.mean]
    return mean_over([weight for weight, _ in source.mean], worlds, portfolio)


def notes_on(portfolio: Portfolio, source: StressSource) -> tuple[str, ...]:
    """Cases of the stress as written that are about nobody; its file may name more than there is."""
    if source.factors == Stress():
        return ()
    from allocator.scoring.shock import idle_cases

    return idle_cases(portfolio, source.factors)


def _portfolio(
    scenario: Scenario, stress: Stress, further: FurtherColumns
) -> tuple[Portfolio, tuple[str, ...]]:
    """The borrowers before the stress, with the columns that limits, the stress and `further` read; notes."""
    source, policy = scenario.portfolio, scenario.policy
    texts = policy.text_columns() | stress.text_columns() | further.texts
    numbers = policy.number_columns() | stress.number_columns() | further.numbers
    if scenario.former is not None:
        texts, numbers = texts - FORMER_TEXTS, numbers - FORMER_NUMBERS
    if source.scorecard is None:
        return load_portfolio(source, texts, numbers), ()
    scored = scored_table(source, source.scorecard)
    faults = [
        Fault(f"the scorecard gives {name} too", "leave this line out", field=f"portfolio.columns.{name}")
        for name in scored.given
        if name in source.columns
    ]
    if faults:
        raise InputError.of(faults, source.label)
    return load_portfolio(source, texts, numbers, scored.table), scored.imputations


def _scored_firms(files: InvoiceFiles, fitted: Fitted) -> _ScoredBorrowers:
    import pyarrow as pa

    from allocator.scoring.score import score_firms

    firms, notes, imputed = score_firms(files, fitted)
    firms = firms.drop(columns="lgd")  # invoices say nothing of it: the portfolio asks for a default
    table = pa.Table.from_pandas(firms, preserve_index=False)
    if files.facts is not None:
        table = with_facts(table, "borrower_id", source_of(files.facts), "enterprise_id")
    return _ScoredBorrowers(table, tuple(firms.columns), notes, imputed)


def _under_our_names(frame: pd.DataFrame, source: PortfolioSource) -> pd.DataFrame:
    """`frame` with the columns that the scenario renames under both names: scorecards may know either."""
    ours = {name: frame[theirs] for name, theirs in source.columns.items() if theirs in frame.columns}
    return frame.assign(**ours)


def _gather(errors: list[InputError], stage: Callable[..., Read], *given: Any) -> Read | None:
    """What `stage` returns, or None where it raises InputError, which is added to `errors`."""
    try:
        return stage(*given)
    except InputError as error:
        errors.append(error)
        return None
