"""A run as a workbook: the figures of the report, with formulas that recompute them."""
