"""One way for a check to fail: with words, under `python -O` too."""

from __future__ import annotations


def require(holds: object, message: str) -> None:
    """Raise AssertionError with the message unless it holds."""
    if not holds:
        raise AssertionError(message)
