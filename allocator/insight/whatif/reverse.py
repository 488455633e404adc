"""Reverse stress: how far along a stress a quantity crosses a line.

Along a stress, scale s stands for each of its factors f as 1 + s (f - 1), and for s times what it adds
(`Stress.scaled`): 0 is the base, 1 the stress as named. The first crossing is bracketed on a grid of
scales and closed in by secants, which step over their estimate so that both ends move, with bisection
wherever that stalls. Both ends are judged, or solved, for themselves: the line lies between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from math import isfinite, nan
from typing import Literal

from allocator.borrowers import stress_of
from allocator.errors import Fault, InputError
from allocator.insight.whatif.stress import (
    AMOUNTS,
    Base,
    StressVerdict,
    chosen_stresses,
    notes_of,
    read_base,
    reoptimised,
)
from allocator.records.frames import File
from allocator.records.progress import Progress
from allocator.records.scenario import Scenario
from allocator.records.stress import BASE, Stress

Kind = Literal["frozen", "reoptimised"]

_SEVERE = "severe"
"""The stress gone along where none is named."""
PRECISION = 1e-3
"""Relative width of what is left between the two sides."""
GRID = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Scales at which a crossing is looked for."""
MONEY = ("value", "bound", *AMOUNTS)
FIGURES = (*MONEY, "funded", "loss_rate")
_LIMIT = re.compile(r"limits\[(.*)\]")
_NOISE = 1e-8
"""Relative change that is the solver's gap and no movement."""


@dataclass(frozen=True)
class Target:
    """A line: a figure of an outcome, or how much of a limit's bound is used, and where the line is."""

    quantity: str
    threshold: float

    @property
    def limit(self) -> str | None:
        """The row named by limits[NAME]."""
        match = _LIMIT.fullmatch(self.quantity)
        return match[1] if match else None

    def of(self, outcome: StressVerdict) -> float:
        """The quantity of `outcome`; NaN for a limit whose bound is 0, or that is not there."""
        if self.limit is None:
            return float(outcome.figures[self.quantity])
        uses = [use for use in outcome.limits if use.name == self.limit]
        return uses[0].used / uses[0].bound if uses and uses[0].bound else nan


@dataclass(frozen=True)
class ScalePoint:
    """The quantity at one scale; NaN and no outcome where no allocation meets the limits."""

    scale: float
    quantity: float
    outcome: StressVerdict | None
    failure: str = ""
    """Why there is no outcome."""


@dataclass(frozen=True)
class Crossing:
    """Where the quantity crosses the line, for the frozen or for the re-optimised allocation."""

    kind: Kind
    target: Target
    before: ScalePoint | None
    """The last scale on the near side; None where the line is not crossed."""
    after: ScalePoint | None
    """The first scale beyond: past the line, or without any allocation."""
    points: tuple[ScalePoint, ...]
    """All that was judged or solved, by scale."""

    @property
    def scale(self) -> float | None:
        """The least scale known to be past the line, at most PRECISION above the true one."""
        return None if self.after is None else self.after.scale

    @property
    def monotone(self) -> bool:
        """Whether the quantity moved one way all along; if not, an earlier crossing may hide in the grid."""
        quantities = [point.quantity for point in self.points if isfinite(point.quantity)]
        noise = _NOISE * max(map(abs, quantities), default=0.0)
        steps = [later - earlier for earlier, later in pairwise(quantities)]
        return all(step >= -noise for step in steps) or all(step <= noise for step in steps)

    @property
    def proved(self) -> bool:
        """Whether no allocation that keeps the limits is worth the line at `after`: its bound lies below."""
        outcome = None if self.after is None else self.after.outcome
        falls = self.before is not None and self.before.quantity > self.target.threshold
        wanted = self.kind == "reoptimised" and self.target.quantity in ("value", "bound") and falls
        bound = None if outcome is None else outcome.bound
        return wanted and bound is not None and bound < self.target.threshold


@dataclass(frozen=True)
class ReverseStress:
    """Where the allocations of a scenario cross a line on the way along one stress."""

    scenario: Scenario
    along: str
    stress: Stress
    """The one named `along`."""
    crossings: tuple[Crossing, ...]
    """The frozen allocation's crossing, unless the line is one of a bound, then the re-optimised one's."""
    notes: tuple[str, ...]
    """Parts of the scenario and of the stress that are about nobody, in words."""


def reverse_stress(
    scenario: Scenario,
    line: str,
    along: str | None = None,
    only: Sequence[str] = (),
    shock: File | None = None,
    progress: Progress = lambda _: None,
) -> ReverseStress:
    """The least scale of a stress at which the scenario's allocations cross the `line` QUANTITY=THRESHOLD.

    The stress is the one named `along` among those that are `chosen`; not named, the only one, else the
    severe one. Raises InputError for words that mean nothing, else as `read_base` does.
    """
    stresses = chosen_stresses(scenario, only, shock)
    name, target = _stress_along(stresses, along), target_of(line)
    source = stresses[name]
    base, stress = read_base(scenario, {name: source}, progress), stress_of(source)
    crossings = tuple(
        find_crossing(base, stress, target, kind, progress, name=name) for kind in kinds_of(target)
    )
    return ReverseStress(scenario, name, stress, crossings, notes_of(base, {name: source}))


def _stress_along(stresses: Collection[str], along: str | None) -> str:
    """The stress gone along: the one named, else the only one, else the severe one."""
    name = along if along is not None else next(iter(stresses)) if len(stresses) == 1 else _SEVERE
    known = ", ".join(stresses)
    if name in stresses:
        return name
    if along is not None:
        fault = Fault(f"no stress is named {name!r}", f"the stresses are {known}", field="--along")
    elif not stresses:
        fault = Fault(f"there is no stress beside {BASE}", "leave --only out", field="--reverse")
    else:
        remedy = f"name the stress to go along: --along NAME (one of {known})"
        fault = Fault("there is more than one stress", remedy, field="--reverse")
    raise InputError.of([fault], "stress")


def target_of(text: str) -> Target:
    """The line that QUANTITY=THRESHOLD states, as value=0, loss_rate=2% or limits[A line]=100%.

    Raises InputError.
    """
    quantity, mark, written = text.rpartition("=")
    quantity, written = quantity.strip(), written.strip()
    number = _number(written)
    if not mark or number is None:
        fault = Fault(
            f"{text!r} states no line",
            "write QUANTITY=THRESHOLD, as value=0 or loss_rate=2%",
            field="--reverse",
        )
        raise InputError.of([fault], "reverse stress")
    if quantity not in FIGURES and not _LIMIT.fullmatch(quantity):
        near = get_close_matches(quantity, FIGURES, n=1)
        known = f"the quantities are {', '.join(FIGURES)} and limits[NAME]"
        remedy = f"did you mean {near[0]}?" if near else known
        fault = Fault(f"{quantity!r} is no quantity", remedy, field="--reverse")
        raise InputError.of([fault], "reverse stress")
    return Target(quantity, number)


def kinds_of(target: Target) -> tuple[Kind, ...]:
    """The allocations whose crossings can be told: a bound is one of a world, whatever is frozen into it."""
    return ("reoptimised",) if target.quantity == "bound" else ("frozen", "reoptimised")


def find_crossing(
    base: Base,
    along: Stress,
    target: Target,
    kind: Kind,
    progress: Progress = lambda _: None,
    *,
    name: str = "",
) -> Crossing:
    """The least scale along `along`, the stress of that `name`, at which the quantity crosses the line.

    Raises InputError where the quantity names no limit of the scenario, or is none of this kind, and for
    faults of the stress.
    """
    if kind not in kinds_of(target):
        fault = Fault(
            "a bound belongs to the stressed case, not to an allocation",
            "ask for it re-optimised",
            field="bound",
        )
        raise InputError.of([fault], "reverse stress")
    _require_limit(base, target)
    measure = _Measure(base, name, along, target, kind, progress)
    farthest = min(GRID[-1], along.reach * (1 - 1e-9))
    grid = [scale for scale in GRID if scale < farthest] + [farthest]
    first = measure(0.0)
    crossed = _side(first, target)
    before, after = first, None if not crossed(first) else first
    for scale in grid:
        if after is not None:
            break
        point = measure(scale)
        before, after = (before, point) if crossed(point) else (point, None)
    if after is not None and after is not first:
        before, after = _close_in(measure, before, after, crossed, target.threshold)
    return Crossing(
        kind,
        target,
        None if after is None else before,
        after,
        tuple(measure.seen[s] for s in sorted(measure.seen)),
    )


@dataclass
class _Measure:
    """The quantity by scale, each scale once; each solve starts from the prices of the one before."""

    base: Base
    name: str
    along: Stress
    target: Target
    kind: Kind
    progress: Progress
    seen: dict[float, ScalePoint] = field(default_factory=dict)
    prices: Mapping[str, float] | None = None

    def __call__(self, scale: float) -> ScalePoint:
        if scale not in self.seen:
            self.progress(f"{self.kind} at {scale:.4g} times the stress")
            outcome, failure = self._outcome(scale)
            quantity = nan if outcome is None else self.target.of(outcome)
            self.seen[scale] = ScalePoint(scale, quantity, outcome, failure)
        return self.seen[scale]

    def _outcome(self, scale: float) -> tuple[StressVerdict | None, str]:
        if scale == 0.0:
            return self.base.verdict, ""
        world = self.base.under(self.name, self.along.scaled(scale))
        if self.kind == "frozen":
            return self.base.frozen(world)[0], ""
        anew = reoptimised(world, self.prices or self.base.outcome.prices)
        self.prices = anew.prices or self.prices
        return anew.verdict, anew.failure


def _side(first: ScalePoint, target: Target) -> Callable[[ScalePoint], bool]:
    """Whether a point lies past the line, seen from the first; without an allocation it does."""
    falls = first.quantity > target.threshold

    def crossed(point: ScalePoint) -> bool:
        if point.outcome is None:
            return True
        return point.quantity <= target.threshold if falls else point.quantity >= target.threshold

    return crossed


def _close_in(
    measure: _Measure,
    before: ScalePoint,
    after: ScalePoint,
    crossed: Callable[[ScalePoint], bool],
    threshold: float,
) -> tuple[ScalePoint, ScalePoint]:
    """Two judged points PRECISION apart with the line between them."""
    stalled = False
    while (width := after.scale - before.scale) > PRECISION * after.scale:
        if stalled or not isfinite(after.quantity) or after.quantity == threshold:
            scale = before.scale + width / 2
        else:
            scale = _secant(before, after, threshold)
        point = measure(scale)
        before, after = (before, point) if crossed(point) else (point, after)
        stalled = not stalled and after.scale - before.scale > width / 2
    return before, after


def _secant(before: ScalePoint, after: ScalePoint, threshold: float) -> float:
    """The secant's estimate, and a little over it into the wider side."""
    width, rise = after.scale - before.scale, after.quantity - before.quantity
    estimate = before.scale + width * ((threshold - before.quantity) / rise if rise else 0.5)
    step = 0.4 * PRECISION * estimate
    estimate += step if after.scale - estimate > estimate - before.scale else -step
    margin = min(step, width / 10)
    return min(max(estimate, before.scale + margin), after.scale - margin)


def _require_limit(base: Base, target: Target) -> None:
    name, uses = target.limit, base.verdict.limits
    known = [use.name for use in uses]
    if name is None:
        return
    if name not in known:
        near = get_close_matches(name, known, n=1)
        remedy = f"did you mean limits[{near[0]}]?" if near else f"the limits are {', '.join(known[:20])}"
        fault = Fault(f"no limit is named {name!r}", remedy, field="--reverse")
        raise InputError.of([fault], "reverse stress")
    if not isfinite(target.of(base.verdict)):
        fault = Fault(f"the bound of {name!r} is 0", "name another limit or quantity", field="--reverse")
        raise InputError.of([fault], "reverse stress")


def _number(text: str) -> float | None:
    """A number, or a percentage as a fraction; None for anything else."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if isfinite(value) else None
