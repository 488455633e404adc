"""Invented borrowers in the shape of real ones: for trying out, for tests and for measuring at any size.

Grades stand in the contest's proportions (27 A, 38 B, 34 C and 24 D of 123 firms); everything else is
drawn. Borrowers come in parts of `PART`, each from its own stream of random numbers, so that memory
stays bounded and one seed gives one portfolio whether it is held or written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault, InputError
from allocator.portfolio.history import climates, with_history
from allocator.records.portfolio import Floats, Integers

PART = 250_000
"""Borrowers drawn at once."""
GRADES = ("A", "B", "C", "D")
_PROPORTIONS = (27, 38, 34, 24)
_PD_SHAPES = ((1.6, 198.0), (2.2, 82.0), (3.0, 48.0), (4.0, 7.0))
"""Beta parameters of the probability of default by grade: means 0.8, 2.6, 5.9 and 36 %."""
_PD_RANGE = (0.0003, 0.9)
_LGD_SHAPE = (9.0, 11.0)
"""Beta parameters of the loss given default: mean 45 %, standard deviation 11 %."""
SMALLEST, LARGEST, ROUND = 100_000, 1_000_000, 10_000
"""Currency units: every request lies between the first two, in multiples of the third."""
_REQUEST_SHAPE = (1.4, 1.8)
"""Beta parameters of the request inside that range: mean 490,000, more small than large."""
SECTORS = {
    "agriculture": 6, "catering": 8, "construction": 12, "health": 5, "logistics": 9,
    "manufacturing": 20, "professional services": 8, "retail": 16, "software": 6, "wholesale": 10,
}  # fmt: skip
"""Sector -> weight."""
REGIONS = {
    "central": 16, "east": 24, "north": 14, "north-east": 7,
    "north-west": 6, "south": 18, "south-west": 9, "west": 6,
}  # fmt: skip
"""Region -> weight."""


def parts(borrowers: int, seed: int, years: range | None = None) -> Iterator[pa.Table]:
    """Invented borrowers in ascending order of borrower_id, `PART` at a time, the same for the same seed.

    Amounts are in whole currency units, pd and lgd fractions; with `years` also what became of them.
    Raises InputError where `borrowers` is below 1, `seed` below 0, or no year in `years`.
    """
    _check(borrowers, seed)
    starts = range(0, borrowers, PART)
    first, *streams = np.random.SeedSequence(seed).spawn(1 + len(starts))
    grades = np.repeat(np.arange(len(GRADES), dtype=np.int8), grade_counts(borrowers))
    _random(first).shuffle(grades)
    climate = None if years is None else climates(years, _random(first.spawn(1)[0]))
    digits = max(6, len(str(borrowers)))
    for start, stream in zip(starts, streams, strict=True):
        part = _part_of_grades(grades[start : start + PART], start + 1, digits, _random(stream))
        if years is not None and climate is not None:
            part = with_history(part, years, climate, _random(stream.spawn(1)[0]))
        yield part


def grade_counts(borrowers: int) -> Integers:
    """Borrowers of each grade, (4,): the proportions, rounded by largest remainder, ties to the better."""
    total = sum(_PROPORTIONS)
    counts = np.array([borrowers * share // total for share in _PROPORTIONS], dtype=np.int64)
    remainders = [-(borrowers * share % total) for share in _PROPORTIONS]
    counts[np.argsort(remainders, kind="stable")[: borrowers - counts.sum()]] += 1
    return counts


def _part_of_grades(grades: np.ndarray, first: int, digits: int, random: np.random.Generator) -> pa.Table:
    """Borrowers number `first` and on, of the given grades (k,)."""
    size = len(grades)
    shapes = np.array(_PD_SHAPES)[grades]
    default: Floats = np.clip(random.beta(shapes[:, 0], shapes[:, 1]), *_PD_RANGE).round(6)
    request = SMALLEST + (LARGEST - SMALLEST) * random.beta(*_REQUEST_SHAPE, size)
    request = (request / ROUND).round() * ROUND
    numbers = pc.utf8_lpad(pa.array(np.arange(first, first + size)).cast(pa.string()), digits, "0")
    return pa.table(
        {
            "borrower_id": pc.binary_join_element_wise("B", numbers, ""),
            "grade": pa.array(GRADES).take(pa.array(grades)),
            "pd": default,
            "lgd": random.beta(*_LGD_SHAPE, size).round(4),
            "min_amount": np.full(size, SMALLEST),
            "max_amount": request.astype(np.int64),
            "sector": _drawn_names(SECTORS, size, random),
            "region": _drawn_names(REGIONS, size, random),
            "turnover": (request * random.lognormal(2.7, 0.8, size)).astype(np.int64),
        }
    )


def _random(stream: np.random.SeedSequence) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(stream))


def _drawn_names(weights: dict[str, int], size: int, random: np.random.Generator) -> pa.Array:
    """`size` names, drawn by weight."""
    shares = np.array(list(weights.values()), dtype=np.float64)
    codes = random.choice(len(weights), size, p=shares / shares.sum())
    return pa.array(list(weights)).take(pa.array(codes))


def _check(borrowers: int, seed: int) -> None:
    faults = []
    if borrowers < 1:
        faults.append(Fault(f"{borrowers} borrowers", "ask for at least 1", field="borrowers"))
    if seed < 0:
        faults.append(Fault(f"{seed} is below 0", "give a seed of at least 0", field="seed"))
    if faults:
        raise InputError.of(faults, "synthetic portfolio")
