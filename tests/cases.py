"""Whole cases as files, for what runs from a scenario's path."""

from __future__ import annotations

from pathlib import Path

RICH = """\
schema: 1
name: rich
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv, smoothing: isotonic}
policy:
  budget: {amount: 2_500_000, spend: at_most, basis: drawn}
  ticket: {min: 100_000, max: 600_000}
  term_years: 2
  funding_rate: 2%
  churn_cost_rate: 0.1%
  decline_churn: 20%
  idle_rate: 1%
  processing_cost: 150
  rates: {A: [4%, 11%], B: [6%, 15%]}
  rate_grid: {step: 0.5%}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 45%, of: total}
    - {name: sectors, measure: drawn, each: sector, at_most: 40%, of: budget}
    - {name: loss rate, measure: expected_loss, at_most: 1.1%, of: drawn}
    - {name: average rate, measure: gross_interest, at_least: 12%, of: drawn}
    - {name: book, measure: loans, at_least: 8}
solver: {time_limit: 20}
"""
"""Every cost, basis and shape of limit that a policy may hold, and amounts in cents."""

BORROWERS = """\
borrower_id,grade,pd,max_amount,sector,relationship_value,exposure,exclude,min_rate,fixed_amount,fixed_rate
F01,A,0.005,500000,retail,,,,,,
F02,A,0.008,300000,food,3000,,,,,
F03,A,0.004,900000,steel,,100000,,,,
F04,A,0.010,700000,retail,,,,,,
F05,B,0.020,400000,food,2500,50000,,,,
F06,B,0.030,600000,steel,,,,0.09,,
F07,B,0.025,800000,retail,,,,,,
F08,B,0.900,200000,food,,,,,,
F09,C,0.050,300000,food,,,,,,
F10,A,0.006,50000,steel,,,,,,
F11,B,0.015,450000,steel,,,true,,,
F12,A,0.012,350000,food,,,,,123456.78,0.0725
F13,B,0.018,550000,NO,1000,,,,,
F14,A,0.009,650000,NO,,,,,,
F15,B,0.022,333333.33,retail,,,,,,
"""
CHURN = """\
rate,A,B
0.04,0,0
0.06,0.25,0.15
0.08,0.5,0.45
0.11,0.7,0.42
0.13,0.8,0.75
0.15,0.9,0.85
"""


def write_rich(folder: Path, borrowers: str = BORROWERS) -> Path:
    """The scenario's path, its inputs beside it."""
    (folder / "scenario.yaml").write_text(RICH)
    (folder / "borrowers.csv").write_text(borrowers)
    (folder / "churn.csv").write_text(CHURN)
    return folder / "scenario.yaml"
