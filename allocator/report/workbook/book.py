"""The workbook of a run: which sheets it has, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from allocator.insight.audit import Audit, audit_of
from allocator.insight.convex import Groups, WorstYears, groups_of, worst_years_of
from allocator.insight.dossier import Dossier
from allocator.records.portfolio import Integers
from allocator.records.workbook import Sheet, Workbook
from allocator.report.committee.figure import Documents
from allocator.report.committee.proof import Provenance
from allocator.report.workbook.borrowers import Borrowers
from allocator.report.workbook.commands import command_sheets
from allocator.report.workbook.groups import SHEET as GROUPS
from allocator.report.workbook.groups import groups_table
from allocator.report.workbook.limits import SHEET, limits_table
from allocator.report.workbook.proof import proof_sheet
from allocator.report.workbook.segments import MOST_CELLS, segment_columns, segment_table, with_bounds
from allocator.report.workbook.summary import summary_sheet

EVERYBODY = 100_000
"""Borrowers up to which all are listed."""
LARGEST = 1_000
"""Loans, and declined requests, listed of more borrowers; so many PDs that turn a decision are sought."""
_TAKEN = {"summary", "loans", "declined", "limits", "alternatives", "swaps", "stress", "years", "budget",
          "levers", "proof", "history", "groups"}  # fmt: skip
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_NAME = 31
"""Characters of a sheet's name."""


def workbook_of(dossier: Dossier, stood: Provenance, docs: Documents) -> Workbook:
    """The sheets of a run with `docs`, what the commands say of it."""
    run, position = dossier.run, dossier.position
    live = len(run.inputs.portfolio) <= EVERYBODY
    lent, refused = _listed(dossier, live=live)
    loans, declined = audit_of(position, lent), audit_of(position, refused, turning=LARGEST)
    prices = np.array([line.use.price for line in dossier.book.ledger.limits])
    worst, groups = (worst_years_of(position), groups_of(position)) if live else ({}, {})
    lenders, others = (Borrowers(group, run.scenario.policy, prices, worst) for group in (loans, declined))
    among = groups_table(loans.entries, groups, lenders.key, live=_few(groups, loans))
    limits = limits_table(
        loans, dossier.book.ledger.limits, dossier.book.costs, lenders.key, worst,
        groups=0 if among is None else len(among), live=live,
    )  # fmt: skip
    notes = (*_notes(dossier, loans, declined, live=live), *_on_convex(worst, groups, loans))
    sheets = [
        summary_sheet(dossier, notes, live=live),
        Sheet("Loans", (lenders.loans(),)),
        Sheet("Declined", (others.declined(),)),
        Sheet(SHEET, (limits,)),
        *(() if among is None else (Sheet(GROUPS, (among,)),)),
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


def _few(groups: Mapping[str, Groups], loans: Audit) -> bool:
    """Whether a spreadsheet may look for each group among all loans."""
    return sum(len(some.names) for some in groups.values()) * len(loans.rows) <= MOST_CELLS


def _on_convex(worst: Mapping[str, WorstYears], groups: Mapping[str, Groups], loans: Audit) -> Iterator[str]:
    """What is no formula of the limits that no single row says."""
    for name in worst:
        yield (f"{name} is the mean loss of the worst years of this allocation: Lost by {name} on Loans is "
               f"a figure, what a unit drawn loses in them on average. Other amounts may have other worst "
               f"years, which `allocator verify` finds.")  # fmt: skip
    if not _few(groups, loans):
        yield "What new offers use of each row of Groups is a figure: formulas would take too long."


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
