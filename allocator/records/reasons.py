"""The words for no offer: the same wherever one is given, and where one is rechecked."""

from __future__ import annotations

OFF_CONTRACT = "contract rate outside the band of the grade"
EXCLUDED = "excluded"
NO_STEP = "no multiple of the step fits"
NO_RATE = "no rate at or above the borrower's minimum"
NO_LOWER = "no rate at or below the borrower's maximum"
NO_NEAR = "no rate within what it may move from the former one"
NO_GRADE = "no rates for this grade"
NOT_POSTED = "posted rate outside the rates of the grade"
TOO_SMALL = "request below the smallest loan"
TOO_LARGE = "smallest loan wanted above the largest ticket"
NO_OFFER = (
    OFF_CONTRACT, EXCLUDED, NO_STEP, NO_RATE, NO_LOWER, NO_NEAR, NO_GRADE, NOT_POSTED, TOO_SMALL, TOO_LARGE
)  # fmt: skip
"""Why no offer is possible, in ascending order as Text wants."""

NEVER = "never profitable, whatever the limits"
BY_THE_STEP = "decided by the integer step: lost within the gap"

PASSED_OVER = "passed over: it would not earn its cost"
NOT_NEEDED = "not needed for the wanted income at the least loss"
NO_LINE = "no line for this grade"
OUTSIDE_BAND = "no rate of the strategy's band may be offered"


def crowded_out(row: str) -> str:
    """An offer that the price of `row` sinks."""
    return "crowded out by the budget" if row == "budget" else f"crowded out by limit {row}"


def left_out(limit: str) -> str:
    """An offer that would have brought a limit on a condition into force."""
    return f"left out, so that limit {limit} need not hold"


def no_room(row: str) -> str:
    """A rule's offer for which `row` had too little left."""
    return f"no room left in {'the budget' if row == 'budget' else f'limit {row}'} at its turn"


def line_of(grade: str, taken: set[str]) -> str:
    """The name of a grade's credit line, told apart from the policy's own limits (`taken`)."""
    name = f"{grade} line"
    return f"{name} of the strategy" if name in taken else name


def not_in(book: str) -> str:
    """No offer in the file that is followed."""
    return f"not in {book}"
