"""Linear equations in whole numbers: a solution, and what may be added to it.

A x = r over the integers by the Hermite normal form (column operations, Euclid's algorithm in every
row); the vectors that A takes to 0 are then made short (Lenstra, Lenstra and Lovasz, 1982), so that
small changes of x stay small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.portfolio import Floats

_LLL_UP_TO = 24
"""Vectors; more are left as they are."""
_LOVASZ = 0.75
_TURNS = 500
"""Exchanges after which the vectors stay as they are."""


@dataclass(frozen=True)
class Solutions:
    """x = start + any whole combination of `steps`."""

    start: list[int]
    steps: list[list[int]]


def solve_whole(matrix: list[list[int]], right: list[int], columns: int) -> Solutions | None:
    """All whole solutions of `matrix` x = `right`; None where there are none."""
    work = [[row[c] for row in matrix] for c in range(columns)]
    moves = [[int(c == d) for d in range(columns)] for c in range(columns)]
    pivots: list[tuple[int, int]] = []
    rank = 0
    for row in range(len(matrix)):
        _clear(work, moves, rank, row)
        if rank < columns and work[rank][row] != 0:
            pivots.append((row, rank))
            rank += 1
    start = _substituted(work, moves, pivots, right, columns)
    if start is None:
        return None
    steps = _short_basis(moves[rank:])
    return Solutions(_nearest(start, steps), steps)


def _clear(work: list[list[int]], moves: list[list[int]], lead: int, row: int) -> None:
    """Column operations after which row `row` has, from column `lead` on, its one entry there."""
    while True:
        filled = [c for c in range(lead, len(work)) if work[c][row] != 0]
        if not filled:
            return
        least = min(filled, key=lambda c: abs(work[c][row]))
        work[lead], work[least] = work[least], work[lead]
        moves[lead], moves[least] = moves[least], moves[lead]
        if len(filled) == 1:
            return
        for c in range(lead + 1, len(work)):
            times = work[c][row] // work[lead][row]
            if times:
                work[c] = [x - times * y for x, y in zip(work[c], work[lead], strict=True)]
                moves[c] = [x - times * y for x, y in zip(moves[c], moves[lead], strict=True)]


def _substituted(
    work: list[list[int]], moves: list[list[int]], pivots: list[tuple[int, int]], right: list[int], size: int
) -> list[int] | None:
    left, start = list(right), [0] * size
    for row, lead in pivots:
        times, rest = divmod(left[row], work[lead][row])
        if rest:
            return None
        left = [x - times * y for x, y in zip(left, work[lead], strict=True)]
        start = [x + times * y for x, y in zip(start, moves[lead], strict=True)]
    return None if any(left) else start


def _short_basis(vectors: list[list[int]]) -> list[list[int]]:
    """The same lattice by short vectors; which ones rounding may decide, that they span it never."""
    if not 1 < len(vectors) <= _LLL_UP_TO:
        return vectors
    basis = [list(vector) for vector in vectors]
    k = 1
    for _ in range(_TURNS):
        if k == len(basis):
            break
        for j in range(k - 1, -1, -1):
            _, shares = _orthogonal(basis[: k + 1])
            times = round(float(shares[k, j]))
            if times:
                basis[k] = [x - times * y for x, y in zip(basis[k], basis[j], strict=True)]
        size, shares = _orthogonal(basis[: k + 1])
        if size[k] @ size[k] >= (_LOVASZ - shares[k, k - 1] ** 2) * (size[k - 1] @ size[k - 1]):
            k += 1
        else:
            basis[k - 1], basis[k] = basis[k], basis[k - 1]
            k = max(k - 1, 1)
    return basis


def _nearest(start: list[int], steps: list[list[int]]) -> list[int]:
    """`start` moved by whole steps to where it is small (Babai, 1986)."""
    if not 1 <= len(steps) <= _LLL_UP_TO:
        return start
    orthogonal, _ = _orthogonal(steps)
    for _ in range(_TURNS):  # doubles see the first digits of a long vector only
        before = start
        for step, direction in zip(reversed(steps), reversed(orthogonal), strict=True):
            along = sum(x * float(d) for x, d in zip(start, direction, strict=True))
            times = round(along / float(direction @ direction))
            start = [x - times * y for x, y in zip(start, step, strict=True)]
        if max(map(abs, start)) >= max(map(abs, before)):
            return min(start, before, key=lambda vector: max(map(abs, vector)))
    return start


def _orthogonal(basis: list[list[int]]) -> tuple[Floats, Floats]:
    """Gram and Schmidt: the orthogonal vectors, and each one's share in the basis."""
    vectors = np.array(basis, dtype=np.float64)
    shares = np.eye(len(vectors))
    orthogonal = vectors.copy()
    for k in range(1, len(vectors)):
        before = orthogonal[:k]
        shares[k, :k] = (before @ vectors[k]) / np.sum(before**2, axis=1)
        orthogonal[k] = vectors[k] - shares[k, :k] @ before
    return orthogonal, shares
