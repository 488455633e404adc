"""From what is known about a firm to its grade, probability of default and loss given default.

Three ways in, one shape out: a frame with one row per borrower.

    invoices ──► indicators ──► grades     fitted on rated firms, applied to others (credit strategy study)
    statements ──► logit                   Wald tests, expected signs, penalties (default risk thesis)
    indicators ──► rating ──► classes      F test, clusters, score, nine classes (Meng and Chi)

Everything fitted is data (`fitted`): a JSON file with a card beside it, applied without a fit.
"""
