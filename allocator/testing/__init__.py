"""What must hold of every measure, strategy and source, ours and those of other packages.

    from allocator.testing import check_measure, check_source, check_strategy

Each check raises AssertionError, saying what does not hold, and needs no framework for tests. Ours are held
to the same checks by the tests of the allocator.
"""

from allocator.testing.measures import check_measure
from allocator.testing.sources import check_source
from allocator.testing.strategies import check_strategy

__all__ = ["check_measure", "check_source", "check_strategy"]
