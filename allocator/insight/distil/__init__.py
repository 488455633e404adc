"""A handful of rules that stand in for the optimum, with what they cost."""

from allocator.insight.distil.distil import Distilled, distil
from allocator.insight.distil.rules import Rule, follow

__all__ = ["Distilled", "Rule", "distil", "follow"]
