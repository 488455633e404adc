"""Everything again, from the inputs alone: no solver, no pricing code, no compiled limits.

What this room says rests on the portfolio, the churn table, the policy and a vector of prices. An
error anywhere upstream cannot pass it, because nothing upstream is used by it.
"""

from allocator.certification.certify import certify, recheck
from allocator.certification.economics import ledger_of

__all__ = ["certify", "ledger_of", "recheck"]
