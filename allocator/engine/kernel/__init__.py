"""The dual pass: what every borrower would choose at given prices."""

from allocator.engine.kernel.columns import Columns, Response

__all__ = ["Columns", "Response"]
