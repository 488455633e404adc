"""What comes out: a run, solved now or read back, saved and verified."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeGuard

from allocator.api.arguments import Within
from allocator.api.results import Result, Viewable
from allocator.api.scenarios import Overlay, Scenario, Sets, Source, Table, scenario_of
from allocator.api.words import public_function
from allocator.borrowers import NO_MORE, FurtherColumns, read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.whatif.relaxations import allocate_or_explain
from allocator.records import run as records
from allocator.records.columns import CANONICAL
from allocator.records.document import BOOK, CHURN, SOURCE, value_at
from allocator.records.outcome import Outcome
from allocator.records.run import Certificate, Status, StoredRun
from allocator.records.scenario import Scenario as Scenarios
from allocator.report.recheck import recheck_page
from allocator.report.table import run_view
from allocator.report.view import View
from allocator.scenario import dump_scenario, loading
from allocator.scenario.loading import Changes
from allocator.store import (
    certificate_from_json,
    certificate_to_json,
    default_folder,
    is_run,
    read_run,
    require_free,
    write_run,
)
from allocator.store.file import require_file, write_files
from allocator.strategies import USUAL, with_lines
from allocator.tables.frames import kept_frame
from allocator.verification import recheck_run, verify_run

if TYPE_CHECKING:
    import pandas as pd

Progress: TypeAlias = Callable[[str], None]
"""Is told what is being done, in words."""


@dataclass(frozen=True, repr=False, eq=False)
class Run(Viewable):
    """A finished run: who gets how much at which rate, with the certificate. Frozen: it gives copies.

    `table` has one row per borrower in input order: borrower_id, grade, amount (currency units), rate (annual
    fraction), take_up (fraction), drawn, the lines of the ledger, value (currency units), reason (of a
    refusal, else empty). `prices` are shadow prices by limit, `summary` the figures of summary.json
    (docs/certificate.md), `certificate` bound and value as anyone can recompute them from the inputs
    (docs/formulation.md, section 4). It goes to another process, or a file, by pickle.

    >>> from allocator import allocate
    >>> run = allocate("scenarios/sme-302.yaml")
    >>> run
    Run('sme-302': optimal, value 2,841,599.96 CNY, bound 2,841,599.96, 194 of 302 borrowers funded)
    >>> run.table["amount"].sum().item(), round(run.prices["budget"], 4)
    (100000000.0, 0.0184)
    """

    _run: records.Run
    _outcome: Outcome | None = None
    """The run as questions are asked of it; None of one read back, which is rechecked first."""
    folder: Path | None = None
    """Where it was read from."""

    @property
    def view(self) -> View:
        return run_view(self._run, self.folder)

    @property
    def scenario(self) -> Scenario:
        """What was asked."""
        return Scenario.of(self._run.scenario)

    @property
    def table(self) -> pd.DataFrame:
        """The allocation: one row per borrower, in input order."""
        return self._run.allocation.copy()

    @property
    def allocation(self) -> pd.DataFrame:
        """The same as `table`."""
        return self.table

    @property
    def certificate(self) -> Certificate:
        """Bound and value as they follow from the inputs, and what each limit uses."""
        own = self._run.certificate
        return replace(own, prices=dict(own.prices), inputs=dict(own.inputs))

    @property
    def prices(self) -> dict[str, float]:
        """Shadow price of each limit: what one unit more of its right-hand side adds to the bound."""
        return dict(self._run.prices)

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of summary.json."""
        return deepcopy(dict(self._run.summary))

    @property
    def status(self) -> Status:
        """optimal, feasible or, of a strategy's decisions, breaks_limits."""
        return self._run.status

    @property
    def log(self) -> str:
        """What the solver said."""
        return self._run.log

    @property
    def value(self) -> float:
        """Expected value of the allocation, in currency units."""
        return self._run.certificate.value

    @property
    def bound(self) -> float:
        """No allocation that keeps limits and terms is worth more: as proved, in currency units."""
        return float(self._run.summary["bound"])

    @property
    def gap(self) -> float:
        """(bound - value) / bound, a fraction, never below 0."""
        return float(self._run.summary["gap"])

    @public_function
    def save(self, folder: str | os.PathLike[str] | None = None, *, force: bool = False) -> Path:
        """Write the run as a folder, whole or not at all, with the frames that it read; return where.

        Without `folder` it is runs/NAME-DIGEST. `force` replaces a run that stands there. `allocator verify`
        and `checker.py` recheck the folder. With all its inputs frames it may be moved as it is; files that
        the scenario names stay where they are. Raises InputError where nothing may be written, OutputError
        where writing fails; either leaves what stood there.

        >>> from allocator import allocate, load_run
        >>> path = allocate("scenarios/sme-302.yaml").save("runs/saved", force=True)
        >>> load_run(path).status
        'optimal'
        """
        place = default_folder(self._run) if folder is None else Path(folder)
        require_free(place, force, self._run.scenario)
        text = dump_scenario(self._run.scenario, place.resolve())
        return write_run(self._run, place, scenario_text=text, force=force)

    @public_function
    def to_excel(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str] = (),
        quick: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Write the run as a workbook whose formulas recompute it: `allocator report --xlsx`; return where.

        It is rechecked first, and what a report asks is answered, which takes as long as a report does; less
        with `quick`. `columns` of the borrowers stand on its sheets too (docs/workbook.md). Raises InputError
        where the file may not be written, or a column is missing.

        >>> from allocator import allocate
        >>> allocate("scenarios/sme-302.yaml").to_excel("runs/sme.xlsx", quick=True, force=True).name
        'sme.xlsx'
        """
        from allocator.insight.dossier import dossier_of
        from allocator.report.committee.documents import documents_of
        from allocator.report.committee.proof import Provenance
        from allocator.report.workbook.book import workbook_of
        from allocator.store.workbook import workbook_content

        place = Path(path)
        require_file(place, (".xlsx",), force=force)
        with stored_run(self) as stored:
            further = FurtherColumns(frozenset(columns) - set(CANONICAL))
            rules, notes = under_usual(stored)
            dossier = dossier_of(stored, rules, progress or silent, notes=notes, quick=quick, further=further)
            stood = Provenance(stored.folder.name, stored.scenario_path.read_text("utf-8"), {})
            book = workbook_of(dossier, stood, documents_of(dossier))
        write_files({place: workbook_content(book)})
        return place

    def __repr__(self) -> str:
        told = self._run.summary
        return (
            f"Run({told['name']!r}: {self.status.replace('_', ' ')}, value {self.value:,.2f} "
            f"{told['currency']}, bound {self.bound:,.2f}, {told['funded']:,} of {told['borrowers']:,} "
            f"borrowers funded)"
        )


Solved = Run | str | os.PathLike[str]
"""A Run, or the folder of a saved one."""


@public_function
def allocate(
    scenario: Source,
    borrowers: Table = None,
    *,
    churn: Table = None,
    strategy: Any = None,
    sets: Sets = None,
    stress: str | Mapping[str, Any] | None = None,
    start: Run | Mapping[str, float] | None = None,
    relax: Annotated[int, Within(1)] | None = None,
    progress: Progress | None = None,
) -> Run:
    """The best allocation of a budget over borrowers, with its certificate: `allocator solve`.

    scenario   a file's path, a mapping with the same keys, or a Scenario (docs/scenario.md)
    borrowers  (n rows) a DataFrame of pandas or polars, any table with `__arrow_c_stream__`, or a path, in
               the place of portfolio.source; columns and units are those of docs/portfolio.md
    churn, strategy, sets, stress    as `load_scenario` takes them
    start      a former run, or its prices by limit name, that a large book begins from
    relax      where nothing fits, which of the error's relaxations to solve under, from 1; the notes of the
               run's summary say so
    progress   is called with what is being done, in words

    Amounts are in currency units, rates are annual fractions. The objective is expected interest less
    expected loss, funding and churn (docs/formulation.md, section 1). Raises InputError with every fault of
    what is given ("frame of borrowers, row 3, pd: ..."; rows count from 1), InfeasibleError where no
    allocation meets every limit (its `conflicts` are the limits that cannot hold together, its `relaxations`
    what it would take), NoAllocationError where none was found in time, CertificateError where the
    result does not pass its own recheck.

    >>> import pandas as pd
    >>> from allocator import allocate
    >>> firms = pd.read_csv("scenarios/data/sme-302.csv")
    >>> allocate("scenarios/sme-302.yaml", borrowers=firms, sets={"policy.budget.amount": 6e7}).status
    'optimal'
    """
    resolved = scenario_of(scenario, Overlay(borrowers, churn, strategy, sets, stress))
    prices = start.prices if isinstance(start, Run) else start
    return Run(*allocate_or_explain(resolved, relax, progress or silent, prices))


@public_function
def load_run(folder: str | os.PathLike[str]) -> Run:
    """The run in a folder that `save`, or `allocator solve`, wrote; its claims are read, not rechecked.

    Raises InputError where the folder or one of its files is missing, CertificateError where a file is not as
    a run writes it.

    >>> from allocator import allocate, load_run
    >>> path = allocate("scenarios/sme-302.yaml").save("runs/loaded", force=True)
    >>> load_run(path).table.shape
    (302, 13)
    """
    stored = read_run(Path(folder))
    place = stored.folder
    certificate = certificate_from_json(stored.certificate, str(place / "certificate.json"))
    log, copy = place / "solver.log", place / "borrowers.csv"
    run = records.Run(
        scenario=_with_kept_frames(loading.load_scenario(stored.scenario_path), place.resolve()),
        allocation=stored.allocation,
        certificate=certificate,
        summary=stored.summary,
        status=stored.summary["status"],
        log=log.read_text("utf-8") if log.is_file() else "",
        borrowers=copy.read_bytes() if copy.is_file() else None,
    )
    return Run(run, folder=place)


def _with_kept_frames(scenario: Scenarios, folder: Path) -> Scenarios:
    """The scenario with the frames that its run kept in `folder`, so that saving writes them too."""
    paths = {place: value_at(scenario.document, place) for place in (SOURCE, CHURN, BOOK)}
    files = {place: Path(text) for place, text in paths.items() if isinstance(text, str)}
    kept = {place: kept_frame(path) for place, path in files.items() if path.parent == folder}
    frames = {place: frame for place, frame in kept.items() if frame is not None}
    if not frames:
        return scenario
    read = loading.load_document(scenario.document, Path.cwd(), scenario.name, Changes(frames=frames))
    return replace(read, path=scenario.path)


@public_function
def verify(run: Solved, *, exact: bool = False) -> Result[Certificate]:
    """Recheck a run from its inputs alone, without the solver: `allocator verify`.

    run    a Run, or the folder of a saved one
    exact  confirm bound, value and limits in rational numbers too (up to 10,000 borrowers)

    The result's record is the certificate as recomputed; its table has a row for each limit: used, bound (in
    the unit of its measure), price, violation (relative). Raises CertificateError with every disagreement,
    InputError where an input is missing. The arithmetic is that of docs/formulation.md, section 4.

    >>> from allocator import allocate, verify
    >>> verify(allocate("scenarios/sme-302.yaml")).record.limits_broken
    []
    """
    with stored_run(run) as stored:
        certificate = verify_run(stored, exact=exact)
    amounts, rates = len(stored.allocation), int((stored.allocation["amount"] > 0).sum())
    show = partial(_recheck_view, certificate, amounts, rates, stored.summary, exact)
    return Result(certificate, show, itemgetter("limits"))


def _recheck_view(
    certificate: Certificate, amounts: int, rates: int, summary: Mapping[str, Any], exact: bool
) -> View:
    return View(
        page=lambda: recheck_page(certificate, amounts, rates, summary, exact=exact),
        document=lambda: {"verified": True, "exact": exact, **certificate_to_json(certificate)},
    )


@contextmanager
def stored_run(run: Solved) -> Iterator[StoredRun]:
    """The run as its folder tells it; one in memory, or whose folder is gone, is written aside."""
    if not isinstance(run, Run):
        yield read_run(Path(run))
    elif run.folder is None or not run.folder.is_dir():
        with tempfile.TemporaryDirectory(prefix="allocator-") as name:
            yield read_run(run.save(Path(name) / "run"))
    else:
        yield read_run(run.folder)


def outcome_of(run: Solved, further: FurtherColumns = NO_MORE) -> Outcome:
    """The run as questions are asked of it, its borrowers with the `further` columns too.

    One that lies in a folder is rechecked. Raises CertificateError where it does not pass; InputError where
    an input has changed since, or is missing.
    """
    outcome = run._outcome if isinstance(run, Run) else None
    if outcome is None or not isinstance(run, Run):
        with stored_run(run) as stored:
            return recheck_run(stored, further)
    portfolio = outcome.inputs.portfolio
    if further.texts <= portfolio.texts.keys() and further.numbers <= portfolio.numbers.keys():
        return outcome
    inputs = read_inputs(run.scenario, further)
    changed = [name for name, was in outcome.inputs.hashes.items() if inputs.hashes.get(name) != was]
    if changed:
        faults = [Fault("has changed since the run", "solve again", field=name) for name in changed]
        raise InputError.of(faults, run.scenario.name)
    return replace(outcome, inputs=inputs)


def under_usual(stored: StoredRun) -> tuple[list[Scenarios], tuple[str, ...]]:
    """The run's scenario under the usual strategies and its own, with what is left out, in words."""
    own = loading.load_scenario(stored.scenario_path)
    sets = [f"strategy={name}" for name in USUAL]
    rules, notes = with_lines([loading.load_scenario(stored.scenario_path, [text]) for text in sets])
    known = own.strategy.name in [rule.strategy.name for rule in rules]
    return (rules if known else [*rules, own]), notes


def base_of(scenario: Source | Run, over: Overlay) -> Scenario:
    """A scenario, or a run's, with what is laid over it."""
    return scenario_of(scenario.scenario if isinstance(scenario, Run) else scenario, over)


def is_stored(value: object) -> TypeGuard[Solved]:
    """Whether `value` is a run, or the folder of one."""
    if isinstance(value, Run):
        return True
    return isinstance(value, str | os.PathLike) and (is_run(Path(value)) or os.path.isdir(value))


def silent(_: str) -> None:
    pass
