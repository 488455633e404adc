"""Whether it is proven: the seal, the bound term by term, hashes and versions, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allocator.report.committee.blocks import (
    Block,
    Code,
    Column,
    Inline,
    Listing,
    Row,
    Section,
    Strong,
    Table,
    Verbatim,
    note,
    typed,
    words,
)
from allocator.report.committee.card import card_blocks
from allocator.report.committee.figure import Documents, Place
from allocator.report.committee.limits import price_of
from allocator.report.limits import limit_in_words

_SPLIT = (
    " Limits on a condition split the allocations into cases, each bounded so, by prices of its own; the "
    "prices below are those of the case that was chosen."
)
_TREE = (
    " What whole loans leave between that bound and the value a tree closes: it splits the allocations into "
    "cases, such as a borrower funded or declined, and bounds each in the same way at prices of its own; "
    "the certified bound is the largest of theirs."
)
_GIVEN = ("proven is the arithmetic alone: PD, LGD, requests and churn are taken as given",)
_NOT_KNOWN = "not recorded: the run was made by an older version"


@dataclass(frozen=True)
class Provenance:
    """What the report says beside its figures: where the run stood, and what was read."""

    folder: str
    """The run's folder by its name."""
    scenario_text: str
    cards: Mapping[str, str]
    """Name of a file that the scenario reads -> the text of the card beside it."""


def certified(docs: Documents) -> bool:
    """Whether the value is proven to be the best, and everything is kept."""
    return bool(docs.at("summary", "status") == "optimal")


def best_possible(docs: Documents) -> Place:
    """Where the bound on every allocation stands.

    The tolerances of limits may be worth what puts the value above the certified bound by a little: then it
    is the summary's bound, which is no less than the value.
    """
    bound, value = docs.number(("certificate", "bound")), docs.number(("certificate", "value"))
    return ("certificate", "bound") if value <= bound else ("summary", "bound")


def unproved(docs: Documents) -> str:
    """How far value and bound lie apart as they are written, to the cent; empty where both read the same."""
    value, bound = docs.exact("certificate", "value"), docs.exact(*best_possible(docs))
    apart = round(bound.value, 2) - round(value.value, 2)
    return "" if value.text == bound.text else f"{apart:,.2f} {docs.currency}"


def seal(docs: Documents) -> tuple[tuple[Inline, ...], ...]:
    """The verdict, the two figures that it rests on, and how to recheck it."""
    summary = docs.at("summary")
    value, bound = docs.exact("certificate", "value"), docs.exact(*best_possible(docs))
    figures: tuple[Inline, ...] = (
        "value ", value, f" {docs.currency}; no allocation within the limits is worth more than ", bound,
    )  # fmt: skip
    rechecked: tuple[Inline, ...] = (
        "rechecked from the inputs alone, without the solver, when this page was made",
    )  # fmt: skip
    status = summary["status"]
    if status == "breaks_limits":
        return (("Breaks limits or terms: not to be approved as it is",), figures, rechecked, _GIVEN)
    if status == "optimal":
        within = f" to within {apart}" if (apart := unproved(docs)) else ""
        return ((f"Certified: the best there is{within}",), figures, rechecked, _GIVEN)
    verdict: tuple[Inline, ...] = (
        "Certified, and not proven the best: up to ",
        docs.gap("certificate", "gap"),
        " of the bound is missing",
    )
    return (verdict, figures, rechecked, _GIVEN)


def foot(docs: Documents, stood: Provenance) -> tuple[tuple[Inline, ...], ...]:
    """How anybody verifies it."""
    inputs = ", ".join(docs.at("certificate", "inputs"))
    return (
        (Strong("Proof."), *_gap(docs), *_violation(docs), f"; inputs unchanged: {inputs}."),
        ("Anybody with the run's folder can recheck it: ", Code(f"allocator verify {stood.folder}"),
         " or, without this program, ", Code(f"python checker.py {stood.folder}"), "."),
        (f"Solved {docs.at('summary').get('solved_at', _NOT_KNOWN)}; run ",
         Code(str(docs.at("summary").get("digest", ""))[:16]), ", annex A10."),
    )  # fmt: skip


def _gap(docs: Documents) -> tuple[Inline, ...]:
    """How far value and bound are apart; nothing to tell where they are the same to the cent."""
    if docs.exact("certificate", "value").text == docs.exact(*best_possible(docs)).text:
        return (" Value and bound are the same to the cent",)
    return (" Value and bound are ", docs.gap("certificate", "gap"), " of the bound apart")


def _violation(docs: Documents) -> tuple[Inline, ...]:
    """By how much a limit is exceeded at most."""
    if not docs.number(("certificate", "largest_violation")):
        return (", no limit is exceeded",)
    return (", the largest excess of a limit is ", docs.price("certificate", "largest_violation"))


def proof_annex(docs: Documents, stood: Provenance) -> Section:
    """The bound term by term, then what the run was made of."""
    prices = [
        Row(
            (
                limit_in_words(limit["name"], docs.rows),
                docs.price("summary", "limits", i, "price"),
                docs.exact("explain", "limits", i, "charge"),
                docs.exact("explain", "limits", i, "unused"),
            )
        )
        for i, limit in enumerate(docs.at("summary", "limits"))
        if limit["price"]
    ]
    columns = (
        Column("Priced limit", "text"),
        price_of(docs),
        Column("Charges"),
        Column("Unused room costs"),
    )
    book, split = ("explain", "book"), docs.at("explain", "bound_at_prices") is None
    by_tree = docs.at("summary").get("proof") == "tree"
    blocks: list[Block] = [
        words(
            "At the shadow prices below let every borrower choose the offer that is worth most after what "
            "the limits charge for it, or none. The sum of these best responses and of price times bound "
            "over all limits is a bound: no allocation that keeps the limits is worth more, whoever found "
            "the prices and however." + (_SPLIT if split else _TREE if by_tree else "")
        ),
        Table(columns, tuple(prices), docs.currency),
        Listing((
            ("value less charges of what was decided: ", docs.exact(*book, "chosen")),
            ("value less charges of everybody's best response: ", docs.exact(*book, "best")),
            *(() if split else (("bound at these prices: ", docs.exact("explain", "bound_at_prices")),)),
            ("certified bound, rounded outwards: ", Strong(docs.exact("certificate", "bound"))),
            ("certified value, rounded inwards: ", Strong(docs.exact("certificate", "value"))),
            ("gap, (bound - value) / bound: ", Strong(docs.gap("certificate", "gap"))),
        )),
        *_made(docs),
    ]  # fmt: skip
    return Section("a-proof", "A10 · Proof, inputs and versions", tuple(blocks))


def _made(docs: Documents) -> Sequence[Block]:
    summary = docs.at("summary")
    hashes = [Row((name, Code(str(value)))) for name, value in docs.at("certificate", "inputs").items()]
    versions = ", ".join(f"{name} {version}" for name, version in summary.get("versions", {}).items())
    return (
        Table((Column("Input", "text"), Column("SHA-256 of its contents", "text")), tuple(hashes)),
        Listing((
            ("run digest: ", Code(str(summary.get("digest", "")))),
            (f"solved at: {summary.get('solved_at', _NOT_KNOWN)}",),
            (f"strategy {summary.get('strategy', 'optimal')}, method {summary.get('method', '')}, search "
             f"ended by "
             f"{summary.get('stop', '')}, proof by {summary.get('proof', '')}",),
            (f"versions: {versions}",),
        )),
    )  # fmt: skip


def assumptions_annex(docs: Documents, stood: Provenance) -> Section:
    """The scenario as it was resolved, what it was noted to say, and the cards of its models."""
    blocks: list[Block] = [
        words("PD, LGD, requests and the churn curve are taken as given: the proof is about the "
              "decisions, not about "
              "these figures. The scenario, as resolved:"),
        Verbatim(stood.scenario_text),
    ]  # fmt: skip
    notes = [*docs.at("summary").get("notes", ())]
    if notes:
        blocks += [words("Noted when it was solved:"), Listing(tuple((str(line),) for line in notes[:50]))]
    for name, text in stood.cards.items():
        blocks += [words(Strong(f"Model card beside {name}")), *card_blocks(text)]
    if not stood.cards:
        blocks.append(
            note(*typed("No model card (a `.md` beside it) belongs to a file that the scenario reads."))
        )
    return Section("a-assumptions", "A11 · Assumptions and model cards", tuple(blocks))
