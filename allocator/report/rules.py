"""Distilled rules for people and for systems: a page, plain words, SQL, a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType

from allocator.insight.distil import DistilledRules, Rule
from allocator.records.case import Case
from allocator.records.conditions import Condition
from allocator.records.ledger import NOBODY, accounts_by
from allocator.records.lots import CENT
from allocator.records.percentages import as_percentage
from allocator.records.portfolio import Text as Column
from allocator.records.run import LimitUse
from allocator.records.scenario import PortfolioSource
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.conditions import in_brief, in_words
from allocator.report.money import percent, small, unit_for
from allocator.report.pictures.rules import rules_chart
from allocator.report.plain import Text, plain_table
from allocator.report.view import View

_OTHERWISE = "otherwise: decline"
_ROOM = 100
"""Letters of whom a rule is about, beside its bar."""
_SUMS = ("offered", "drawn", "interest", "expected_loss", "value")
"""Figures of the ledger that are told of each rule."""


def rules_view(distilled: DistilledRules, out: Sequence[Path] = ()) -> View:
    """The rules that stand in for a run; in the files `out` as text, SQL or a table, by their endings."""
    return View(
        page=lambda: _page(distilled),
        document=lambda: {**_document(distilled), "files": [str(path) for path in out]},
        chart=lambda: rules_chart(
            distilled, _rules_in_brief(distilled), rules_frame(distilled)["value"].tolist()
        ),
        files={path: _written(distilled, path.suffix.lower()) for path in out},
    )


def _written(distilled: DistilledRules, ending: str) -> str | pd.DataFrame:
    match ending:
        case ".sql":
            return rules_sql(distilled)
        case ".txt":
            return rules_text(distilled)
        case _:
            return rules_frame(distilled)


def _page(distilled: DistilledRules) -> RenderableType:
    """The rules with what each earns, what they lose against the run, and what becomes of the limits."""
    run, certificate, words = distilled.run, distilled.outcome.certificate, _rules_in_words(distilled)
    currency = run.currency
    figures = rules_frame(distilled)
    unit = unit_for({key: figures[key].tolist() for key in ("offered", "drawn", "value")}, currency, 40)
    table = plain_table("", ("who", 38), "rate", "share", "firms", "offered", "value")
    for number, rule in enumerate(distilled.rules):
        row = figures.iloc[number]
        table.add_row(
            str(number + 1),
            Text(words[number]),
            percent(rule.rate),
            _share(rule),
            f"{int(row['firms']):,}",
            unit.write(float(row["offered"])),
            unit.write(float(row["value"])),
        )
    head = Text(f"{run.name}: {len(distilled.rules)} rules", style="bold")
    first, *more = _beside(distilled)
    lines = [f"value {certificate.value:,.2f} {currency}; {first}", *more]
    title = Text(f"Offers, amounts in {unit}; share: of the largest loan that is possible", style="bold")
    notes = [Text(line) for line in _terms_in_words(distilled.case)]
    limits = _limits(certificate.limits, distilled)
    return Group(head, *map(Text, lines), "", title, table, _OTHERWISE, *notes, "", *map(Text, limits))


def _beside(distilled: DistilledRules) -> list[str]:
    """What the rules lose against the run, and against any allocation where the run is no optimum."""
    run = distilled.run
    share = f" ({percent(distilled.regret / abs(run.value))})" if run.value else ""
    standing = list(standing_lines(run))
    if run.optimal:
        bound = max(distilled.bound, run.value)  # the tolerances of limits may be worth a little
        told = f"the run's {run.value:,.2f}: regret {distilled.regret:,.2f}{share}; bound {bound:,.2f}"
        return [told, *standing]
    return [f"bound {distilled.bound:,.2f}", f"the run is worth {run.value:,.2f}", *standing]


def _limits(uses: Sequence[LimitUse], distilled: DistilledRules) -> list[str]:
    if distilled.outcome.faults:
        return [f"broken: {fault}" for fault in distilled.outcome.faults]
    enforced = [use for use in uses if use.penalty]
    worst = max((use.violation for use in enforced), default=0.0)
    return [f"all {len(enforced)} limits hold, largest violation {small(worst)}"]


def rules_frame(distilled: DistilledRules) -> pd.DataFrame:
    """One row per rule: who in words, rate and share as fractions, firms funded, and sums of the ledger."""
    numbers = [f"{number + 1}" for number in range(len(distilled.rules))]
    decided = accounts_by(distilled.outcome.ledger, Column(distilled.rule.astype(np.int32), tuple(numbers)))
    by_number = {account.name: account for account in decided}
    accounts = [by_number.get(number, NOBODY) for number in numbers]
    return pd.DataFrame(
        {
            "rule": np.arange(1, len(numbers) + 1),
            "who": _rules_in_words(distilled),
            "rate": [rule.rate for rule in distilled.rules],
            "share": [rule.share for rule in distilled.rules],
            "firms": [account.funded for account in accounts],
            **{key: [account.figures[key] for account in accounts] for key in _SUMS},
        }
    )


def _terms_in_words(case: Case) -> list[str]:
    """What holds of every offer that a rule makes, a line each: a rule's own line does not repeat it."""
    policy, portfolio = case.scenario.policy, case.inputs.portfolio
    step = policy.ticket.step
    lots = "cents" if step is None else f"multiples of {step:,.10g}"
    own = [
        *(["their own smallest"] if np.any(portfolio.min_amount > 0) else []),
        *(["their own largest"] if np.any(np.isfinite(portfolio.max_amount)) else []),
    ]
    inside = f", inside {' and '.join(own)}" if own else ""
    lines = [
        f"loans of {policy.ticket.min:,.10g} to {policy.ticket.max:,.10g}{inside}, "
        f"rounded down to {lots}; a share below the smallest loan is that loan"
    ]
    if np.any(portfolio.exclude):
        lines.append("nothing to those who are excluded")
    if not np.all(np.isnan(portfolio.min_rate)):
        lines.append("nothing to those whose own smallest rate is above the rule's")
    if not np.all(np.isnan(portfolio.max_rate)):
        lines.append("nothing to those whose own largest rate is below the rule's")
    if not np.all(np.isnan(portfolio.rate)):
        lines.append("nothing to those whose contract has another rate than the rule's")
    if np.any(case.offers.must):
        lines.append("pinned offers stand as they are, beside the rules")
    if case.scenario.stress:
        lines.append("PD, LGD and largest loans are those under the scenario's stress")
    return lines


def rules_text(distilled: DistilledRules) -> str:
    """A numbered list that can be pasted into a policy."""
    words = _rules_in_words(distilled)
    lines = [
        f"{number + 1}. {words[number]}: offer {_share(rule)} of the largest loan at {percent(rule.rate)}"
        for number, rule in enumerate(distilled.rules)
    ]
    terms = [f"- {line}" for line in _terms_in_words(distilled.case)]
    return "\n".join([*lines, f"{len(lines) + 1}. {_OTHERWISE}", "", "Terms of every offer:", *terms, ""])


def _rules_in_words(distilled: DistilledRules) -> list[str]:
    """Whom each rule is about."""
    portfolio = distilled.case.inputs.portfolio
    values = {name: portfolio.text(name).values for name in ("grade", *portfolio.texts)}
    return [in_words(rule.where, values) for rule in distilled.rules]


def _rules_in_brief(distilled: DistilledRules) -> list[str]:
    """Whom each rule is about, in a few lines of a picture."""
    words = _rules_in_words(distilled)
    return [in_brief(who, rule.where, _ROOM) for who, rule in zip(words, distilled.rules, strict=True)]


def _share(rule: Rule) -> str:
    """The rule's share to every digit: rounded up it may lend more than the limits allow."""
    return as_percentage(rule.share, 10)


def _document(distilled: DistilledRules) -> dict[str, Any]:
    """The rules and what their decisions come to, as data."""
    certificate = distilled.outcome.certificate
    return {
        "run": standing_figures(distilled.run),
        "rules": _rules_json(distilled),
        "value": certificate.value,
        "regret": distilled.regret,
        "bound": distilled.bound,
        "largest_violation": certificate.largest_violation,
        "broken": [str(fault) for fault in distilled.outcome.faults],
    }


def _rules_json(distilled: DistilledRules) -> list[dict[str, Any]]:
    """The rules as data."""
    figures = rules_frame(distilled).drop(columns=["rule"])
    return [
        {
            "where": [_condition_json(condition) for condition in rule.where],
            **{str(key): value for key, value in row.items()},
        }
        for rule, row in zip(distilled.rules, figures.to_dict("records"), strict=True)
    ]


def _condition_json(condition: Condition) -> dict[str, Any]:
    if not condition.is_range:
        return {"column": condition.column, "values": list(condition.values)}
    edges = {key: getattr(condition, key) for key in ("above", "at_least", "below", "at_most")}
    return {"column": condition.column, **{key: edge for key, edge in edges.items() if edge is not None}}


def rules_sql(distilled: DistilledRules) -> str:
    """The rules as one standard SQL query over a table `borrowers` with the portfolio's columns."""
    rules, case = distilled.rules, distilled.case
    policy, portfolio = case.scenario.policy, case.inputs.portfolio
    lot = policy.ticket.step or CENT
    fields = {
        "ticket_min": _literal(policy.ticket.min),
        "ticket_max": _literal(policy.ticket.max),
        "to_lots": "* 100.0" if lot == CENT else f"/ {float(lot)!r}",
        "from_lots": "/ 100.0" if lot == CENT else f"* {float(lot)!r}",
        "least": "min_amount" if np.any(portfolio.min_amount > 0) else _literal(policy.ticket.min),
    }
    tests = [f"    WHEN {_test(rule, case)} THEN {number}" for number, rule in enumerate(rules, start=1)]
    rates = [f"    WHEN {number} THEN {_literal(rule.rate)}" for number, rule in enumerate(rules, start=1)]
    shares = [f"    WHEN {number} THEN {_literal(rule.share)}" for number, rule in enumerate(rules, start=1)]
    barred = [f"{_name('exclude')} IS NOT TRUE"] if np.any(portfolio.exclude) else []
    free = ["fixed_amount IS NULL"] if np.any(~np.isnan(portfolio.fixed_amount)) else []
    open_to = " AND ".join([*barred, *free, "smallest <= largest", "rule IS NOT NULL"])
    nobody = ["    WHEN 0 = 1 THEN 0"], ["    WHEN 0 THEN 0.0"]
    return _columns_comment(case.scenario.portfolio) + _QUERY.format(
        tests="\n".join(tests or nobody[0]),
        rates="\n".join(rates or nobody[1]),
        shares="\n".join(shares or nobody[1]),
        open_to=open_to,
        **fields,
    )


def _columns_comment(source: PortfolioSource) -> str:
    """Where the table's columns are not simply those of the run's source, a line on each."""
    notes = [f"{name} was {theirs}" for name, theirs in source.columns.items()]
    notes += [f"{name} was {value} where there was none" for name, value in source.defaults.items()]
    notes += [f"pd was {pd!r} for grade {grade}" for grade, pd in source.pd_by_grade.items()]
    notes += ["pd (and grade, lgd where it gives them) came from the scorecard"] if source.scorecard else []
    lines = ["Columns have the portfolio's names; in the source of the run", *notes] if notes else []
    return "".join(f"-- {' '.join(line.split())}\n" for line in lines)


_QUERY = """\
-- Rates are fractions. Whoever is not in the result is declined; pinned offers, not in it either, stand.
WITH asked AS (
  SELECT borrowers.*,
    FLOOR(CASE WHEN max_amount < {ticket_max} THEN max_amount ELSE {ticket_max} END {to_lots} + 1e-6)
      {from_lots} AS largest,
    CEIL(CASE WHEN {least} > {ticket_min} THEN {least} ELSE {ticket_min} END {to_lots} - 1e-6)
      {from_lots} AS smallest
  FROM borrowers
), ruled AS (
  SELECT asked.*, CASE
{tests}
  END AS rule
  FROM asked
), decided AS (
  SELECT ruled.*,
  CASE rule
{rates}
  END AS rate,
  FLOOR(largest * CASE rule
{shares}
  END {to_lots} + 1e-6) {from_lots} AS part
  FROM ruled
  WHERE {open_to}
)
SELECT borrower_id, rule, rate, CASE WHEN part < smallest THEN smallest ELSE part END AS amount
FROM decided
ORDER BY borrower_id;
"""


def _test(rule: Rule, case: Case) -> str:
    """The rule's conditions, and who of those whom it fits may be offered its rate."""
    portfolio = case.inputs.portfolio
    tests = [_sql(condition) for condition in rule.where]
    open_to = rule.grades(case.scenario.policy.rates)
    named = next((condition.values for condition in rule.where if condition.column == "grade"), None)
    if named is None or not set(named) <= set(open_to):
        tests.append(_sql(Condition("grade", tuple(open_to))))
    if not np.all(np.isnan(portfolio.min_rate)):
        tests.append(f"(min_rate IS NULL OR min_rate <= {_literal(rule.rate)})")
    if not np.all(np.isnan(portfolio.max_rate)):
        tests.append(f"(max_rate IS NULL OR max_rate >= {_literal(rule.rate)})")
    if not np.all(np.isnan(portfolio.rate)):
        tests.append(f"(rate IS NULL OR rate = {_literal(rule.rate)})")
    return " AND ".join(tests)


def _sql(condition: Condition) -> str:
    column = _name(condition.column)
    if not condition.is_range:
        return f"{column} IN ({', '.join(map(_quoted, condition.values))})"
    signs = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
    return " AND ".join(f"{column} {signs[key]} {_literal(end)}" for key, end in condition.ends.items())


def _name(column: str) -> str:
    return column if column.isidentifier() and column.islower() else '"' + column.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(number: float) -> str:
    """Enough digits to be read back exactly."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))
