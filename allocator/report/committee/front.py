"""What is asked first: how much, to whom, at which rate, what it earns and risks, and what is to be "
"decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isclose

from allocator.records.ledger import lines_among
from allocator.records.percentages import as_percentage
from allocator.records.scenario import Policy
from allocator.report.committee.blocks import (
    Block,
    Card,
    Inline,
    Listing,
    Paragraph,
    Strong,
    joined,
)
from allocator.report.committee.decisions import left_out_by_grade, reason_of_many
from allocator.report.committee.figure import Documents, Figure, Place
from allocator.report.committee.levers import change_in_words
from allocator.report.committee.limits import ONE_MORE, binding, missed
from allocator.report.committee.proof import unproved
from allocator.report.committee.stress import (
    breaks,
    broken_in,
    broken_worlds,
    factors_of,
    how_far,
    named,
    stress_named,
    worst,
)
from allocator.report.committee.years import losing, quantile
from allocator.report.drawing.units import short
from allocator.report.limits import by_entry, limit_in_words, of_cuts
from allocator.report.money import visible

_NAMED = 4
_MOST_POSTED = 8
"""Segments of a price list that are all named."""
_FEW_GRADES = 6
"""Grades that are all named."""
_MILLION = 1e6
_MANY_MILLIONS = 20e6
"""Of a budget that a million is little of."""


def front(docs: Documents) -> tuple[Block, ...]:
    """Sentences that stand without the rest, and what the committee is asked."""
    return (
        Paragraph(_lent(docs), "lead"),
        Paragraph((*_bound(docs), *_left_out(docs)), "lead"),
        Paragraph(_risk(docs), "lead"),
        Listing(tuple(_asked(docs)), "Asked of the committee"),
    )


def _lent(docs: Documents) -> tuple[Inline, ...]:
    if not docs.number(("summary", "funded")):
        return ("Lend ", Strong("nothing"), ": no offer to any of ", docs.count("summary", "borrowers"),
                " borrowers is worth making within the limits.")  # fmt: skip
    rate = docs.percent(("composition", "mean_rate"))
    return (
        "Lend ", Strong(docs.money("summary", "offered")), f" {docs.currency} to ",
        Strong(docs.count("summary", "funded")), " of ", docs.count("summary", "borrowers"),
        " borrowers, offered at ", Strong(rate), " on average; ", docs.money("summary", "drawn"),
        " of it is expected to be drawn and to pay interest of ",
        docs.percent(("summary", "interest"), ("summary", "drawn")), ". ",
        *_posted(docs), "It is worth ",
        Strong(docs.money("summary", "objective")), *_made_of(docs), ". ", *_against(docs),
    )  # fmt: skip


def _posted(docs: Documents) -> Sequence[Inline]:
    """The price list, where rates are posted: each of its rates, of a long list the ends."""
    posted: Mapping[str, float] = docs.at("summary").get("price_list", {})
    if not posted:
        return ()
    if len(posted) > _MOST_POSTED:
        ends = min(posted, key=posted.__getitem__), max(posted, key=posted.__getitem__)
        low, high = (docs.percent(("summary", "price_list", end)) for end in ends)
        return (
            f"A rate is posted for each of {len(posted)} segments, ",
            low,
            " to ",
            high,
            ", as A2 has it. ",
        )
    rates = [(f"{', ' if i else ''}{segment} ", docs.percent(("summary", "price_list", segment)))
             for i, segment in enumerate(posted)]  # fmt: skip
    return ("Rates are posted: ", *(part for own in rates for part in own), ". ")


def _made_of(docs: Documents) -> Sequence[Inline]:
    """The lines of the value that are not 0."""
    earned = [
        line
        for line in lines_among(docs.at("summary"))
        if line.sign > 0 and docs.number(("summary", line.name))
    ]
    costs = [
        line
        for line in lines_among(docs.at("summary"))
        if line.sign < 0 and docs.number(("summary", line.name))
    ]
    out: list[Inline] = []
    for sign, lines in ((": ", earned), (" less ", costs)):
        named: list[Inline] = []
        for i, line in enumerate(lines):
            named += [", " if i else sign, f"{line.label} of ", docs.money("summary", line.name)]
        out += named
    if docs.number(("summary", "idle_income")):
        out += [", and ", docs.money("summary", "idle_income"), " that idle budget earns"]
    if docs.at("summary").get("limit_penalty"):
        out += [", less ", docs.money("summary", "limit_penalty"), " for soft limits that are missed"]
    if visible(docs.at("summary").get("above_worst", 0.0)):
        out += [", less ", docs.money("summary", "above_worst"), " by which the mean lies above the worst"]
    return out


def _against(docs: Documents) -> Sequence[Inline]:
    if docs.at("summary", "status") == "optimal":
        apart = unproved(docs)
        more = f"over {apart} more" if apart else "more"
        return (f"No allocation within the limits is worth {more}.",)
    return ("No allocation within the limits is worth more than ", docs.money("certificate", "bound"), ".")


def _bound(docs: Documents) -> Sequence[Inline]:
    """What binds and what it costs."""
    places = binding(docs)
    if not places:
        return ("No limit binds. ", *_missed(docs, "Not kept: "))
    out: list[Inline] = [_what_binds(docs, places), *_binding_names(docs, Strong), ". "]
    if docs.number(ONE_MORE):
        alone, moving = docs.price("summary", "limits", 0, "price"), docs.price(*ONE_MORE)
        out += [f"Each further {docs.currency} of budget earns ", Strong(moving), f" {docs.currency}"]
        if alone.text != moving.text:
            out += [", ", alone, " if the limits that are shares of it stay as they are"]
        out += [*_more(docs), ". "]
    out += [*_missed(docs, "Not kept: "), *_dearest(docs)]
    return out


def _what_binds(docs: Documents, places: Sequence[Place]) -> str:
    """Before the names of what has prices; whole loans may leave a little of it unused."""
    full = of_cuts((use["name"] for use in docs.at("summary", "limits") if use["binding"]), docs.rows)
    priced = of_cuts((docs.at(*place, "name") for place in places), docs.rows)
    return "What binds: " if set(priced) <= set(full) else "What binds, or would but for whole loans: "


def _binding_names(docs: Documents, mark: Callable[[str], Inline]) -> Sequence[Inline]:
    """What binds, each of it in `mark`, rows of one `each` as one; of much of it the first."""
    told = by_entry(of_cuts([str(docs.at(*place, "name")) for place in binding(docs)], docs.rows))
    shown = told[:_NAMED] if len(told) > _NAMED + 1 else told  # one more takes no more room than its name
    more = [f"{len(told) - len(shown)} more"] if len(shown) < len(told) else []
    return joined([*map(mark, map(limit_in_words, shown)), *more])


def _missed(docs: Documents, head: str) -> Sequence[Inline]:
    """Limits that are not kept and need not be, by name; nothing where all are kept."""
    kinds = ((False, "at a price"), (True, "reported only"))
    phrases = [f"{named(names)}, {how}" for kind, how in kinds if (names := missed(docs, reported=kind))]
    return (f"{head}{'; '.join(phrases)}. ",) if phrases else ()


def _more(docs: Documents) -> Sequence[Inline]:
    """What much more budget brings: what the bound allows of a million, and 1 % where it was solved again.

    A million that is 1 % is told once, as it was solved.
    """
    parts: list[Inline] = []
    budget, proven = docs.number(("summary", "limits", 0, "bound")), docs.at("summary", "status") == "optimal"
    levers = [lever for lever in docs.places("levers", "levers") if docs.at(*lever, "name") == "budget"]
    solved = [lever for lever in levers if docs.at(*lever, "solved")]
    if solved and isclose(0.01 * budget, _MILLION):
        return ("; a million more brings ", docs.least(*solved[0]), Strong(docs.money(*solved[0], "low")))
    if proven and budget >= _MANY_MILLIONS:
        most = short(_MILLION * docs.number(ONE_MORE)).replace(" ", "\N{NO-BREAK SPACE}")
        parts += ["; a million more brings at most ", Strong(most)]
    for lever in solved:
        change = change_in_words(docs.at(*lever, "change")).replace(" to ", f" {docs.currency} to ")
        parts += [f"; a budget of 1% more ({change}) brings {docs.least(*lever)}", docs.money(*lever, "low")]
    return parts


def _dearest(docs: Documents) -> Sequence[Inline]:
    """The limit beside the budget whose absence would add most."""
    costs = [c for c in docs.places("explain", "costs") if docs.at(*c, "limit") != "budget"]
    dear = max(costs, key=lambda c: docs.number((*c, "low")), default=None)
    if dear is None or not visible(docs.number((*dear, "low"))):
        return ("No limit but the budget costs anything. ",) if costs else ()
    return ("Besides the budget, the limit ", Strong(docs.at(*dear, "limit")),
            f" costs most: without it the value would be {docs.least(*dear)}", docs.money(*dear, "low"),
            " higher. ")  # fmt: skip


def _left_out(docs: Documents) -> Sequence[Inline]:
    refusals = [*docs.places("composition", "refusals")]
    if not refusals:
        return ("Nobody is left out.",)
    count = int(docs.number(("summary", "borrowers")) - docs.number(("summary", "funded")))
    shown = refusals[:3] if len(refusals) > 4 else refusals  # one more takes no more room than its name
    parts: list[tuple[Inline, ...]] = [
        (docs.count(*place, "borrowers"), f" {_lower(reason_of_many(docs, place))}", *_beside(docs, place))
        for place in shown
    ]
    if len(shown) < len(refusals):
        parts.append((f"the others for {len(refusals) - len(shown)} further reasons",))
    sentence = [part for i, own in enumerate(parts) for part in (("; " if i else ""), *own)]
    return (f"{count:,} borrowers get no offer: ", *sentence, ".", *_whose(docs))


def _beside(docs: Documents, place: Place) -> Sequence[Inline]:
    """How many of those at `place` another limit's price keeps out too."""
    if not docs.number((*place, "beside")):
        return ()
    return (" (", docs.count(*place, "beside"), " of them by another limit's price too)")


def _whose(docs: Documents) -> Sequence[Inline]:
    """Of which grades those are who get no offer, where they are few."""
    grades = [*docs.places("summary", "by_grade")]
    return (" Declined by grade: ", *left_out_by_grade(docs), ".") if 1 < len(grades) <= _FEW_GRADES else ()


def _lower(reason: str) -> str:
    return reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason


def _risk(docs: Documents) -> tuple[Inline, ...]:
    out: list[Inline] = [
        "One year in a hundred nets less than ", Strong(docs.money(*quantile(docs, 0.01))), "; ",
        *losing(docs), ". ",
    ]  # fmt: skip
    world = worst(docs)
    if world is not None:
        broken = broken_in(docs, world)
        factors = factors_of(docs, world)
        out += ["Under ", Strong(stress_named(docs, world)), f" ({factors})" * bool(factors),
                " the book as it stands is worth ", Strong(docs.money(*world, "frozen", "value")),
                " and breaks limits: " if broken else " and keeps every limit",
                *how_far(docs, (*world, "frozen"), broken), "."]  # fmt: skip
    return tuple(out)


def _asked(docs: Documents) -> Sequence[tuple[Inline, ...]]:
    """Decisions that follow from what was found."""
    status = docs.at("summary", "status")
    asks: list[tuple[Inline, ...]] = []
    if status == "breaks_limits":
        broken = [*docs.at("summary").get("limits_broken", []), *docs.at("summary").get("terms_broken", {})]
        asks.append((f"Do not approve this allocation as it is: it {breaks(list(map(str, broken)))}.",))
    elif status == "optimal":
        lent = docs.number(("summary", "funded"))
        asks.append(("Approve the allocation.",) if lent else ("Approve that nothing is lent.",))
    else:
        strategy = docs.at("summary").get("strategy", "optimal")
        instead = "have the search go on" if strategy == "optimal" else "take the optimum in its place"
        asks.append(
            (
                f"Approve the allocation, or {instead}: up to ",
                docs.gap("certificate", "gap"),
                " of the bound is not reached.",
            )
        )
    if binding(docs):
        priced = ". Their prices are in section 4 and annex A3."
        asks.append(("Accept the limits that bind: ", *_binding_names(docs, str), priced))
    if misses := _missed(docs, "Accept what is not kept: "):
        asks.append(tuple(misses))
    worlds = broken_worlds(docs)
    if worlds:
        breaking = "; ".join(f"{name} ({named(own)})" for name, own in worlds[:3])
        asks.append(
            (f"Decide what is done under the stresses that break limits: {breaking}; see section 6.",)
        )
    return asks


def cards(docs: Documents, policy: Policy) -> tuple[Card, ...]:
    """Five figures that are seen first."""
    net = docs.money(*quantile(docs, 0.01))
    return (
        Card(
            "Value",
            docs.money("summary", "objective"),
            (
                docs.percent(("summary", "objective"), ("summary", "drawn")),
                " of the money drawn",
                *_raroc(docs),
            ),
            "a-value",
        ),
        Card("Offered", docs.money("summary", "offered"), _of_budget(docs), "a-limits"),
        _loss_card(docs, policy),
        Card(
            "One year in a hundred nets less than",
            net,
            losing(docs),
            "a-years",
            "warn" if net.value < 0 else None,
        ),
        _largest(docs),
    )


def _raroc(docs: Documents) -> Sequence[Inline]:
    """The return on the capital tied up, where that has a cost."""
    return ("; RAROC ", docs.percent(("summary", "raroc"))) if "raroc" in docs.at("summary") else ()


def _of_budget(docs: Documents) -> tuple[Inline, ...]:
    budget: Place = ("summary", "limits", 0)
    basis = "" if docs.at(*budget, "measure") == "offered" else f" of what is {docs.at(*budget, 'measure')}"
    return (docs.percent((*budget, "used"), (*budget, "bound"), decimals=1), f" of the budget{basis}, ",
            docs.money(*budget, "bound"))  # fmt: skip


def _loss_card(docs: Documents, policy: Policy) -> Card:
    """The loss rate, with its limit: where the worst stress counts, limits hold in the book without any."""
    rate = docs.percent(("summary", "expected_loss"), ("summary", "drawn"))
    limit = next((limit for limit in policy.limits if limit.measure == "expected_loss" and limit.of == "drawn"
                  and not limit.where and limit.each is None), None)  # fmt: skip
    words = "of the money drawn"
    if limit is not None and "above_worst" not in docs.at("summary"):
        words += f"; limit {as_percentage(limit.bound)}"
    return Card("Expected loss", rate, (words,), "a-value")


def _largest(docs: Documents) -> Card:
    names: Place = ("simulate", "concentration", "names")
    top = {int(key): docs.percent((*names, "top", key)) for key in docs.at(*names, "top")}
    figure: Figure | str = top.get(1, "none")
    words: tuple[Inline, ...] = ("of the money drawn",)
    if 10 in top and docs.at("simulate", "concentration", "names", "names") >= 10:
        words = ("of the money drawn; ten largest ", top[10])
    return Card("Largest borrower", figure, words, "a-concentration")
