"""Multiple-choice multidimensional knapsacks given as values and weights: see docs/knapsack.md."""

from allocator.knapsack.solve import KnapsackSolution, price_bound, solve_knapsack

__all__ = ["KnapsackSolution", "price_bound", "solve_knapsack"]
