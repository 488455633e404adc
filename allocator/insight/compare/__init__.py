"""Runs, scenarios and strategies side by side: what differs, who is swapped, what each difference costs."""

from allocator.insight.compare.compare import Comparison, Pair, compare
from allocator.insight.compare.sides import read_sides, run_side, scenario_side, strategy_sides

__all__ = ["Comparison", "Pair", "compare", "read_sides", "run_side", "scenario_side", "strategy_sides"]
