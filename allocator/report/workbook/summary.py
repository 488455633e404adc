"""The first sheet: what a committee asks for, each with what it must keep, and how to read the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from allocator.insight.dossier import Dossier
from allocator.records.ledger import lines_among
from allocator.records.scenario import Policy
from allocator.records.workbook import Cell, Kind, Line, Sheet

_TERMS: tuple[tuple[str, str, Kind], ...] = (
    ("funding_rate", "Funding rate, a year", "factor"),
    ("churn_cost_rate", "Cost of churn a unit offered and lost", "factor"),
    ("decline_churn", "Share of declined customers who leave", "share"),
    ("processing_cost", "Cost of one booked loan", "money"),
    ("idle_rate", "Earned by a unit of idle budget", "factor"),
)
"""Figures of the policy that formulas name, as it holds after any stress."""
_PROVEN = '=IF(summary_value<=proof_bound+0.005+SUMPRODUCT(ABS(limit_price),limit_tolerance),"yes","no")'
"""The tolerances of limits are worth their prices at most."""
_VERDICTS = {
    "optimal": "Certified: the best there is",
    "feasible": "Certified, and not proven the best",
    "breaks_limits": "Breaks limits or terms: not to be approved as it is",
}


def summary_sheet(dossier: Dossier, notes: Sequence[str], *, live: bool) -> Sheet:
    """Figures with formulas onto the other sheets; sums over the loans where these are all listed: `live`."""
    run = dossier.run
    summary = dossier.stored.summary
    verdict = _VERDICTS.get(run.status, run.status)
    head: list[Line] = [
        (Cell(f"{run.name}: allocation of a credit budget", "title"),),
        (Cell(verdict, "title"),),
        (Cell(f"Solved {summary.get('solved_at', '')}; run {str(summary.get('digest', ''))[:16]}; "
              f"rechecked from the inputs alone when this was written", "note"),),
        (),
        tuple(Cell(word, "title") for word in ("Figure", "Value", "Unit", "Limit", "Holds")),
    ]  # fmt: skip
    lines = [*head, *_figures(dossier, live=live), (), *_terms(run.scenario.policy), ()]
    lines.append((Cell("How to read it", "title"),))
    lines += [(Cell(note, "note"),) for note in notes]
    return Sheet("Summary", tuple(lines), (44, 20, 10, 20, 10))


def _figures(dossier: Dossier, *, live: bool) -> Iterator[Line]:
    yield from _best(dossier)
    yield from _lent(dossier, live=live)
    yield from _rates(dossier, live=live)
    yield from _counts(dossier, live=live)
    yield _line("One more unit of budget brings", Cell(dossier.one_more, "price"), dossier.run.currency)


def _best(dossier: Dossier) -> Iterator[Line]:
    """Value, bound and gap."""
    run, currency, certificate = dossier.run, dossier.run.currency, dossier.run.certificate
    bound = _money(certificate.bound, None, "=proof_bound")
    missed = "-summary_penalty" if run.limit_penalty else ""
    missed += "-summary_above_worst" if run.certificate.weights else ""
    value = _money(run.value, "summary_value", f"=summary_lent_value+summary_idle{missed}")
    gap = "=MAX(0,proof_bound-summary_value)/MAX(ABS(proof_bound),1)"
    yield _line("Value of the allocation", value, currency, bound, _word(not run.broken, _PROVEN))
    yield _line("No allocation is worth more than", bound, currency)
    yield _line("Gap, (bound - value) / bound", Cell(certificate.gap, "price", gap))


def _lent(dossier: Dossier, *, live: bool) -> Iterator[Line]:
    """What is offered, and the lines of its value."""
    run, account, currency = dossier.run, dossier.run.account, dossier.run.currency
    budget = run.certificate.limits[0]

    def summed(column: str) -> str | None:
        return f"=SUM(loan_{column})" if live else None

    yield _line("Offered", _money(account.offered, "summary_offered", summed("amount")), currency)
    yield _line("Drawn, as expected", _money(account.drawn, "summary_drawn", summed("drawn")), currency)
    yield _line(f"Used of the budget ({budget.measure})", _money(budget.used, None, "=INDEX(limit_used,1)"),
                currency, _money(budget.bound, None, "=INDEX(limit_bound,1)"),
                _word(not budget.broken, "=INDEX(limit_holds,1)"))  # fmt: skip
    for line in lines_among(account.lines):
        words = line.label[:1].upper() + line.label[1:]
        yield _line(
            words, _money(account.lines[line.name], f"summary_{line.name}", summed(line.name)), currency
        )
    yield _line("Value of the loans", _money(account.value, "summary_lent_value", summed("value")), currency)
    earns = "=policy_idle_rate*MAX(0,policy_budget-INDEX(limit_used,1))"
    idle = earns if run.scenario.policy.unspent(0.0) else "=0"
    yield _line("Earned by idle budget", _money(run.idle_income, "summary_idle", idle), currency)
    if run.limit_penalty:
        yield _line(
            "Paid for soft limits", _money(run.limit_penalty, "summary_penalty", "=SUM(limit_paid)"), currency
        )
    if run.certificate.weights:
        above = _money(run.above_worst, "summary_above_worst", None)
        yield _line("Mean over the stresses above the worst", above, currency)


def _rates(dossier: Dossier, *, live: bool) -> Iterator[Line]:
    account = dossier.run.account
    rate = "=IF(summary_offered=0,0,SUMPRODUCT(loan_amount*loan_rate)/summary_offered)" if live else None
    yield _line("Mean rate of what is offered", Cell(account.mean_rate, "factor", rate))
    loss = account.lines["expected_loss"] / account.drawn if account.drawn else 0.0
    of_drawn = "=IF(summary_drawn=0,0,summary_expected_loss/summary_drawn)"
    yield _line("Expected loss of what is drawn", Cell(loss, "share", of_drawn))
    if account.on_capital:
        tied_up, raroc = account.on_capital.values()
        summed = "=SUM(loan_capital_years)" if live else None
        yield _line("Capital tied up over the term", _money(tied_up, "summary_capital_years", summed),
                    dossier.run.currency)  # fmt: skip
        earned = (
            "=IF(summary_capital_years=0,0,(summary_lent_value+summary_capital_cost)/summary_capital_years)"
        )
        yield _line("RAROC, before the cost of capital", Cell(raroc, "share", earned))


def _counts(dossier: Dossier, *, live: bool) -> Iterator[Line]:
    account, broken = dossier.run.account, len(dossier.run.certificate.limits_broken)
    yield _line("Borrowers", Cell(account.borrowers, "count"))
    funded = '=COUNTIF(loan_amount,">0")' if live else None
    yield _line("Borrowers who get an offer", Cell(account.funded, "count", funded))
    count = 'COUNTIF(limit_holds,"no")'
    yield _line("Limits that are broken", Cell(broken, "count", f"={count}"), "",
                Cell(0, "count"), _word(not broken, f'=IF({count}=0,"yes","no")'))  # fmt: skip


def _line(words: str, cell: Cell, unit: str = "", *more: Cell) -> Line:
    return (Cell(words), cell, Cell(unit), *more)


def _terms(policy: Policy) -> Iterator[Line]:
    yield (Cell("Terms of the policy that formulas use", "title"),)
    amount = policy.budget.amount
    yield (Cell("Budget"), Cell(amount, "money", name="policy_budget"), Cell(policy.currency))
    for key, words, kind in _TERMS:
        yield (Cell(words), Cell(float(getattr(policy, key)), kind, name=f"policy_{key}"))
    if policy.capital.cost is not None:
        yield (
            Cell("Cost of capital, a year"),
            Cell(policy.capital.cost, "factor", name="policy_capital_cost"),
        )


def _money(value: float, name: str | None, formula: str | None) -> Cell:
    return Cell(value, "money", formula, name)


def _word(holds: bool, formula: str) -> Cell:
    return Cell("yes" if holds else "no", "text", formula)
