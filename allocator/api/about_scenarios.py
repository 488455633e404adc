"""Questions about a scenario: what its program is, what if a limit moves, or the world turns worse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Annotated, Literal, overload

from allocator.api.arguments import Within
from allocator.api.results import Result
from allocator.api.runs import Progress, Run, base_of, silent
from allocator.api.scenarios import (
    Overlay,
    Scenario,
    Sets,
    Source,
    Table,
    file_of,
    scenario_of,
)
from allocator.api.words import public_function
from allocator.borrowers import read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.formulation import Formulation, formulation_of
from allocator.insight.whatif.alternatives import Alternatives, aims_named, share_of
from allocator.insight.whatif.alternatives import alternatives as find_alternatives
from allocator.insight.whatif.frontier import Frontier
from allocator.insight.whatif.reverse import ReverseStress, reverse_stress
from allocator.insight.whatif.spans import check_options, follow
from allocator.insight.whatif.stress import StressTest, stress_test
from allocator.pipeline import prepare
from allocator.report.alternatives import alternatives_view
from allocator.report.formulation.view import formulation_view
from allocator.report.frontier import frontier_view
from allocator.report.stress import reverse_view, stress_view
from allocator.scenario.overrides import Setting


@public_function
def formulation(
    scenario: Source | Run,
    language: Literal["markdown", "latex"] = "markdown",
    *,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Formulation]:
    """A scenario's program as mathematics, which printing shows: `allocator formulation`.

    scenario  as `allocate` takes it, or a Run, whose scenario is taken
    language  "markdown" or "latex", a whole document
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per limit: name, row.plain and row.latex, sense, share. Raises InputError with every
    fault of the scenario and its inputs.

    >>> from allocator import formulation
    >>> formulation("scenarios/sme-302.yaml").table["row.plain"].tolist()
    ['Σ_{i,k} x_ik ≤ 100,000,000']
    """
    tell = progress or silent
    base = base_of(scenario, Overlay(borrowers, churn, None, sets))
    tell("reading the borrowers")
    record = formulation_of(prepare(base, read_inputs(base)))
    return Result(record, partial(formulation_view, record, language), itemgetter("limits"))


Bound = float | str
"""Of a limit, as its own key takes it: 5e7, 0.4 or "40%"."""
_GAP = 1e-6


@public_function
def frontier(
    scenario: Source | Run,
    limits: str | Sequence[str] = "budget",
    *,
    low: Bound | Sequence[Bound | None] | None = None,
    high: Bound | Sequence[Bound | None] | None = None,
    points: Annotated[int, Within(2, 1_000)] = 15,
    gap: float = _GAP,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Frontier]:
    """What a scenario's value is as a limit, or two, move: `allocator frontier`.

    scenario   as `allocate` takes it, or a Run, whose scenario is taken
    limits     "budget" or a limit's name; two of them for a pair
    low, high  from where to where, as the limit's own key takes it, one per limit; if not given half and one
               and a half times the bound as it is
    points     how many, along each limit: 2 to 1,000, of a pair to 40
    gap        relative gap at which a point is good enough
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per point: at.LIMIT, value and bound (currency units), slopes.LIMIT (value per unit
    more of the bound), funded. The method is that of docs/frontier.md. Raises InputError for a limit that
    there is not and for ends that run backwards, else as `allocate`.

    >>> from allocator import frontier
    >>> frontier("scenarios/sme-302.yaml", "budget", low=5e7, high=1e8, points=2).table["at.budget"].tolist()
    [50000000.0, 100000000.0]
    """
    base = base_of(scenario, Overlay(borrowers, churn, None, sets))
    names = (limits,) if isinstance(limits, str) else tuple(limits)
    start, end = _ends(low), _ends(high)
    check_options(names, start, end, points, gap)

    def stating(bound: Setting) -> Scenario:
        return scenario_of(base, Overlay(more=[bound]))

    record = follow(base, stating, names, start, end, points, gap, progress or silent)
    return Result(record, partial(frontier_view, record), itemgetter("points"))


@public_function
def alternatives(
    scenario: Source | Run,
    aims: str | Sequence[str] = (),
    *,
    within: float | str = "0.5%",
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Alternatives]:
    """What else could be had for a little of the value: `allocator alternatives`.

    scenario  as `allocate` takes it, or a Run, whose scenario is taken
    aims      what is sought, as "fewest loans"; all if not given
    within    part of the value that may be given up: above 0, below a half
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per alternative: aim, optimum and found (what the optimum has of it, and what the
    alternative), reach (no allocation has less, or more), value (currency units), funded. The method is that
    of docs/changes.md. Raises InputError for an aim that there is not, else as `allocate`.

    >>> from allocator import alternatives
    >>> alternatives("scenarios/sme-302.yaml", "fewest loans").table[["optimum", "found"]].values.tolist()
    [[194.0, 180.0]]
    """
    base = base_of(scenario, Overlay(borrowers, churn, None, sets))
    share = share_of(within, "within")
    wanted = aims_named((aims,) if isinstance(aims, str) else tuple(aims), "aims")
    tell = progress or silent
    tell("reading the borrowers")
    record = find_alternatives(prepare(base, read_inputs(base)), share, wanted, tell)
    return Result(record, partial(alternatives_view, record), itemgetter("alternatives"))


def _ends(given: Bound | Sequence[Bound | None] | None) -> Sequence[Bound | None]:
    """One end per limit, or none at all."""
    return () if given is None else [given] if isinstance(given, int | float | str) else list(given)


@overload
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = ...,
    *,
    shock: Table = ...,
    reverse: None = None,
    borrowers: Table = ...,
    churn: Table = ...,
    sets: Sets = ...,
    progress: Progress | None = ...,
) -> Result[StressTest]: ...


@overload
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = ...,
    *,
    shock: Table = ...,
    reverse: str,
    along: str | None = ...,
    borrowers: Table = ...,
    churn: Table = ...,
    sets: Sets = ...,
    progress: Progress | None = ...,
) -> Result[ReverseStress]: ...


@public_function
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = (),
    *,
    shock: Table = None,
    reverse: str | None = None,
    along: str | None = None,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[StressTest] | Result[ReverseStress]:
    """What an allocation is worth under stress, frozen and re-optimised: `allocator stress`.

    scenario  as `allocate` takes it, or a Run, whose scenario is taken
    only      names of stresses; all of the scenario's `stresses`, else "mild" and "severe", if not given
    shock     factors by a column of the borrowers, tried too: a DataFrame (then called shock) or a CSV's path
    reverse   find the least stress that crosses a line: "value=0", "loss_rate=2%", "limits[NAME]=100%"
    along     of reverse: the stress whose factors are scaled
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per stress: frozen.value, reoptimised.value, hindsight and others in currency units,
    rates as fractions; of reverse a row an allocation: scale at which it crosses. The method is that of
    docs/stress.md. Raises InputError for a stress that there is not, else as `allocate`.

    >>> from allocator import stress
    >>> stress("scenarios/sme-302.yaml").table["name"].tolist()
    ['base', 'mild', 'severe']
    """
    if along is not None and reverse is None:
        fault = Fault("says nothing without reverse", 'give reverse="value=0" too', field="along")
        raise InputError.of([fault], "stress")
    base = base_of(scenario, Overlay(borrowers, churn, None, sets))
    names = (only,) if isinstance(only, str) else tuple(only)
    file = None if shock is None else file_of(shock, "shock")
    tell = progress or silent
    if reverse is None:
        test = stress_test(base, names, file, tell)
        return Result(test, partial(stress_view, test), itemgetter("stresses"))
    crossing = reverse_stress(base, reverse, along, names, file, tell)
    return Result(crossing, partial(reverse_view, crossing), itemgetter("reverse"))
