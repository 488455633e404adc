"""The front door for Python: what the commands do, for scenarios, runs and data frames in memory.

    scenarios   what is asked: a file, a mapping or another scenario, with frames and settings laid over it
    runs        what comes out: solved, saved, read back, verified
    questions   why, what if, what else, how bad: one function per command
    results     how an answer is shown: a table, a figure, a page
    scoring     scorecards fitted and applied
    estimators  the same scorecards as scikit-learn has them

`import allocator` reaches them lazily; each name is imported when it is first used.
"""
