"""The sheet of the proof: the bound term by term, what was read, and the scenario as it was resolved."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.insight.dossier import Dossier
from allocator.records.limits import conditional
from allocator.records.workbook import Cell, Column, Line, Sheet, Table
from allocator.report.committee.proof import Provenance

_WORDS = (
    "At the shadow prices below let every borrower choose the offer that is worth most after what the limits "
    "charge for it, or none. The sum of these best responses, and of price times room over all limits, is a "
    "bound: no allocation that keeps the limits is worth more, whoever found the prices and however."
)


def proof_sheet(dossier: Dossier, stood: Provenance, *, live: bool) -> Sheet:
    """Prices times rooms, best responses, their sum beside the value; summed over borrowers where `live`."""
    ledger, certificate, summary = dossier.book.ledger, dossier.run.certificate, dossier.stored.summary
    names = [line.use.name for line in ledger.limits]
    numbers = range(1, len(names) + 1)
    cells = [f"INDEX(limit_{{}},{number})" for number in numbers]
    prices = [line.use.price for line in ledger.limits]
    room = [line.room for line in ledger.limits]
    table = Table(
        (
            Column("name", "Limit", "text", names, width=44),
            Column("price", "Shadow price", "price", prices, [f"={cell.format('price')}" for cell in cells]),
            Column("room", "Room for new offers", "money", room,
                   [f"={cell.format('room')}" for cell in cells]),
            Column("worth", "Price x room", "money",
                   [price * cell for price, cell in zip(prices, room, strict=True)], "=[price]*[room]"),
        ),
        "proof",
    )  # fmt: skip
    head = (
        (Cell("Proof", "title"),),
        (Cell(_WORDS, "note"),),
        *_sums(dossier, prices, room, live=live),
        (Cell("largest violation of a limit, relative"), Cell(certificate.largest_violation, "price")),
        (Cell(f"recheck it: allocator verify {stood.folder}"),),
        (),
    )
    made: list[Line] = [(), (Cell("What was read", "title"), Cell("SHA-256 of its contents", "title"))]
    made += [(Cell(name), Cell(str(value))) for name, value in certificate.inputs.items()]
    made += [(), (Cell("What it was made by", "title"),)]
    made += [(Cell(name), Cell(str(version))) for name, version in summary.get("versions", {}).items()]
    made += [(Cell("run digest"), Cell(str(summary.get("digest", ""))))]
    made += [(Cell("solved at"), Cell(str(summary.get("solved_at", ""))))]
    made += [(), (Cell("The scenario as resolved", "title"),)]
    made += [(Cell(line),) for line in stood.scenario_text.splitlines()]
    return Sheet("Proof", (*head, table, *made), (44, 20, 20, 20))


def _sums(dossier: Dossier, prices: list[float], room: list[float], *, live: bool) -> Iterator[Line]:
    ledger, run = dossier.book.ledger, dossier.run
    best, certificate = ledger.account.best, run.certificate
    of_limits = sum(price * left for price, left in zip(prices, room, strict=True))
    idle = ledger.bound - best - of_limits
    yield _line("price times room, over all limits", of_limits, "=SUM(proof_worth)", "proof_limits")
    answers = "=SUM(loan_best_kept)+SUM(declined_best_kept)" if live else None
    yield _line("best responses of all borrowers", best, answers, "proof_answers")
    earns = "=policy_budget*MAX(0,policy_idle_rate-MAX(INDEX(limit_price,1),0))"
    idle, formula = (idle, earns) if run.scenario.policy.unspent(0.0) > 0 else (0.0, None)
    yield _line("idle budget beyond its price", idle, formula, "proof_idle")
    yield _line("bound at these prices", ledger.bound, "=proof_limits+proof_answers+proof_idle", "proof_sum")
    word, sign = _beyond(dossier)
    size = (certificate.bound - ledger.bound) * (1 if sign == "+" else -1)
    yield _line(word, size, None, "proof_rounding")
    yield _line("certified bound", certificate.bound, f"=proof_sum{sign}proof_rounding", "proof_bound")
    yield _line("value reached", run.value, "=summary_value", "proof_value")
    gap = "=MAX(0,proof_bound-proof_value)/MAX(ABS(proof_bound),1)"
    yield (Cell("gap, (bound - value) / bound"), Cell(certificate.gap, "price", gap))


def _beyond(dossier: Dossier) -> tuple[str, str]:
    """What stands between the bound at the prices and the certified one, and its sign."""
    certificate = dossier.run.certificate
    if conditional(dossier.run.scenario.policy):
        return "the prices are of one case of the conditions; over all cases it is more by", "+"
    if certificate.lists is not None:
        return "the prices are of the posted list; over all lists it is more by", "+"
    return ("a proof tree takes off", "-") if certificate.tree is not None else ("rounded outwards by", "+")


def _line(words: str, value: float, formula: str | None, name: str) -> Line:
    return (Cell(words), Cell(value, "money", formula, name))
