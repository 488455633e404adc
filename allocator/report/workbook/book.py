"""The workbook of a run: which sheets it has, in which order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from allocator.errors import Fault, InputError
from allocator.insight.audit import Audit, audit_of
from allocator.insight.dossier import Dossier
from allocator.records.columns import VALUE
from allocator.records.cuts import HHI, on_what
from allocator.records.former import MONEY_MOVED
from allocator.records.portfolio import Integers
from allocator.records.scenario import Policy
from allocator.records.workbook import Sheet, Workbook
from allocator.report.committee.figure import Documents
from allocator.report.committee.proof import Provenance
from allocator.report.workbook.borrowers import Borrowers
from allocator.report.workbook.commands import command_sheets
from allocator.report.workbook.limits import SHEET, limits_table
from allocator.report.workbook.proof import proof_sheet
from allocator.report.workbook.segments import segment_columns, segment_table, with_bounds
from allocator.report.workbook.summary import summary_sheet

EVERYBODY = 100_000
"""Borrowers up to which all are listed."""
LARGEST = 1_000
"""Loans, and declined requests, listed of more borrowers; so many PDs that turn a decision are sought."""
_TAKEN = {"summary", "loans", "declined", "limits", "alternatives", "swaps", "stress", "years", "budget",
          "levers", "proof", "history"}  # fmt: skip
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_NAME = 31
"""Characters of a sheet's name."""


def require_formulas(policy: Policy) -> None:
    """Raise InputError for a limit on money moved, on value, on a condition, on the largest or on the tail
    loss of several sectors: no formula says it."""
    told = {HHI, *(limit.measure for limit in policy.limits if limit.by is None)} - {MONEY_MOVED, VALUE}
    named = [own for own in policy.limits if own.measure not in told or own.if_lent_to or own.top]
    if named:
        what = "a condition" if named[0].if_lent_to else named[0].measure.replace("_", " ")
        what = what if named[0].by is None else on_what(named[0].measure, named[0].top)
        problem = f"limit {named[0].name!r} is on {what}, which a workbook does not yet recompute"
        raise InputError.of([Fault(problem, "leave --xlsx out", field="--xlsx")], "workbook")


def workbook_of(dossier: Dossier, stood: Provenance, docs: Documents) -> Workbook:
    """The sheets of a run with `docs`, what the commands say of it.

    Raises InputError as `require_formulas`.
    """
    require_formulas(dossier.run.scenario.policy)
    run, position = dossier.run, dossier.position
    live = len(run.inputs.portfolio) <= EVERYBODY
    lent, refused = _listed(dossier, live=live)
    loans, declined = audit_of(position, lent), audit_of(position, refused, turning=LARGEST)
    prices = np.array([line.use.price for line in dossier.book.ledger.limits])
    lenders, others = (Borrowers(one, run.scenario.policy, prices) for one in (loans, declined))
    limits = limits_table(
        loans.entries, dossier.book.ledger.limits, dossier.book.costs, lenders.key, live=live
    )
    notes = tuple(_notes(dossier, loans, declined, live=live))
    sheets = [
        summary_sheet(dossier, notes, live=live),
        Sheet("Loans", (lenders.loans(),)),
        Sheet("Declined", (others.declined(),)),
        Sheet(SHEET, (limits,)),
    ]
    bounds = [line.use.bound for line in dossier.book.ledger.limits]
    names = set(_TAKEN)
    for column in segment_columns(run):
        table = segment_table(run, column, lenders.key(column), loans.entries, live=live)
        sheets.append(Sheet(_sheet_name(column, names), (with_bounds(table, bounds),)))
    sheets += [*command_sheets(docs), proof_sheet(dossier, stood, live=live)]
    return Workbook(tuple(sheets), f"{run.name}: allocation", notes)


def _listed(dossier: Dossier, *, live: bool) -> tuple[Integers, Integers]:
    """Positions of the loans and of the declined: all in the source's order, or the largest."""
    portfolio, amount = dossier.run.inputs.portfolio, dossier.run.ledger.amount
    if live:
        order = np.argsort(portfolio.row, kind="stable")
        return order[amount[order] > 0], order[amount[order] == 0]
    lent, refused = np.flatnonzero(amount > 0), np.flatnonzero(amount == 0)
    request = np.where(np.isfinite(portfolio.max_amount), portfolio.max_amount, 0.0)
    return (lent[np.argsort(-amount[lent], kind="stable")[:LARGEST]],
            refused[np.argsort(-request[refused], kind="stable")[:LARGEST]])  # fmt: skip


def _notes(dossier: Dossier, loans: Audit, declined: Audit, *, live: bool) -> Iterator[str]:
    account = dossier.run.account
    yield ("Loans and Declined list the borrowers; what follows from other figures is a formula, so that a "
           "spreadsheet recomputes value, limits and bound.")  # fmt: skip
    yield "Rates, PDs and prices are fractions; amounts are in the currency of the policy."
    yield ("The names in formulas lead to columns: loan_amount is the column Amount of Loans, limit_price "
           "the prices on Limits; policy_budget is a cell above.")  # fmt: skip
    yield ("Best amount, best rate: the offer that keeps most at the shadow prices. Whether another keeps "
           "more is for `allocator verify` to say; the rest of the proof is recomputed here.")  # fmt: skip
    if not live:
        yield (f"Of {account.borrowers:,} borrowers the {len(loans.rows):,} largest of {account.funded:,} "
               f"loans and the {len(declined.rows):,} largest requests of "
               f"{account.borrowers - account.funded:,} declined are listed; sums over all are figures, not "
               f"formulas. The run's allocation file has everybody.")  # fmt: skip
    elif len(declined.rows) > LARGEST:
        yield f"The PD that turns a decline is sought for the first {LARGEST:,} alone."
    if dossier.effort.costs is False:
        yield "Nothing was solved without a limit, so that Value without it is empty."


def _sheet_name(column: str, taken: set[str]) -> str:
    """A sheet's name for a column: what spreadsheets allow, and no other's."""
    plain = " ".join(column.translate(_FORBIDDEN).split()) or "Column"
    name = plain[:1].upper() + plain[1:_NAME]
    number = 2
    while name.lower() in taken:
        end = f" {number}"
        name, number = plain[:1].upper() + plain[1 : _NAME - len(end)] + end, number + 1
    taken.add(name.lower())
    return name
