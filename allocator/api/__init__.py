"""The front door for Python: what the commands do, for scenarios, runs and data frames in memory.

    scenarios   what is asked: a file, a mapping or another scenario, with frames and settings laid over it
    runs        what comes out: solved, saved, read back, verified
    inputs      what goes in: checked before it is solved, invented to try things out
    arguments   what is handed over, held against the signatures
    about_*     why, what if, what else, how bad: one function per command
    reporting   the committee's report
    results     how an answer is shown: a table, a figure, a page
    scoring     scorecards fitted and applied
    estimators  the same scorecards as scikit-learn has them

`import allocator` reaches them lazily; each name is imported when it is first used.
"""
