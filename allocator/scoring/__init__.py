"""From what is known about a firm to its grade, probability of default and loss given default.

Three ways in, one shape out: a frame with one row a borrower.

    invoices ──► indicators ──► grades     source 002: graded firms teach, ungraded firms are graded
    statements ──► logit                   source 000: Wald tests, expected signs, penalties
    indicators ──► rating ──► classes      source 004: F test, clusters, score, nine classes

Everything fitted is data (`fitted`): a JSON file with a card beside it, applied without a fit.
"""
