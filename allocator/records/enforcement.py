"""How a limit is enforced that need not hold, as scenarios and certificates say it."""

REPORT = "report"
"""It is measured, judged and shown, and decides nothing."""
NOT_IN_FORCE = "not_in_force"
"""Its condition does not arise: no limit of this allocation."""
SOFT = "soft"
"""It may be missed at a price."""
