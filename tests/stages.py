"""The stages of allocator.testing, by the name that the tests know."""

from allocator.testing.stages import Solved, columns_of, prepared, price_map, solve

__all__ = ["Solved", "columns_of", "prepared", "price_map", "solve"]
