"""A handful of rules that stand in for the optimum, with what they cost."""

from allocator.insight.distil.distil import DistilledRules, distil
from allocator.insight.distil.rules import Rule, follow

__all__ = ["DistilledRules", "Rule", "distil", "follow"]
