"""The records that allocator.testing builds, by the name that the tests know."""

from allocator.testing.cases import SETTINGS, Case, churn_table, limit, policy, portfolio, text

__all__ = ["SETTINGS", "Case", "churn_table", "limit", "policy", "portfolio", "text"]
