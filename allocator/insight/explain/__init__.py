"""Why a run came out as it did: its ledger, its prices, and what would turn a decision."""
