"""Decisions by a rule, to compare the optimum with: one file per rule, one protocol.

Every rule gets its best chance: each borrower's best rate for the rule's aim, filled in the rule's order to
the request, pinned offers first, inside all limits as far as the order can keep them.
"""

from allocator.strategies.following import RULES, follow
from allocator.strategies.plan import Plan, filled, options_of, ready, served
from allocator.strategies.usual import USUAL, with_lines

__all__ = ["RULES", "USUAL", "Plan", "filled", "follow", "options_of", "ready", "served", "with_lines"]
