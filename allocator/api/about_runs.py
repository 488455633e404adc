"""Questions about a run: why it came out so, what would raise it, what its years may be, as which rules."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, overload

from allocator.api.arguments import Seed, Within
from allocator.api.results import Result
from allocator.api.runs import Progress, Run, Solved, outcome_of, silent
from allocator.api.scenarios import Overlay, Source, scenario_of
from allocator.api.words import public_function
from allocator.borrowers import FurtherColumns, read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.distil import distil as distilled_from
from allocator.insight.distil.distil import DistilledRules
from allocator.insight.explain.book import BookExplanation, explain_book
from allocator.insight.explain.explanation import Explanation, explain_borrower
from allocator.insight.simulate.record import Method, Risk
from allocator.insight.simulate.simulate import Simulation
from allocator.insight.simulate.simulate import simulate as simulated
from allocator.insight.whatif.levers import Levers, price_levers
from allocator.pipeline import decide, judge, prepare
from allocator.records.outcome import Outcome
from allocator.report.borrower import borrower_view
from allocator.report.explain import book_view
from allocator.report.levers import levers_view
from allocator.report.rules import rules_view
from allocator.report.simulation import simulation_view
from allocator.report.view import View
from allocator.scenario.filters import read_filter
from allocator.scenario.quantities import fraction, stated
from allocator.store.file import require_file, write_files
from allocator.store.tables import content_of

Share = float | str
"""A fraction: 0.15, or "15%"."""
_RULE_FILES = (".txt", ".sql", ".csv", ".xlsx")


@overload
def explain(run: Solved, borrower: str | int, *, progress: Progress | None = ...) -> Result[Explanation]: ...


@overload
def explain(
    run: Solved,
    borrower: None = None,
    *,
    by: str = ...,
    where: str | Mapping[str, Any] | None = ...,
    exact: bool = ...,
    progress: Progress | None = ...,
) -> Result[BookExplanation]: ...


@public_function
def explain(
    run: Solved,
    borrower: str | int | None = None,
    *,
    by: str = "grade",
    where: str | Mapping[str, Any] | None = None,
    exact: bool = False,
    progress: Progress | None = None,
) -> Result[Explanation] | Result[BookExplanation]:
    """Why a run, or one borrower's decision, came out as it did: `allocator explain`.

    run       a Run, or the folder of a saved one
    borrower  a borrower_id; without one the question is about the whole book
    by        of the book: the column of texts that its ledger is summed by
    where     of the book: whom the ledger is of, as a limit's `where`: {"sector": "retail"}
    exact     of the book: solve again without each limit, for what it costs in full

    Of a borrower the table has the alternatives, a row per rate: rate (annual fraction), amount, value,
    reduced (value less what the limits charge, currency units); of the book a row per segment. The method is
    that of docs/explain.md. Raises InputError for a borrower or a column that there is not, and as `verify`
    where the run lies in a folder.

    >>> from allocator import allocate, explain
    >>> found = explain(allocate("scenarios/sme-302.yaml"), "B000002")
    >>> found.record.amount, found.record.grade, len(found.table)
    (160000.0, 'C', 4)
    """
    if borrower is not None:
        options = [("by", by != "grade"), ("where", where is not None), ("exact", exact)]
        faults = [
            Fault("asks about the book, `borrower` about one borrower", "leave one out", field=name)
            for name, given in options
            if given
        ]
        if faults:
            raise InputError.of(faults, "explain")
        record = explain_borrower(outcome_of(run), str(borrower))
        return Result(record, partial(borrower_view, record), itemgetter("alternatives"))
    text = _filter_text(where)
    conditions = () if text is None else read_filter(text, "where")
    texts = (by, *(condition.column for condition in conditions if not condition.is_range))
    numbers = tuple(condition.column for condition in conditions if condition.is_range)
    outcome = outcome_of(run, FurtherColumns.named(texts, numbers, "by"))
    book = explain_book(outcome, by, text, conditions, exact=exact, progress=progress or silent)
    return Result(book, partial(book_view, book), itemgetter("segments"))


def _filter_text(where: str | Mapping[str, Any] | None) -> str | None:
    """A limit's `where` as --where has it."""
    if where is None or isinstance(where, str):
        return where
    try:
        return json.dumps(dict(where), ensure_ascii=False)
    except TypeError:
        remedy = 'write texts, numbers and lists of these: {"sector": ["retail", "food"]}'
        raise InputError.of([Fault("is no filter", remedy, field="where")], "explain") from None


@public_function
def levers(
    run: Solved,
    size: Share = 0.01,
    *,
    quick: bool = False,
    first: Annotated[int, Within(1, 1_000)] | None = None,
    progress: Progress | None = None,
) -> Result[Levers]:
    """What would raise a run's value: more budget, looser limits, cheaper funds, ...: `allocator levers`.

    run    a Run, or the folder of a saved one
    size   how far each thing moves, as a fraction of itself: above 0, below 0.5
    quick  solve nothing again: ranges by the run's prices alone
    first  solve so many again that no other may add more; each ends with its first proof tree

    The table has a row per lever, the largest first: name, change, low and high (what it adds to the value,
    in currency units: at least and at most), solved. The bounds are those of docs/levers.md. Raises
    InputError for another size, and as `verify` where the run lies in a folder.

    >>> from allocator import allocate, levers
    >>> levers(allocate("scenarios/sme-302.yaml"), quick=True).table["name"].iloc[0]
    'lowest rate of grade B'
    """
    share = stated(fraction, size, "size", "levers")
    if not 0 < share < 0.5:
        fault = Fault(f"{size} lies outside 0 to 0.5", "write a fraction, as 0.01", field="size")
        raise InputError.of([fault], "levers")
    record = price_levers(outcome_of(run), share, quick=quick, first=first, progress=progress or silent)
    return Result(record, partial(levers_view, record), itemgetter("levers"))


@public_function
def simulate(
    run: Solved | Source,
    *,
    years: Annotated[int, Within(100, 1_000_000)] = 10_000,
    seed: Seed = 0,
    by: str | None = None,
    rho: Share = 0.15,
    between: Share = 0.5,
    lgd_spread: Share = 0.0,
    method: Method | None = None,
    progress: Progress | None = None,
) -> Result[Simulation]:
    """The years that an allocation may have: defaults, take-up and recovery: `allocator simulate`.

    run         a Run, the folder of a saved one, or a scenario to be solved first
    years       how many are drawn, 100 to 1,000,000; the same `seed` gives the same
    by          give each value of this column a factor of its own
    rho         asset correlation in a sector, a fraction; `between` that of two sectors' factors
    lgd_spread  variance of LGD over its largest, L (1 - L), a fraction
    method      "each" or "binned"; by size if not given

    The table has the distributions of interest, loss, net and others: mean, deviation and quantiles in
    currency units. The model is that of docs/simulate.md. Raises InputError for other arguments, else as
    `allocate` or `verify`.

    >>> from allocator import allocate, simulate
    >>> simulate(allocate("scenarios/sme-302.yaml"), years=500).table["figure"].tolist()
    ['interest', 'loss', 'net']
    """
    shares = [
        stated(fraction, given, name, "simulate")
        for name, given in (("rho", rho), ("between", between), ("lgd_spread", lgd_spread))
    ]
    further = FurtherColumns.named(() if by is None else (by,), (), "by")
    outcome = _outcome(run, further, progress or silent)
    risk = Risk(shares[0], by, shares[1], shares[2])
    record = simulated(outcome, risk, years=years, seed=seed, method=method, progress=progress or silent)
    return Result(record, partial(simulation_view, record), _distributions)


def _distributions(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"figure": name, **document[name]} for name in ("interest", "loss", "net")]


@public_function
def distil(
    run: Solved,
    rules: Annotated[int, Within(1, 12)] = 12,
    *,
    texts: Sequence[str] = (),
    numbers: Sequence[str] = (),
    quick: bool = False,
    out: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> Result[DistilledRules]:
    """A few rules that keep every limit and come near a run's optimum: `allocator distil`.

    run      a Run, or the folder of a saved one
    rules    rules at most, 1 to 12
    texts, numbers    columns that rules may use beside the canonical ones
    quick    prune one tree, with less work: better rules may be missed
    out      files of the rules, ending in .txt, .sql, .csv or .xlsx; `force` replaces those that are there

    The table has a row per rule: where, rate (annual fraction), share (of the request), firms, offered,
    drawn, value (currency units). The method is that of docs/distil.md. Raises InputError for columns or
    files that cannot be, InfeasibleError where no rules that were tried keep the limits.

    >>> from allocator import allocate, distil
    >>> found = distil(allocate("scenarios/sme-302.yaml"), 2)
    >>> len(found.table), found.record.outcome.broken
    (2, ())
    """
    files = [Path(path) for path in ([out] if isinstance(out, str | os.PathLike) else out)]
    for path in files:
        require_file(path, _RULE_FILES, force=force)
    further = FurtherColumns.named(tuple(texts), tuple(numbers), "texts")
    record = distilled_from(outcome_of(run, further), rules, progress or silent, quick=quick)
    _write(rules_view(record, files))
    return Result(record, partial(rules_view, record, files), _rules)


def _rules(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in document["rules"]]


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with its conditions in words, as `pd at_most 0.03 and grade in A, B`."""
    words = [
        f"{test['column']} in {', '.join(value)}" if key == "values" else f"{test['column']} {key} {value:g}"
        for test in rule["where"]
        for key, value in test.items()
        if key != "column"
    ]
    return {**rule, "where": " and ".join(words) or "everybody"}


def _write(view: View) -> None:
    """The files of a view, all or none."""
    contents = {path: content_of(told, path) for path, told in view.files.items()}
    if contents:
        write_files(contents)


def _outcome(subject: Solved | Source, further: FurtherColumns, tell: Progress) -> Outcome:
    """A run as it stands, or a scenario's once it is solved."""
    if isinstance(subject, Run):
        return outcome_of(subject, further)
    if isinstance(subject, str | os.PathLike) and os.path.isdir(subject):
        return outcome_of(subject, further)
    scenario = scenario_of(subject, Overlay())
    tell("reading the borrowers")
    case = prepare(scenario, read_inputs(scenario, further))
    return judge(case, decide(case, tell))
