"""The general core: multiple-choice multidimensional knapsacks given as values and weights."""

from allocator.engine.knapsack.solve import KnapsackSolution, price_bound, solve_knapsack

__all__ = ["KnapsackSolution", "price_bound", "solve_knapsack"]
