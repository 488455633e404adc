"""The dual pass: what every borrower would choose at given prices."""

from allocator.engine.kernel.columns import Answers, Columns, Response

__all__ = ["Answers", "Columns", "Response"]
