"""What becomes of the allocation under stress: as it stands, and decided anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allocator.report.colours import Tone
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Inline,
    Listing,
    Row,
    Section,
    Stretch,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.drawing.units import Unit, headed
from allocator.report.limits import by_entry, in_short, limit_in_words, of_cuts

_MOST = 8
_NAMED = 3
_ADJECTIVES = frozenset({"mild", "moderate", "severe", "adverse", "extreme"})
"""Names of stresses that stand before the word."""


def stress_section(docs: Documents) -> Section:
    """A pair of bars a stress."""
    worlds = [*docs.places("stress", "stresses")]
    shown = worlds[:_MOST]
    places = [(*world, which, "value") for world in shown for which in ("frozen", "reoptimised")
              if docs.at(*world, which) is not None]  # fmt: skip
    unit = docs.column(places)
    scale = _Scale.of([docs.number(place) for place in places])
    columns = (
        Column("World", "text"), Column(headed("Value as it stands", unit)), Column("", "bar"),
        Column("Decided anew"), Column("Loss rate"), Column("Limits", "text"),
    )  # fmt: skip
    hidden = len(worlds) - len(shown)
    more = f"and {hidden} further stresses, in the annex" if hidden else ""
    rows = tuple(_row(docs, world, unit, scale) for world in shown)
    factors = _factors(docs, shown)
    return Section(
        "stress", "6 · What if the world turns worse?",
        (Table(columns, rows, more=more), *([note(f"{'; '.join(factors)}.")] if factors else []),
         note("Upper bar: this allocation as it stands, orange where it breaks a limit, which may make it "
              "worth more. Light bar: the best that keeps every limit under that stress, decided knowing "
              "it."),
         *_moved(docs, shown)),
        "a-stress",
    )  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    """The axis of the bars: from the least value, or 0, to the largest."""

    low: float
    spread: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        low, high = min([0.0, *values]), max([0.0, *values])
        return cls(low, (high - low) or 1.0)

    @property
    def zero(self) -> float:
        return -self.low / self.spread

    def bar(self, value: float, tone: Tone) -> tuple[Stretch]:
        ends = sorted((self.zero, (value - self.low) / self.spread))
        return (Stretch(ends[0], ends[1], tone),)


def _row(docs: Documents, world: Place, unit: Unit, scale: _Scale) -> Row:
    """A stress: the value of the run under it, and that of the best allocation there."""
    frozen, anew, broken = docs.at(*world, "frozen"), docs.at(*world, "reoptimised"), broken_in(docs, world)
    bars = [scale.bar(frozen["value"], "warn" if broken else "deep")]
    again: Cell = "none possible"
    if anew is not None:
        bars.append(scale.bar(anew["value"], "pale"))
        again = docs.bare((*world, "reoptimised", "value"), unit)
    return Row(
        (_name(docs, world), docs.bare((*world, "frozen", "value"), unit), Bar(tuple(bars), mark=scale.zero),
         again, docs.percent((*world, "frozen", "loss_rate")), _breaks(docs, world)),
        tone="warn" if broken else None,
    )  # fmt: skip


def _name(docs: Documents, world: Place) -> str:
    name = str(docs.at(*world, "name"))
    if name != "base":
        return name
    return "the worst of them" if "worst_of" in docs.at("summary") else "as expected"


def stress_named(docs: Documents, world: Place) -> str:
    """The stress in running text: `severe stress`; a name that goes before no noun is quoted."""
    name = _name(docs, world)
    return f"{name} stress" if name in _ADJECTIVES else f"the stress '{name}'"


def breaks(names: list[str]) -> str:
    """Which limits are broken, by name, the others counted."""
    return f"breaks {named(names) if names else 'none'}"


def broken_in(docs: Documents, world: Place, which: str = "frozen") -> list[str]:
    """Names of the limits broken in a stress; of a limit under another stress that one comes on top."""
    names = [str(name) for name in docs.at(*world, which, "broken")]
    return of_cuts(names, names)


def named(names: Sequence[str]) -> str:
    """`a, b and c`; of many the first, the others counted, and rows of one `each` as one."""
    return "".join(str(part) for part in _told(names, lambda _: ()))


def how_far(docs: Documents, verdict: Place, names: Sequence[str]) -> tuple[Inline, ...]:
    """`names` of limits that `verdict` breaks, as `named`, each with how full it is."""
    limits = {str(docs.at(*place, "name")): place for place in docs.places(*verdict, "limits")}

    def full(name: str) -> tuple[Inline, ...]:
        if name not in limits or not docs.number((*limits[name], "bound")):
            return ()
        return (" (at ", docs.percent((*limits[name], "used"), (*limits[name], "bound")), " of its bound)")

    return _told(names, full)


def _told(names: Sequence[str], further: Callable[[str], tuple[Inline, ...]]) -> tuple[Inline, ...]:
    names = by_entry(names)
    shown = names[:_NAMED] if len(names) > _NAMED + 1 else names  # one more takes no more room than its name
    parts: list[tuple[Inline, ...]] = [(limit_in_words(name), *further(name)) for name in shown]
    parts += [(f"{len(names) - len(shown)} more",)] * (len(shown) < len(names))
    out: list[Inline] = []
    for i, part in enumerate(parts):
        out += ["" if not i else " and " if i == len(parts) - 1 else ", ", *part]
    return tuple(out)


def _breaks(docs: Documents, world: Place) -> tuple[Inline, ...]:
    """Which limits the allocation as it stands breaks in a stress, and how far."""
    return ("breaks ", *(how_far(docs, (*world, "frozen"), broken_in(docs, world)) or ("none",)))


def broken_worlds(docs: Documents) -> list[tuple[str, list[str]]]:
    """Stresses in which the allocation breaks limits, with their names."""
    out = []
    for world in docs.places("stress", "stresses"):
        names = broken_in(docs, world)
        if names and docs.at(*world, "name") != "base":
            out.append((str(docs.at(*world, "name")), names))
    return out


def worst(docs: Documents) -> Place | None:
    """The stress in which the allocation is worth least, beside the world as expected."""
    worlds = [w for w in docs.places("stress", "stresses") if docs.at(*w, "name") != "base"]
    return min(worlds, key=lambda world: docs.number((*world, "frozen", "value")), default=None)


def factors_of(docs: Documents, world: Place) -> str:
    """What the stress does, `PD x 2.5, requests x 0.8`; "" where figures do not say it."""
    by = docs.at(*world).get("factors") or {}
    return ", ".join(_factor(key, by[key]) for key in by)


def _factors(docs: Documents, worlds: Sequence[Place]) -> list[str]:
    """What each stress does, `severe: PD x 2.5, requests x 0.8`, of those that say it in figures."""
    told = [(world, factors_of(docs, world)) for world in worlds]
    return [f"{_name(docs, world)}: {factors}" for world, factors in told if factors]


def stress_annex(docs: Documents) -> Section:
    """Factors and every figure."""
    columns = (
        Column("World", "text"), Column("Value"), Column("Bound, limits kept"), Column("Drawn"),
        Column("Expected loss"), Column("Funding"), Column("Loss rate"), Column("Funded"),
        Column("Limits broken", "text"),
    )  # fmt: skip
    worlds = [*docs.places("stress", "stresses")]
    rows = tuple(
        _full_row(docs, world, which, how)
        for world in worlds
        for which, how in (("frozen", "as it stands"), ("reoptimised", "decided anew"))
    )
    factors = _factors(docs, worlds)
    blocks: list[Block] = [
        words("A stress multiplies PD, LGD, requests and churn, and adds to the funding rate. As it "
              "stands: every offer is kept at its rate, cut to what is still asked for, and judged under "
              "that stress. The bound is "
              "on any allocation that keeps the limits there; one that breaks them may be worth more."),
    ]  # fmt: skip
    if factors:
        blocks.append(Listing(tuple((how,) for how in factors)))
    blocks.append(Table(columns, rows, f"Every world, {docs.currency}"))
    blocks += _moves(docs)
    blocks.append(note(*typed("From `allocator stress DIR/scenario.yaml`.")))
    return Section("a-stress", "A5 · Stress", tuple(blocks))


def _full_row(docs: Documents, world: Place, which: str, how: str) -> Row:
    """Every figure of a stress, for what `which` names of it."""
    own: Place = (*world, which)
    figures, name = docs.at(*own), f"{_name(docs, world)}, {how}"
    if figures is None:
        return Row((name, *[None] * 7, in_short(str(docs.at(*world, "failure")))))
    names = how_far(docs, own, broken_in(docs, world, which)) or "none"
    return Row(
        (name, docs.exact(*own, "value"), docs.exact(*own, "bound") if figures["bound"] is not None else None,
         docs.exact(*own, "drawn"), docs.exact(*own, "expected_loss"), docs.exact(*own, "funding_cost"),
         docs.percent((*own, "loss_rate"), decimals=4), docs.count(*own, "funded"), names)
    )  # fmt: skip


def _moves(docs: Documents) -> list[Block]:
    """How far what is decided anew lies from the run."""
    figures = ("come", "gone", "money", "rates", "rate")
    columns = (
        Column("Decided anew", "text"), Column("Get an offer, had none"), Column("Lose theirs"),
        Column("Amounts move by, in all"), Column("Other rate"), Column("by, on average"),
    )  # fmt: skip
    rows = []
    for world in docs.places("stress", "stresses"):
        if docs.at(*world, "moved") is not None:
            come, gone, money, rates, rate = ((*world, "moved", figure) for figure in figures)
            rows.append(
                Row((_name(docs, world), docs.count(*come), docs.count(*gone), docs.exact(*money),
                     docs.count(*rates), docs.percent(rate)))
            )  # fmt: skip
    return [Table(columns, tuple(rows), f"How far the book would move, {docs.currency}")] if rows else []


def _moved(docs: Documents, shown: Sequence[Place]) -> list[Block]:
    """How far the book would move in the worst stress."""
    world = worst(docs)
    if world is None or world not in shown or docs.at(*world, "moved") is None:
        return []
    moved: Place = (*world, "moved")
    come = docs.count(*moved, "come")
    gone = docs.count(*moved, "gone")
    gain: tuple[Inline, ...] = (
        ("no declined borrower would gain an offer, ",)
        if not come.value
        else (come, f" declined borrower{'s' * (come.value != 1)} would gain an offer, ")
    )
    lose: tuple[Inline, ...] = (gone, " would lose theirs") if gone.value else ("nobody would lose theirs",)
    return [words(f"Decided anew under {stress_named(docs, world)}, ", *gain, *lose,
                  ", and amounts would move by ", docs.money(*moved, "money"), " in all.")]  # fmt: skip


def _factor(name: str, told: Mapping[str, Any]) -> str:
    """One figure's factor, as `PD x 1.5` or `funding + 0.5%`."""
    label = {"pd": "PD", "lgd": "LGD", "amount": "requests"}.get(name, name)
    parts = [f"x {told['all']:g}"] if told.get("all", 1.0) != 1.0 else []
    parts += [f"+ {100 * told['add']:g}%"] if told.get("add") else []
    cases = len(told.get("cases", ()))
    parts += [f"in {cases} {'case' if cases == 1 else 'cases'} otherwise"] if cases else []
    return f"{label} {' '.join(parts)}".rstrip()
