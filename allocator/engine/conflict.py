"""Which limits cannot hold together, when no allocation meets them all.

An elastic program finds the least total loosening; its priced rows hold a conflict. A deletion filter
(Chinneck and Dravnieks, 1991) thins them to limits of which none can be left out of the conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from allocator.engine.allowance import seconds_left
from allocator.engine.equalities import UnreachableRows
from allocator.engine.kernel.columns import Columns
from allocator.engine.program import Effort, LimitRows, Program, row_bounds, side_by_side
from allocator.engine.solving import solve
from allocator.errors import Fault, InfeasibleError, Relaxation
from allocator.records.limits import Limits, entry_of
from allocator.records.portfolio import Floats

_NODES = 2_000
"""For one feasibility check of an integer program; what stays open counts as feasible."""
_LOOSENING_NODES = 200
"""For the least loosening of one, which a message tells and from which the checks begin."""
_WORK = 30_000_000
"""Coefficients that all checks read together: a limit that none is left for stays in the conflict named."""
_LEAST_CHECKS = 8
_DUST = 1e-9
"""A break below this, in a limit's own scale, is rounding."""
NOTHING_FITS = "no allocation exists"
_UNKNOWN = "; solver.time_limit ended before it was known which of them to loosen"
_MORE = "; more than one limit must be loosened"


class IndivisibleError(InfeasibleError):
    """No sums of whole lots meet what limits ask for exactly: its message says which bounds do."""


def explain_conflict(columns: Columns, limits: LimitRows, whole: LimitRows | None = None) -> InfeasibleError:
    """The error that names the conflict among the limits of an infeasible program.

    Where `limits` is a relaxation, `whole` is the program with whole offers: what is said to make
    it feasible has to do so there too.
    """
    rows = columns.limits.rows
    loosening = _least_loosening(limits, columns.scale)
    conflict = _deletion_filter(limits, loosening)
    alone = [
        j
        for j in conflict
        if _feasible(limits, dropped=[j])
        and (whole is None or _feasible(whole, dropped=[j]))
        and _whole_rows_hold(columns, j)
    ]
    conflict = alone + [j for j in conflict if j not in alone]
    known = None if seconds_left() <= 0 else [rows[j].name for j in alone]
    names = [rows[j].name for j in conflict]
    faults = [_fault(rows[j].name, float(loosening[j] * columns.scale[j])) for j in conflict]
    return InfeasibleError(_message(names, known), names, faults)


def with_conflicts(
    error: InfeasibleError,
    conflicts: Sequence[Sequence[str]],
    alone: Sequence[str],
    relaxations: Sequence[Relaxation],
    *,
    stopped: bool = False,
) -> InfeasibleError:
    """`error` with all `conflicts`, where they are known, and with what it would take.

    `alone` are rows of limits each of which, loosened in all its rows, ends all conflicts; `stopped` where
    the clock ended the search.
    """
    message, faults = error.message, error.faults
    entries = list(dict.fromkeys(map(entry_of, alone)))
    if conflicts and [set(names) for names in conflicts] != [set(error.conflict)]:
        known = {fault.field: fault for fault in faults}
        fields = dict.fromkeys(f"limit {name}" for names in conflicts for name in names)
        never = {f"limit {names[0]}" for names in conflicts if len(names) == 1}
        faults = tuple(known.get(field) or _unmet(field, alone=field in never) for field in fields)
        message = _message(conflicts[0], None if stopped and not entries else entries, conflicts[1:])
    elif message.endswith((_MORE, _UNKNOWN)) and not stopped:
        # dropping one row does not end it, moving the bound of all may
        moved = {relaxation.bounds[0].limit for relaxation in relaxations if len(relaxation.bounds) == 1}
        message = _message(conflicts[0] if conflicts else error.conflict, [e for e in entries if e in moved])
    return InfeasibleError(
        message,
        conflicts[0] if conflicts else error.conflict,
        faults,
        conflicts,
        relaxations,
        stopped=stopped,
    )


def _unmet(field: str, *, alone: bool) -> Fault:
    """What is wrong with a limit of a conflict, where no figure says so."""
    problem = "cannot be met, whatever the others are" if alone else "keeps the others from being met"
    return Fault(problem, "loosen or drop it", field=field)


def out_of_reach(limits: Limits, reach: Mapping[int, float]) -> InfeasibleError:
    """The error for rows that ask for more than there is: `reach` is what all offers come to of each."""
    names = [limits.rows[j].name for j in reach]
    faults = [
        Fault(
            f"asks for {limits.rows[j].rhs:,.12g}, and {most:,.12g} is the most that is possible",
            "lower or drop it",
            field=f"limit {limits.rows[j].name}",
        )
        for j, most in reach.items()
    ]
    return InfeasibleError(f"no allocation exists: {_in_words(names)} cannot be met", names, faults)


def broken_limits(columns: Columns, broken: Floats) -> InfeasibleError:
    """The error for a large book: the limits that the relaxation breaks where the sum of breaks is least."""
    rows = columns.limits.rows
    conflict = [int(j) for j in np.argsort(-broken / columns.scale, kind="stable") if broken[j] > 0]
    names = [rows[j].name for j in conflict]
    faults = [_fault(rows[j].name, float(broken[j])) for j in conflict]
    return InfeasibleError(_message(names, names if len(names) == 1 else []), names, faults)


def whole_conflict(columns: Columns, conflict: tuple[int, ...], whole: LimitRows | None) -> InfeasibleError:
    """The error for whole rows that cannot hold together by less than a solver's tolerance."""
    rows = [columns.whole.row[r] for r in conflict]
    names = [columns.limits.rows[j].name for j in rows]
    faults = [
        Fault("cannot hold beside the others, by a few lots only", "loosen or drop it", field=f"limit {name}")
        for name in names
    ]
    if whole is None:
        together = "cannot be met" if len(names) == 1 else "cannot all be met together"
        return InfeasibleError(f"no allocation exists: {_in_words(names)} {together}", names, faults)
    alone = [j for j in rows if _feasible_without(columns, whole, j)]
    message = _message(names, [columns.limits.rows[j].name for j in alone])
    return InfeasibleError(message, names, faults)


def lots_conflict(columns: Columns, missed: UnreachableRows, whole: LimitRows | None) -> IndivisibleError:
    """The error for rows to be met exactly that lie between two sums of whole lots and fixed requests."""
    between = [columns.whole.row[r] for r in missed.places]
    names = [columns.limits.rows[j].name for j in between]
    step = columns.offers.step
    lots = "cents" if step is None else f"steps of {step:,.2f}"
    message = f"no offers, with amounts in whole {lots}, meet {_in_words(names)} exactly"
    if missed.requests:
        it = "it" if len(names) == 1 else "them"
        message = (
            f"no offers meet {_in_words(names)} exactly: amounts are whole {lots}, and fixed requests, which "
            f"have no range of amounts, cannot add up to {it}{_multiples(columns, missed)}"
        )
    if missed.tickets:
        message = (
            f"no offers meet {_in_words(names)} exactly: with amounts in whole {lots}, from each borrower's "
            "smallest loan to the largest, none add up to what the limits leave"
        )
    if whole is not None and len(between) == 1 and _feasible_without(columns, whole, between[0]):
        return IndivisibleError(f"{message}; dropping {names[0]!r} alone makes it feasible", names)
    return IndivisibleError(f"{message}; allow a range", names)


def cents_conflict(columns: Columns, rows: list[int], whole: LimitRows | None = None) -> IndivisibleError:
    """The error for rows to be met exactly, some of them to their tolerance, that no whole lots meet."""
    names = [columns.limits.rows[j].name for j in rows]
    lots = "cents" if columns.offers.step is None else f"steps of {columns.offers.step:,.2f}"
    message = f"no amounts in whole {lots} meet {_in_words(names)} exactly"
    alone = [columns.limits.rows[j].name for j in rows if whole and _feasible_without(columns, whole, j)]
    if alone:
        message = f"{message}; dropping {_in_words(alone, 'or')} alone makes it feasible"
        return IndivisibleError(message, names)
    return IndivisibleError(f"{message}; allow a range", names)


def _multiples(columns: Columns, missed: UnreachableRows) -> str:
    """What every sum is a multiple of, where the row adds up plain amounts."""
    whole, r = columns.whole, missed.places[0]
    if not missed.unit or whole.on_loans[r] or whole.share[r]:
        return ""
    money = missed.unit * whole.grain / whole.weight[r]
    return f" (every sum is a multiple of {float(money):,.2f})"


def _feasible_without(columns: Columns, whole: LimitRows, dropped: int) -> bool:
    """Whether whole offers meet every other limit, those that no offer uses (no rows of `whole`) included."""
    limits = columns.limits
    lower, upper = row_bounds(limits.senses, limits.rhs)
    unused = whole.row < 0
    unused[dropped] = False
    held = (lower <= _DUST * columns.scale) & (upper >= -_DUST * columns.scale)
    return (
        bool(np.all(held[unused]))
        and _whole_rows_hold(columns, dropped)
        and _feasible(whole, dropped=[dropped])
    )


def _whole_rows_hold(columns: Columns, dropped: int) -> bool:
    """Whether the whole rows but one can hold together, as far as sums and lots say."""
    rows = tuple(
        replace(row, whole=None) if j == dropped else row for j, row in enumerate(columns.limits.rows)
    )
    equalities = Columns(columns.offers, replace(columns.limits, rows=rows)).equalities
    return equalities.conflict is None and equalities.missed is None


def _fault(name: str, broken: float) -> Fault:
    """What a limit lacks where all limits together are broken least, each in its own scale."""
    problem = (
        f"lacks {broken:,.2f} where the limits are broken least"
        if broken > 0
        else "keeps the others from being met"
    )
    return Fault(problem, "loosen or drop it", field=f"limit {name}")


def _message(names: Sequence[str], alone: Sequence[str] | None, more: Sequence[Sequence[str]] = ()) -> str:
    """`alone`: the limits without each of which the others hold; None where time ran out before."""
    if not names:
        return "no allocation exists: the pinned offers alone break a limit"
    together = "cannot be met" if len(names) == 1 else "cannot all be met together"
    message = f"no allocation exists: {_in_words(names)} {together}"
    message += "".join(f", nor can {_in_words(further)}" for further in more)
    if alone is None:
        return message + _UNKNOWN
    if not alone:
        return message + _MORE
    return f"{message}; dropping {_in_words(alone, 'or')} alone makes it feasible"


def _in_words(names: Sequence[str], last: str = "and") -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def _least_loosening(limits: LimitRows, scale: Floats) -> Floats:
    """(m,) how far each limit is broken, in `scale`, where the sum of breaks is least; dust is 0."""
    program, row_of = limits.program, limits.row
    rows, columns = program.matrix.shape
    own = np.flatnonzero(row_of >= 0)
    breaks = (scale / limits.measure)[own]
    up = sparse.csc_array((breaks, (row_of[own], np.arange(len(own)))), shape=(rows, len(own)))
    free = np.full(2 * len(own), np.inf)
    elastic = Program(
        cost=np.concatenate([np.zeros(columns), -np.ones(len(free))]),
        matrix=side_by_side(program.matrix, up, -up),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        column_lower=np.concatenate([program.column_lower, np.zeros(len(free))]),
        column_upper=np.concatenate([program.column_upper, free]),
        integer=np.concatenate([program.integer, np.zeros(len(free), dtype=bool)]),
    )
    loosening = np.zeros(len(row_of))
    point = solve(elastic, Effort(nodes=_LOOSENING_NODES)).point
    if point is not None:
        slack = point[columns:]
        loosening[own] = slack[: len(own)] + slack[len(own) :]
    return np.where(loosening > _DUST, loosening, 0.0)


def _deletion_filter(limits: LimitRows, loosening: Floats) -> list[int]:
    """The deletion filter: a limit whose absence leaves the rest infeasible is not needed for the conflict.

    The limits that the elastic program breaks are tried last, so that they tend to stay.
    """
    checks = max(_LEAST_CHECKS, _WORK // max(limits.program.matrix.nnz, 1))
    dropped = [int(j) for j in np.flatnonzero(limits.row < 0)]
    tried = [int(j) for j in np.argsort(loosening, kind="stable") if limits.row[j] >= 0][:checks]
    for j in tried:
        if seconds_left() > 0 and not _feasible(limits, [*dropped, j]):
            dropped.append(j)
    return [j for j in range(len(limits.row)) if j not in set(dropped)]


def _feasible(limits: LimitRows, dropped: list[int]) -> bool:
    """Whether some point meets everything but the dropped limits."""
    program, free = limits.program, limits.row[dropped]
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[free[free >= 0]], upper[free[free >= 0]] = -np.inf, np.inf
    trial = replace(program, cost=np.zeros(len(program.cost)), row_lower=lower, row_upper=upper)
    return solve(trial, Effort(nodes=_NODES)).stop != "infeasible"
