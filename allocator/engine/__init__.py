"""The engine: dual prices, reduction, the Pyomo formulation of a core, HiGHS."""
