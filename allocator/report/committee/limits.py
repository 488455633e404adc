"""Which limits shape the allocation: how full each is, its shadow price, and what dropping it would add."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from allocator.records.cuts import HHI
from allocator.records.enforcement import REPORT
from allocator.records.percentages import as_percentage
from allocator.records.scenario import COUNTED, Policy
from allocator.report.colours import Tone
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Inline,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Figure, Place
from allocator.report.limits import (
    floors_of,
    for_one,
    fullest_of,
    fullness,
    is_average,
    is_cut,
    is_of_each,
    is_tight,
    limit_in_words,
    limit_of_row,
    nearest_first,
    part_of,
    state_of,
    used_of,
)
from allocator.report.money import visible

MOST = 10
"""Limits shown on the front."""
_OWN = 5
"""Limits that stand for themselves and are shown below the nearest."""
_TIGHT = 20
"""Limits without room that are shown on the front, however many fill it."""
_MOST_OF_ALL = 100
"""In the annex."""
ONE_MORE: Place = ("composition", "one_more")
"""What one more unit of budget brings, limits that are shares of it growing too."""
_FULL = 0.8
"""Where on a bar the bound stands: what lies beyond is broken."""
_GAP = 0.93, 0.96
"""Where a bar that is longer than its room has a gap."""


def limits_section(docs: Documents, policy: Policy) -> Section:
    """A gauge of the nearest limits."""
    shown, others = _shown(docs, MOST, cuts=False)
    rows = [_gauge(docs, policy, place) for place in shown]
    columns = (
        Column("Limit", "text"), Column("Used"), Column("", "bar"), Column("Bound", "text"), price_of(docs),
    )  # fmt: skip
    fullest = fullest_of([_in_summary(docs, place) for place in others])
    told = [f"{len(others)} others, {fullest}"] * bool(others)
    uses = [_in_summary(docs, place) for place in shown]
    told += floors_of(uses)
    costly = any(use["price"] < 0 for use in uses)
    told += ["a price below 0 is what one more of a floor takes away"] * costly
    told += ["a bar with a gap near its end goes on"] * any(used_of(use) * _FULL > 1.0 for use in uses)
    more = f"{'; '.join(told)}." if told else ""
    blocks: list[Block] = [Table(columns, tuple(rows), more=more), *_what_room_brings(docs)]
    blocks += _costs(docs)
    return Section("limits", "4 · Which limits shape it, and what do they cost?", tuple(blocks), "a-limits")


def _shown(docs: Documents, most: int, *, cuts: bool = True) -> tuple[list[Place], list[Place]]:
    """The nearest limits, `most` or those that leave no room if they are more, and the others.

    Those that stand for themselves are kept in sight below, `_OWN` of them, whatever rows an `each` has made.
    Without `cuts` convex limits stand for those.
    """
    rows = set(docs.rows)
    places = [place for place in nearest(docs) if cuts or not is_cut(docs.at(*place, "name"), rows)]
    tight = sum(is_tight(_in_summary(docs, place)) for place in places)
    most = max(most, min(tight, _TIGHT))
    own = [place for place in places[most:] if not is_of_each(str(docs.at(*place, "name")))]
    shown = [*places[:most], *own[:_OWN]]
    return shown, [place for place in places if place not in shown]


def price_of(docs: Documents) -> Column:
    """The column of shadow prices, with what they are per."""
    return Column(f"Shadow price, per {docs.currency} of bound")


def nearest(docs: Documents) -> list[Place]:
    """The places of the limits in explain: broken, binding by what they charge, then the fullest."""
    places = [*docs.places("explain", "limits")]
    uses = [{**_in_summary(docs, place), "place": place} for place in places]
    return [use["place"] for use in nearest_first(uses)]


def _in_summary(docs: Documents, place: Place) -> Any:
    return docs.at("summary", "limits", place[-1])


def binding(docs: Documents) -> list[Place]:
    """Limits that have a price and are kept, room that whole loans leave aside, or are broken."""
    uses = [(place, _in_summary(docs, place)) for place in nearest(docs)]
    return [
        place for place, use in uses if use["broken"] or (docs.at(*place, "price") and not use.get("missed"))
    ]


def missed(docs: Documents, *, reported: bool) -> list[str]:
    """Names of limits that are not kept and need not be: those `reported` only, else the soft ones."""
    uses = [_in_summary(docs, place) for place in nearest(docs)]
    return [use["name"] for use in uses if use.get("missed") and (use["enforce"] == REPORT) == reported]


def _gauge(docs: Documents, policy: Policy, place: Place) -> Row:
    limit, state = docs.at(*place), _in_summary(docs, place)
    full = used_of(_in_summary(docs, place))
    tight, word = is_tight(state), state_of(state, "binds")
    tone: Tone = "warn" if tight else "deep"
    cut = (Stretch(0.0, _GAP[0], tone), Stretch(_GAP[1], 1.0, tone))
    bar = Bar((cut if full * _FULL > 1.0 else (Stretch(0.0, full * _FULL, tone),),), mark=_FULL)
    own: Place = ("summary", "limits", place[-1])
    pair = (
        ((*own, "bound"), (*own, "used"))
        if limit["sense"] == "at_least"
        else ((*own, "used"), (*own, "bound"))
    )
    decimals = 0 if fullness(full, tight=tight) == f"{100 * full:.0f}%" else 2
    used = (
        docs.percent(*pair, decimals=decimals)
        if math.isfinite(full) and limit["bound"]
        else _plain(docs, own)
    )
    price = _price_of_cuts(docs, limit["name"]) or _price(docs, policy, own)
    name = f"{limit_in_words(limit['name'])}{f' ({word})' if word else ''}"
    return Row((name, used, bar, stated(docs, policy, own), price), strong=tight,
               tone="warn" if tight else None)  # fmt: skip


def _price(docs: Documents, policy: Policy, own: Place) -> Cell:
    """The shadow price, with what it is for where that is no money."""
    if not docs.at(*own, "price"):
        return None
    entry = limit_of_row(policy.limits, docs.at(*own, "name"))
    price, unit = docs.price(*own, "price"), for_one(docs.at(*own, "measure"), entry)
    return (price, unit) if unit else price


def _price_of_cuts(docs: Documents, name: str) -> Cell:
    """What one more of a convex limit brings, by its cuts together; of an index a percentage point of it."""
    if docs.at("composition").get("prices", {}).get(name):
        return docs.price("composition", "prices", name)
    index = docs.at("explain").get("per_point", {}).get(name) and any(
        is_cut(row, {name}) for row in docs.rows
    )
    return (docs.money("explain", "per_point", name), " a point") if index else None


def _plain(docs: Documents, own: Place) -> Figure:
    return docs.money(*own, "used")


def stated(docs: Documents, policy: Policy, own: Place) -> tuple[Inline, ...]:
    """A limit's bound as the policy states it, `own` its place in the summary."""
    name, sense = docs.at(*own, "name"), docs.at(*own, "sense").replace("_", " ")
    entry = limit_of_row(policy.limits, name)
    if docs.at(*own, "measure") == HHI:
        return (f"{sense} {as_percentage(docs.at(*own, 'bound'))}",)
    if entry is not None and entry.measure != HHI and entry.shown_as_share:
        return (f"{sense} {part_of(entry, 6)}",)
    if docs.at(*own, "measure") in COUNTED:
        return (f"{sense} ", docs.count(*own, "bound"))
    return (f"{sense} ", docs.money(*own, "bound"))


def _what_room_brings(docs: Documents) -> Sequence[Block]:
    """What one more unit of budget brings, with what moves beside it and without."""
    alone, moving = docs.price("summary", "limits", 0, "price"), docs.price(*ONE_MORE)
    currency = docs.currency
    if not math.isclose(alone.value, moving.value, rel_tol=1e-6, abs_tol=1e-12):
        return (
            words(
                f"Each further {currency} of budget earns ", Strong(moving), f" {currency}, since limits "
                "that are shares of the budget grow with it. Its shadow price ", alone,
                " counts the budget's own bound alone.",
            ),
        )  # fmt: skip
    return (words(f"Each further {currency} of budget earns ", Strong(moving), f" {currency}, its shadow "
                  "price."),)  # fmt: skip


def _costs(docs: Documents) -> Sequence[Block]:
    """What dropping each entry of the policy would add; those that add nothing in one sentence."""
    costs = [*docs.places("explain", "costs")]
    dear = sorted((c for c in costs if docs.at(*c, "high") is None or visible(docs.at(*c, "high"))),
                  key=lambda c: -docs.number((*c, "low")))  # fmt: skip
    parts: list[Inline] = []
    for i, cost in enumerate(dear[:4]):
        name = docs.at(*cost, "limit")
        words_before = f"{'; ' if i else 'Dropping '}{name} alone would add {docs.least(*cost)}"
        parts += [words_before, Strong(docs.money(*cost, "low"))]
    more = len(dear) - 4
    parts += [f"; {more} further {'group adds' if more == 1 else 'groups add'} something" if more > 0 else ""]
    free = len(costs) - len(dear)
    parts += [
        f"; {free} of {len(costs)} groups of limits cost{'s' * (free == 1)} nothing" if free and dear else ""
    ]
    return (words(*parts, "."),) if dear else ((words("No limit costs anything."),) if costs else ())


def limits_annex(docs: Documents, policy: Policy) -> Section:
    """Every limit with its use, price and range, and the cost of every entry."""
    shown, others = _shown(docs, _MOST_OF_ALL)
    columns = (
        Column("Limit", "text"), Column("As stated", "text"), Column("Used"), Column("Bound"),
        Column("Room left"), price_of(docs), Column("Charges"), Column("Bound may change by, from"),
        Column("to"),
    )  # fmt: skip
    rows = []
    for place in shown:
        own: Place = ("summary", "limits", place[-1])
        low, high = _range(docs, policy, place)
        price = _price(docs, policy, own)
        charge = docs.exact(*place, "charge") if price is not None else None
        word = state_of(docs.at(*own), "binds")
        state = f" ({word})" if word else ""
        write = _writer(docs, policy, own)
        rows.append(
            Row((f"{limit_in_words(docs.at(*own, 'name'), docs.rows)}{state}", stated(docs, policy, own),
                 write(*own, "used"), write(*own, "bound"), write(*own, "slack"), price, charge, low, high))
        )  # fmt: skip
    fullest = fullest_of([_in_summary(docs, place) for place in others])
    more = f"and {len(others):,} further limits, {fullest}: certificate.json has all" if others else ""
    formula = words(
        "A limit's use is the sum over its borrowers of weight times what it measures. Its shadow price "
        "is what the best value gains a unit of its own bound, every other bound as it is. The last two "
        "columns say by how much the bound may change before the price does; they go by the prices, so "
        "that beside whole loans they may differ from the room left by part of a loan. A limit charges its "
        "price times its use. One on a share of what is lent charges for its use less its bound, which is 0 "
        "in sum where it binds: what it takes from some loans it gives to others. Here use and bound of a "
        f"share are sums of {docs.currency}; a price of an average, such as a mean PD, is per "
        f"{docs.currency} times what is averaged. A cut is a row that a limit on concentration or on the "
        "tail implies; what a unit more of that limit brings is what its cuts add together.",
    )  # fmt: skip
    table = Table(columns, tuple(rows), "Every limit", more=more)
    return Section("a-limits", "A3 · Limits", (formula, table, *_cost_table(docs)))


def _writer(docs: Documents, policy: Policy, place: Place) -> Callable[..., Figure]:
    """How figures of the limit at `place` are written: counts, an index or average as such, money."""
    measure, entry = docs.at(*place, "measure"), limit_of_row(policy.limits, docs.at(*place, "name"))
    if measure == HHI:
        return lambda *own: docs.gap(*own) if own[-1] == "slack" else docs.percent(own)
    if entry is not None and is_average(entry) and docs.at(*place, "bound"):
        return lambda *own: docs.part(own, (*place, "bound"), entry)
    return docs.whole if measure in COUNTED else docs.exact


def _range(docs: Documents, policy: Policy, place: Place) -> tuple[Inline, Inline]:
    moves, entry = docs.at(*place, "range"), limit_of_row(policy.limits, docs.at(*place, "name"))
    if entry is not None and entry.by is not None and entry.name == docs.at(*place, "name"):
        return "that of", "its cuts"
    if moves is None:
        return "not known", "not known"

    write = docs.money
    if docs.at(*place, "measure") in COUNTED or (entry is not None and is_average(entry)):
        write = _writer(docs, policy, place)

    def end(key: str) -> Inline:
        move = moves[key]
        return "any" if move is None or not math.isfinite(move) else write(*place, "range", key)

    return end("low"), end("high")


def _cost_table(docs: Documents) -> Sequence[Block]:
    costs = [*docs.places("explain", "costs")]
    if not costs:
        return ()
    rows = [
        Row((docs.at(*cost, "limit"), docs.exact(*cost, "low"),
             docs.exact(*cost, "high") if docs.at(*cost, "high") is not None else "not known",
             "solved again without it" if docs.at(*cost, "solved") else "by its shadow price of 0"))
        for cost in costs
    ]  # fmt: skip
    columns = (
        Column("Without", "text"), Column("adds at least"), Column("at most"), Column("known by", "text")
    )  # fmt: skip
    command = note(*typed("From `allocator explain DIR --exact`; limits of one `each` are dropped together."))
    title = f"What dropping one group of limits alone adds, {docs.currency}"
    return (Table(columns, tuple(rows), title), command)
