"""The limits of a run as a table: the binding ones and the nearest ones first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Group, RenderableType

from allocator.records.cuts import CUT_NAME, HHI
from allocator.records.enforcement import NOT_IN_FORCE, REPORT
from allocator.records.limits import entry_of, is_percentage
from allocator.records.percentages import as_percentage
from allocator.records.run import per_point
from allocator.records.scenario import COUNTED, Limit, Measure
from allocator.report.money import Unit, figure, percent, small
from allocator.report.named import Figures, figures_of, named_table
from allocator.report.plain import Entry, Text, more
from allocator.report.room import WIDTH, room

_SIGNS = {"at_most": "\u2264", "at_least": "\u2265", "exactly": "="}
"""What says the sense on a narrow page."""
_ROW = re.compile(r"([^\[]*?)(?: \[([^\]]*)\])?(?:\[(.*)\])?", re.DOTALL)
"""A row's name: its entry, which has no brackets, the stress that it is under, the value that it is for."""
_NAME = re.compile(r"'([^']+)'")
_QUOTED = re.compile(r"'[^']+'(?:, '[^']+')+ and '[^']+'")
"""Names of limits in a message."""
_FEW = 2
"""Rows of one `each` that are named one by one in a sentence."""
_BOUND_WIDTH = 30
"""Columns that a bound takes before it folds."""
_ONE: Mapping[Measure, str] = {"loans": " a loan", "clients_changed": " a client"}
"""What a price is for, by the measure that counts."""
MOST = 12
"""Limits shown; `each` can make hundreds, and what binds is always shown, up to twice as many."""


def limits_table(uses: Sequence[Used], policy: Sequence[Limit], unit: Unit) -> RenderableType:
    """Use, bound, slack and shadow price of each limit; `uses` as summary.json lists them, the budget first.

    A limit relative to what is lent, or to own funds, shows use and bound as shares, and its slack as money;
    a limit on an average shows that as one too.
    """
    title = f"Limits, amounts in {unit}; shadow price: what one more {unit.currency} of bound adds"
    told = without_cuts(uses)
    ordered = [told[0], *nearest_first(told[1:])]
    tight = sum(is_of_each(use["name"]) and is_tight(use) for use in ordered)
    own = sum(not is_of_each(use["name"]) for use in ordered)
    most = max(MOST, own + min(tight, 2 * MOST))
    shown, hidden = limits_shown(ordered, [use["name"] for use in ordered], "limits", most)
    rows = [_cells(use, limit_of_row(policy, use["name"]), unit) for use in shown]
    columns = figures_of(("used", "bound", "slack", "shadow price"), rows)
    columns[1] = replace(columns[1], fold_at=_BOUND_WIDTH)
    columns.append(Figures("", [row[-1] for row in rows], "left"))
    names = [use["name"] for use in shown]
    fullest = fullest_of([use for use in ordered if use not in shown])
    below = [f"{line}, {fullest}" for line in hidden]
    return Group(
        Text(title, style="bold"),
        named_table("limit", names, columns),
        *below,
        *paid_for(sum(use.get("penalty", 0.0) for use in uses), unit.currency),
        *one_more(uses, policy, unit.currency),
        *map(Text, points_of(map(_row, uses), policy, unit.currency)),
        *map(Text, indices_of(uses)),
    )


def _row(use: Used) -> tuple[str, float, float]:
    return use["name"], use["bound"], use["price"]


def points_of(rows: Iterable[tuple[str, float, float]], policy: Sequence[Limit], currency: str) -> list[str]:
    """What a percentage point more of each bound that is a share adds, in a line; `rows` as in per_point."""
    adds = per_point(rows, [limit for limit in policy if is_percentage(limit)])
    if not adds:
        return []
    listed = [f"{name} {figure(point)}" for name, point in list(adds.items())[:MOST]]
    return [f"A percentage point more of bound adds, in {currency}: {', '.join(listed)}"]


def indices_of(uses: Iterable[Used]) -> list[str]:
    """As how many groups of one size what is lent is spread, of each limit on a Herfindahl index."""
    return [
        f"{use['name']}: as concentrated as {1 / use['used']:.4g} groups of one size, "
        f"at least {1 / use['bound']:.4g} wanted"
        for use in uses
        if use["measure"] == HHI and use["used"] > 0
    ]


def part_of(limit: Limit, digits: int) -> str:
    """A bound that is a share: `2.5% of drawn`; an average of a column beyond 1: `30,000 x loans`."""
    written = f"{as_percentage(limit.bound, digits)} of" if is_percentage(limit) else f"{limit.bound:,.12g} x"
    return f"{written} {limit.of_what}"


def fullness(part: float, *, tight: bool = False) -> str:
    """A share of a bound; 100% alone says that nothing is left, as where a limit is `tight`."""
    whole = f"{100 * part:.0f}%"
    return percent(part) if whole == "100%" and part < 1.0 and not tight else whole


def fullest_of(others: Sequence[Used]) -> str:
    """What limits that are not shown leave, in words: how many no room, and what the fullest of the rest."""
    tight = sum(map(is_tight, others))
    open_to = [full for use in others if not is_tight(use) and math.isfinite(full := used_of(use))]
    left = f"none above {fullness(max(open_to, default=0.0))} of its bound"
    if not tight:
        return left
    return f"{tight} of them without room" + (f", of the rest {left}" if open_to else "")


def by_entry(names: Sequence[str]) -> list[str]:
    """`names` of limits, where more than two rows of one `each` are told as `sectors (16 of them)`."""
    entries = [entry_of(name) if is_of_each(name) else name for name in names]
    rows = Counter(entry for entry, name in zip(entries, names, strict=True) if entry != name)
    told = [
        f"{entry} ({rows[entry]} of them)" if entry != name and rows[entry] > _FEW else name
        for entry, name in zip(entries, names, strict=True)
    ]
    return list(dict.fromkeys(told))


def paid_for(penalty: float, currency: str) -> list[RenderableType]:
    """What soft limits that are missed cost, in a line; nothing where none is."""
    sentence = f"Soft limits that are missed take {penalty:,.2f} {currency} off the value."
    return [Text(sentence)] if penalty else []


def one_more(uses: Sequence[Used], policy: Sequence[Limit], currency: str) -> list[RenderableType]:
    """What one more unit of budget brings where limits that are shares of it grow with it; else nothing."""
    shares = {
        limit.name: math.sqrt(limit.bound) if limit.measure == HHI else limit.bound
        for limit in policy
        if limit.of == "budget"
    }
    price = uses[0]["price"]
    moving = price + sum(use["price"] * _share(use["name"], shares) for use in uses[1:])
    if math.isclose(price, moving, rel_tol=1e-6, abs_tol=1e-12):
        return []
    sentence = (
        f"One more {currency} of budget brings {small(moving)}: limits that are shares of it grow with it; "
    )
    return [Text(f"{sentence}its own bound alone brings {small(price)}, its shadow price.")]


def _share(name: str, shares: Mapping[str, float]) -> float:
    return shares.get(name, shares.get(entry_of(name), 0.0))


def limits_shown(
    limits: Sequence[Entry], names: Sequence[str], what: str, most: int = MOST
) -> tuple[list[Entry], list[str]]:
    """The `limits` that a table of `most` rows shows, in their order, and a line on how many more there are.

    A limit that stands for itself is never left out for rows that an `each` has made of another.
    """
    own = {number for number, name in enumerate(names) if not is_of_each(name)}
    others = [number for number in range(len(names)) if number not in own]
    places = sorted(own | set(others[: max(most - len(own), 0)]))
    return [limits[number] for number in places], more(len(names) - len(places), what)


Used = Mapping[str, Any]
"""A limit's name, sense, used, bound, price, binding and broken, as summary.json has them; `enforce` and
`missed` where it need not hold."""


def used_of(use: Used) -> float:
    """How full a limit is: of a floor, the part of what is there that is owed."""
    used, bound = use["used"], use["bound"]
    part, whole = (bound, used) if use["sense"] == "at_least" else (used, bound)
    return float(part / whole) if whole > 0 else (0.0 if part <= 0 else math.inf)


def floors_of(uses: Sequence[Used]) -> list[str]:
    """How a floor's share is to be read, where there is one."""
    floor = any(use["sense"] == "at_least" for use in uses)
    return ["of a floor: what it asks for, as a share of what is there"] * floor


def nearest_first(uses: Iterable[Used]) -> list[Used]:
    """Broken limits, missed ones, binding ones by what they charge, then the fullest."""

    def order(use: Used) -> tuple[bool, bool, bool, float, float]:
        charge = use["price"] * use["used"]
        off = use["broken"], bool(use.get("missed")), use["binding"]
        return not off[0], not off[1], not off[2], -abs(charge), -used_of(use)

    return sorted(uses, key=order)


def is_tight(use: Used) -> bool:
    """Whether it leaves no room, or is exceeded."""
    return bool(use["broken"] or use["binding"] or use.get("missed"))


def in_short(failure: str) -> str:
    """Why there is no answer, where many rows of one `each` are told as one."""
    return _QUOTED.sub(lambda match: _quoted(_NAME.findall(match[0])), failure)


def _quoted(names: Sequence[str]) -> str:
    """`names` of limits as a message has them, rows of one `each` as one."""
    told = [f"'{name}'" if name in names else name for name in by_entry(names)]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def state_of(use: Used, binds: str = "binding") -> str:
    """The word on a limit beside its figures, "" where there is none; `binds` is that of one without room."""
    if use.get("enforce") == NOT_IN_FORCE:
        return "not in force"
    if use.get("enforce") == REPORT:
        return f"{'missed' if use['missed'] else 'kept'}, reported"
    if use.get("missed"):
        return "missed, soft"
    return "broken" if use["broken"] else binds if use["binding"] else ""


def own_first(names: Iterable[str]) -> list[str]:
    """`names` of limits, those before the rows of an `each`; no cut beside the limit that it is of."""
    listed = list(names)
    return sorted(of_cuts(listed, listed), key=is_of_each)


def is_of_each(name: str) -> bool:
    """Whether a row was made by an `each`: no name that a limit is given has brackets."""
    return name.endswith("]")


def _index_cells(use: Used, sense: str) -> list[str]:
    """A Herfindahl index is a share by itself; its price is that of its cuts, which stand beside it."""
    state = "broken" if use["broken"] else "binding" if use["binding"] else ""
    return [percent(use["used"]), f"{sense} {percent(use['bound'])}", percent(use["slack"]), "", state]


def _cells(use: Used, entry: Limit | None, unit: Unit) -> list[str]:
    write = (lambda count: f"{count:,.10g}") if use["measure"] in COUNTED else unit.write
    sense = use["sense"].replace("_", " ") if room() == WIDTH else _SIGNS[use["sense"]]
    used, bound, slack = write(use["used"]), f"{sense} {write(use['bound'])}", write(use["slack"])
    if use["measure"] == HHI:
        return _index_cells(use, sense)
    if entry is not None and entry.shown_as_share:
        used = part_stated(use["used"], use["bound"], entry)
        stated = (
            f"{percent(entry.bound)} of {entry.of_what.removeprefix('the ')}"
            if is_percentage(entry)
            else part_of(entry, 6)
        )
        bound = f"{sense} {stated}"
        slack = part_stated(use["slack"], use["bound"], entry) if is_average(entry) else slack
    price = f"{small(use['price'])}{for_one(use['measure'], entry)}" if use["price"] else ""
    return [used, bound, slack, price, state_of(use)]


def is_average(entry: Limit) -> bool:
    """Whether it bounds what a column is on average: its rows are in money times what is averaged."""
    return entry.weight is not None and entry.shown_as_share


def part_stated(amount: float, bound: float, entry: Limit) -> str:
    """An amount as the bound is stated, share x reference; where either is 0 there is no share to state."""
    if not bound:
        return ""
    part = amount / bound * entry.bound
    return percent(part) if is_percentage(entry) else figure(part)


def limit_of_row(policy: Iterable[Limit], name: str) -> Limit | None:
    """The policy's entry that a row of the limits comes from; None for the budget."""
    by_name = {limit.name: limit for limit in policy}
    return by_name.get(name) or by_name.get(entry_of(name))


def for_one(measure: Measure, entry: Limit | None) -> str:
    """What the shadow price is for, where that is no money: ` a loan`."""
    weighted = entry is not None and entry.weight is not None
    return "" if weighted else _ONE.get(measure, "")


def without_cuts(uses: Sequence[Used]) -> list[Used]:
    """`uses` with the cuts of convex limits taken into these, whose price is what their cuts add together.

    A Herfindahl index keeps the price 0: a unit more of its bound is no unit more of its cuts'.
    """
    names, prices = {use["name"] for use in uses}, prices_of_cuts(uses)
    return [
        {**use, "price": prices.get(use["name"], use["price"])}
        for use in uses
        if not is_cut(use["name"], names)
    ]


def prices_of_cuts(uses: Sequence[Used]) -> dict[str, float]:
    """Convex limit -> what its cuts add together; of Herfindahl indices none."""
    names = {use["name"] for use in uses}
    prices: dict[str, list[float]] = {use["name"]: [] for use in uses if use["measure"] != HHI}
    for use in uses:
        if is_cut(use["name"], names) and entry_of(use["name"]) in prices:
            prices[entry_of(use["name"])].append(use["price"])
    return {name: sum(own) for name, own in prices.items() if own}


def is_cut(name: str, among: Container[str]) -> bool:
    """Whether a row is a cut of a convex limit: `among` has the limit's own row, which an `each` has not."""
    match = CUT_NAME.fullmatch(name)
    return match is not None and match[1] in among


def cut_in_words(name: str, among: Container[str]) -> str:
    """`tail loss, cut 5` of the cut `tail loss[5]`; any other row's name as it is."""
    return "{}, cut {}".format(*name[:-1].split("[")) if is_cut(name, among) else name


def of_cuts(names: Iterable[str], among: Container[str]) -> list[str]:
    """`names` of limits, each cut as the limit that it is of, once."""
    return list(dict.fromkeys(entry_of(name) if is_cut(name, among) else name for name in names))


def reason_of(reason: str, rows: Container[str]) -> str:
    """Why somebody has no offer, a cut told as the limit that it is of: `rows` are all names of rows."""
    words, mark, name = reason.partition("limit ")
    return f"{words}{mark}{entry_of(name)}" if is_cut(name, rows) else reason


def reasons_of(counts: Mapping[str, int], rows: Container[str]) -> dict[str, int]:
    """Reasons with their counts, those of the cuts of one limit as that limit's."""
    reasons: Counter[str] = Counter()
    for reason, count in counts.items():
        reasons[reason_of(reason, rows)] += count
    return reasons


def limit_in_words(name: str, among: Container[str] = ()) -> str:
    """`regions: south` of `regions[south]`, `loss rate with severe on top` of `loss rate [severe]`.

    `tail loss, cut 5` of `tail loss[5]` where `among`, the names of all rows, has `tail loss`.
    """
    if is_cut(name, among):
        return cut_in_words(name, among)
    match = _ROW.fullmatch(name)
    if match is None:
        return name
    entry, stress, group = match.groups()
    return f"{entry}{f': {group}' if group else ''}{f' with {stress} on top' if stress else ''}"
