"""Whether it can be said in rules: few of them that keep every limit, what each is worth, what they lose."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.report.committee.blocks import (
    Bar,
    Column,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    note,
    typed,
    words,
)
from allocator.report.committee.figure import Documents, Place
from allocator.report.conditions import as_told, in_brief
from allocator.report.drawing.units import headed

_MOST = 12
_ROOM = 160
"""Letters of a rule on the front, beyond which its values are counted."""


def distilled_sections(docs: Documents, unruled: str) -> tuple[Section, ...]:
    """A bar a rule; `unruled` says why there are none."""
    title = "11 \u00b7 Can it be said in rules?"
    if "distil" not in docs.parts:
        return (Section("distil", title, (words(unruled),), width="whole"),)
    rules = [*docs.places("distil", "rules")]
    unit = docs.column([(*rule, "value") for rule in rules])
    lent = docs.column([(*rule, "offered") for rule in rules])
    most = max((docs.number((*rule, "value")) for rule in rules), default=0.0) or 1.0
    rows = [
        Row((f"{number}. {in_brief(docs.at(*rule, 'who'), as_told(docs.at(*rule, 'where')), _ROOM)}",
             docs.percent((*rule, "rate")), docs.count(*rule, "firms"),
             docs.bare((*rule, "offered"), lent), docs.bare((*rule, "value"), unit),
             Bar(((Stretch(0.0, max(docs.number((*rule, "value")), 0.0) / most),),))))
        for number, rule in enumerate(rules[:_MOST], start=1)
    ]  # fmt: skip
    columns = (
        Column("Who", "text"), Column("Rate"), Column("Firms"), Column(headed("Offered", lent)),
        Column(headed("Value", unit)), Column("", "bar"),
    )  # fmt: skip
    hidden = len(rules) - _MOST
    told = words(
        f"{len(rules)} rules that everybody could follow keep every limit and are worth ",
        Strong(docs.money("distil", "value")), f" {docs.currency}: they lose ",
        Strong(docs.money("distil", "regret")), " against this run.",
    )  # fmt: skip
    more = f"and {hidden} further rules, in the annex" if hidden > 0 else ""
    counted = _counted(docs, rules[:_MOST])
    more += f"{'; ' if more else ''}A12 lists the values of {' and '.join(counted)}" if counted else ""
    table = Table(columns, tuple(rows), more=more)
    return (Section("distil", title, (told, table), "a-distil", "whole"),)


def _counted(docs: Documents, rules: Sequence[Place]) -> list[str]:
    """The columns of which rules that take too much room only count the values."""
    long = [rule for rule in rules if len(docs.at(*rule, "who")) > _ROOM]
    tests = [test for rule in long for test in docs.at(*rule, "where")]
    return list(dict.fromkeys(test["column"] for test in tests if len(test.get("values", ())) > 1))


def distilled_annex(docs: Documents) -> tuple[Section, ...]:
    """Every rule with its share of the largest loan, and the ledger of whom it decides."""
    if "distil" not in docs.parts:
        return ()
    columns = (
        Column("Who", "text"), Column("Rate"), Column("Share"), Column("Firms"), Column("Offered"),
        Column("Drawn"), Column("Interest"), Column("Expected loss"), Column("Value"),
    )  # fmt: skip
    rows = [
        Row((f"{number}. {docs.at(*rule, 'who')}", docs.percent((*rule, "rate")),
             docs.percent((*rule, "share"), decimals=4), docs.count(*rule, "firms"),
             *(docs.exact(*rule, key) for key in ("offered", "drawn", "interest", "expected_loss", "value"))))
        for number, rule in enumerate(docs.places("distil", "rules"), start=1)
    ]  # fmt: skip
    sentence = words(
        "The first rule that fits a borrower decides: the share of the largest loan that is possible, at its "
        "rate; whom none fits is declined. The rules' decisions are rechecked as any run's are."
    )
    command = note(
        *typed(
            "From `allocator distil DIR --quick`; without it better rules may be found. It writes them as "
            "text, SQL or a table."
        )
    )
    blocks = (sentence, Table(columns, tuple(rows), f"Rule by rule, {docs.currency}"), command)
    return (Section("a-distil", "A12 \u00b7 Rules", blocks),)
