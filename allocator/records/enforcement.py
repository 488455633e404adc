"""How a limit is enforced that need not hold, as scenarios and certificates say it."""

REPORT = "report"
"""It is measured, judged and shown, and decides nothing."""
SOFT = "soft"
"""It may be missed at a price."""
