"""Malformed declarations, tables and orders of scoring: all faults of each at once, word by word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import Fault
from tests.cli.conftest import Allocator

Change = Callable[[pd.DataFrame], object]

LOGIT = "fit logit t.csv --variables d.json --outcome bad --out out"
RATING = "fit rating t.csv --rules d.json --default bad --owed lent --lost gone --classes a,b --out out"
LGD = "fit lgd t.csv --default bad --owed lent --lost gone --out out"
CHURN = "fit churn t.csv --out out"
SCORE = "score t.csv --scorecard card.json --out scored.csv"
VALIDATE = "validate t.csv --scorecard card.json --outcome bad"
RECALIBRATE = "recalibrate card.json --on t.csv --why w"
EXPORT = "fit export card.json --out q.sql"
GRADE = "fit grade --purchases in.csv --sales out.csv --ratings firms.csv --folds 2 --out out"
SCORE_INVOICES = "score --purchases in.csv --sales out.csv --firms firms.csv --scorecard card.json"
SOUND = '{"variables": [{"name": "x"}, {"name": "y"}]}'
CARD: dict[str, Any] = {
    "schema": 1, "kind": "logit", "variables": [{"name": "x"}, {"name": "late"}],
    "derived": [{"name": "late", "column": "day", "above": 3}],
    "penalty": "flic", "strength": 0.0, "coefficients": {"intercept": -2.0, "x": 1.0, "late": 1.0},
    "covariance": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "log_likelihood": -3.0, "n": 30, "events": 5,
}  # fmt: skip


def _table() -> pd.DataFrame:
    """60 loans of which nothing is wrong."""
    x = np.round(np.sin(np.arange(60.0) * 7), 3)
    y = np.round(np.cos(np.arange(60.0) ** 2), 3)
    return pd.DataFrame(
        {"id": [f"F{i:02}" for i in range(60)], "x": x, "y": y, "day": np.arange(60) % 5,
         "kind": np.where(y > 0, "u", "v"), "bad": (x + y > 0.8).astype(int), "lent": 10.0, "gone": 4.0}
    ).astype(object)  # fmt: skip


def cells(**changes: dict[int, object]) -> Change:
    """Put values into cells: column -> row, from 1, -> value."""

    def change(frame: pd.DataFrame) -> None:
        for name, column in changes.items():
            for row, value in column.items():
                frame.loc[row - 1, name] = value

    return change


def without(*names: str) -> Change:
    return lambda frame: [frame.pop(name) for name in names]


def every(**values: object) -> Change:
    def change(frame: pd.DataFrame) -> None:
        for name, value in values.items():
            frame[name] = value

    return change


def all_of(*changes: Change) -> Change:
    return lambda frame: [change(frame) for change in changes]


def offers(frame: pd.DataFrame) -> None:
    """Shares of customers who left, in the place of the loans."""
    without(*frame.columns)(frame)
    frame["rate"] = [0.04, 0.05, 0.05, *(0.06 + i / 1000 for i in range(57))]
    frame["A"], frame["B"] = [2, None, *[0.5] * 58], [0.1, 0.2, *[None] * 58]


def nothing(_: pd.DataFrame) -> None:
    return None


INVOICES = """enterprise_id,date,counterparty_id,amount,tax,total,valid
E1,2019-01-05,K1,10,1,11,true
E1,2019-12-05,K1,20,1,21,true
E2,2019-01-05,K1,30,1,31,true
"""
FIRMS = "enterprise_id,rating,default\nE1,A,0\nE2,B,1\nE3,C,0\n"
GRADE_CARD = """{"kind": "grade", "method": "void_ranges", "frequency": {"A": 0.5, "B": 0.5},
 "pd_by_grade": {"A": 0.01, "B": 0.2}, "ranges": {"A": [0.0, 0.1], "B": [0.1, 0.9]}}"""
CASE = """schema: 1
portfolio: {source: t.csv, scorecard: card.json, columns: {borrower_id: id}}
response: {churn: churn.csv}
policy:
  budget: {amount: 3_000_000}
  ticket: {min: 100_000, max: 1_000_000}
  rates: {A: [4%, 11%], B: [11%, 15%]}
"""


def card(**changes: object) -> str:
    return json.dumps(CARD | changes)


CASES: dict[str, tuple[str, str | dict[str, str], Change, tuple[str, ...]]] = {
    "slips of keys, kinds and numbers": (
        LOGIT,
        '{"variables": [\n {"name": "x", "sgin": -1, "kind": "numeric"},\n {"name": "y", "bins": '
        '{"most": 1, "least": 2}},\n {"sign": 3}]}',
        nothing,
        (
            "d.json, line 2, variables[x].kind: expected one of number, category, found 'numeric'; did "
            "you mean number?",
            "d.json, line 2, variables[x].sgin: unknown key 'sgin'; did you mean sign?",
            "d.json, line 3, variables[y].bins.most: expected a whole number from 2 to 50, found 1; "
            "write it so",
            "d.json, line 3, variables[y].bins.least: expected a number above 0 and up to 0.5, found "
            "2; write it so",
            'd.json, line 4, variables[#3].name: the key is missing; add "name": text',
            "d.json, line 4, variables[#3].sign: expected one of -1, 0, 1, found 3; write one of them",
        ),
    ),
    "commas, quotes and words": (
        LOGIT,
        '{"variables": [\n {"name": "x", "name": "y",},\n {"name": "y", "cut": [NaN, 1], "named": True}\n]}',
        nothing,
        (
            "d.json, line 2: is not JSON: key 'name' is written twice, first on line 2; keep one of the two",
            "d.json, line 2: is not JSON: a comma stands before } with nothing behind it; remove the comma",
            "d.json, line 3: is not JSON: NaN is no number of JSON; write a number, or leave the key out",
            "d.json, line 3: is not JSON: True is no value of JSON; write true",
        ),
    ),
    "a text that is not closed": (
        LOGIT,
        '{"variables": [\n {"name": "x}\n]}',
        cells(bad={3: 2}),
        (
            "d.json, line 2: is not JSON: a text is not closed, or holds a sign that must be escaped; "
            'end it with ", write \\ as \\\\',
            "t.csv, row 3, bad: 2 is no outcome; write 1 for a default, 0 for none",
        ),
    ),
    "a bracket that is not closed": (
        LOGIT,
        '{"variables": [\n {"name": "x"}\n',
        cells(bad={3: None}),
        (
            "d.json, line 1: is not JSON: [ is not closed; write ] where it ends",
            "t.csv, row 3, bad: is empty; write 1 or 0, or leave such rows out: a fit does by "
            "--without COLUMN",
        ),
    ),
    "a comment": (
        LOGIT,
        '{\n // what we read\n "variables": []}',
        nothing,
        ("d.json, line 2: is not JSON: JSON has no comments; remove it; a note has a key of its own",),
    ),
    "no JSON at all": (
        LOGIT,
        "variables: [x, y]",
        nothing,
        (
            "d.json, line 1: is not JSON: variables is no value of JSON; put a text in quotes",
            "d.json, line 1: is not JSON: : stands after its end; remove it, or check the brackets before it",
        ),
    ),
    "an empty file": (
        LOGIT,
        "",
        nothing,
        ('d.json, line 1: is not JSON: the file is empty; write an object, starting with {"variables": [',),
    ),
    "a list": (
        LOGIT,
        '["x", "y"]',
        nothing,
        ('d.json, line 1: expected a mapping, found a list of 2; write it in braces: {"key": value}',),
    ),
    "names in the place of variables": (
        LOGIT,
        '{"variables": ["x", "y"]}',
        nothing,
        (
            "d.json, line 1, variables[#1]: expected a mapping, found 'x'; write it in braces: {\"key\": "
            "value}",
            "d.json, line 1, variables[#2]: expected a mapping, found 'y'; write it in braces: {\"key\": "
            "value}",
        ),
    ),
    "cuts that fall, a name twice, a column that is missing, a text": (
        LOGIT,
        '{"variables": [{"name": "x", "bins": {"cuts": [9, 3]}}, {"name": "x"}, {"name": "nil"}, '
        '{"name": "kind", "bins": {}}]}',
        nothing,
        (
            "d.json, line 1, variables[#1].bins.cuts: its cuts do not rise; write [3, 9]",
            "d.json, line 1, variables[#2].name: x is declared twice, first as variables[#1]; keep one "
            "of the two",
            "t.csv, nil: the column is missing; add it, or do without it",
            "t.csv, row 1, kind: 'u' is no number, in 36 rows: 1, 2, 6, 8, 9, ...; write plain "
            "numbers, or say category",
            "t.csv, row 3, kind: 'v' is no number, in 24 rows: 3, 4, 5, 7, 12, ...; write plain "
            "numbers, or say category",
        ),
    ),
    "groups, leaks, the outcome and a missing column": (
        LOGIT,
        '{"variables": [{"name": "kind", "kind": "category", "bins": {"groups": [["u", "v"], '
        '["v"]]}}, {"name": "bad"}, {"name": "day"}, {"name": "nil"}], "leaks": [{"name": "day", '
        '"why": "known at default"}]}',
        nothing,
        (
            "d.json, line 1, variables[kind].bins.groups: 'v' stands in two groups; leave it in one of them",
            "d.json, line 1, variables[bad]: bad would tell the outcome: it is what the fit is to "
            "foretell; leave it out; under leaks, the fit says what it would be worth",
            "d.json, line 1, variables[day]: day would tell the outcome: known at default; leave it "
            "out; under leaks, the fit says what it would be worth",
            "t.csv, nil: the column is missing; add it, or do without it",
        ),
    ),
    "derived columns": (
        LOGIT,
        '{"variables": [{"name": "a"}, {"name": "b"}, {"name": "lent"}], "derived": [{"name": "a", '
        '"column": "nope", "is": "Y"}, {"name": "b", "column": "nope", "not": "Y"}, {"name": "c", '
        '"column": "x"}, {"name": "d", "column": "x", "is": 1, "above": 2}, {"column": "x", '
        '"missing": false}]}',
        nothing,
        (
            "d.json, line 1, derived[c]: has no test; give one of is, not, above, missing",
            "d.json, line 1, derived[d]: has 2 tests: is, above; keep one of them",
            'd.json, line 1, derived[#5].name: the key is missing; add "name": text',
            "d.json, line 1, derived[#5].missing: expected true, found false; write it so",
            "t.csv, nope: the column is missing, a and b are derived from it; add the column",
            "t.csv, lent: is constant: it can explain nothing; leave the variable out",
        ),
    ),
    "what does not go together": (
        LOGIT,
        '{"variables": [{"name": "kind", "kind": "category", "special": [-9], "missing": "median"}, '
        '{"name": "x", "unseen": "refuse", "missing": "bin"}, {"name": "y", "bins": {"groups": '
        '[["a"], ["b"]]}, "transform": "log", "missing": "flag"}]}',
        nothing,
        (
            "d.json, line 1, variables[kind].special: special codes are of numbers; leave them out: "
            "each is a level of its own",
            "d.json, line 1, variables[kind].missing: a category has no median; write flag, or leave "
            "missing out",
            "d.json, line 1, variables[x].unseen: a number has no levels to refuse; leave it out, or "
            'write "kind": "category"',
            "d.json, line 1, variables[x].missing: has no bins; write flag",
            "d.json, line 1, variables[y].missing: has bins; write bin",
            "d.json, line 1, variables[y].transform: bins stay the same under a transform; leave it out",
            "d.json, line 1, variables[y].bins.groups: a number has cuts, not groups; write cuts, or "
            "the kind category",
        ),
    ),
    "wrong types": (
        LOGIT,
        '{"schema": 2, "variables": [\n {"name": 3, "note": ["n"]},\n {"name": "y", "cut": [0.1], '
        '"special": "-9", "named": "yes"},\n {"name": "x", "bins": [], "sign": "1"}]}',
        nothing,
        (
            "d.json, line 1, schema: expected 1, found 2; write it so",
            "d.json, line 2, variables[#1].name: expected text, found 3; write one text, in double quotes",
            "d.json, line 2, variables[#1].note: expected text, found a list of 1; write one text, in "
            "double quotes",
            "d.json, line 3, variables[y].cut: expected a list of 2, each a number from 0 to 1, found "
            "a list of 1; write it in square brackets: [..., ...]",
            "d.json, line 3, variables[y].special: expected a list, each a number, found '-9'; write "
            "it in square brackets: [..., ...]",
            "d.json, line 3, variables[y].named: expected true or false, found 'yes'; write it so",
            "d.json, line 4, variables[x].sign: expected one of -1, 0, 1, found '1'; did you mean 1?",
            "d.json, line 4, variables[x].bins: expected a mapping, found an empty list; write it in "
            'braces: {"key": value}',
        ),
    ),
    "constants and collinear columns beside a missing one": (
        LOGIT,
        '{"variables": [{"name": "lent"}, {"name": "id", "kind": "category"}, {"name": "x"}, '
        '{"name": "twice"}, {"name": "nil"}]}',
        lambda frame: frame.insert(0, "twice", 2 * frame["x"]),
        (
            "t.csv, nil: the column is missing; add it, or do without it",
            "t.csv, lent: is constant: it can explain nothing; leave the variable out",
            "t.csv, id: has no two levels with 20 rows or more; leave the variable out",
            "t.csv, twice: is a combination of x; leave one of them out",
        ),
    ),
    "bad cells of every kind": (
        LOGIT,
        SOUND,
        cells(bad={12: 2, 13: None}, x={4: "ten", 8: "1,200", 9: "1,200"}, y={10: "inf"}),
        (
            "t.csv, row 12, bad: 2 is no outcome; write 1 for a default, 0 for none",
            "t.csv, row 13, bad: is empty; write 1 or 0, or leave such rows out: a fit does by "
            "--without COLUMN",
            "t.csv, row 8, x: '1,200' is no number, in 2 rows: 8, 9; write it without commas: 1200",
            "t.csv, row 4, x: 'ten' is no number; write plain numbers, or say category",
            "t.csv, row 10, y: is infinite; leave the cell empty where nothing is known",
        ),
    ),
    "no default": (
        LOGIT,
        '{"variables": [{"name": "x", "bins": {}}, {"name": "y", "bins": {}}]}',
        every(bad=0),
        ("t.csv, bad: no row is a default; give rows of both kinds: 1 for a default, 0 for none",),
    ),
    "a column of texts": (
        LOGIT,
        '{"variables": [{"name": "id"}, {"name": "nil"}]}',
        cells(bad={5: "maybe", 6: "maybe"}),
        (
            "t.csv, row 5, bad: 'maybe' is no outcome, in 2 rows: 5, 6; write 1 for a default, 0 for none",
            "t.csv, row 1, id: 'F00' is no number, nor are most of its 60 cells, in 60 rows: 1, 2, 3, "
            "4, 5, ...; write plain numbers, or say category",
            "t.csv, nil: the column is missing; add it, or do without it",
        ),
    ),
    "no column of the order": (
        LOGIT.replace("bad", "bda") + " --owed lnet --lost gon --time dya --without why",
        SOUND,
        without("x"),
        (
            "t.csv, bda: lacks the column bda; did you mean day?",
            "t.csv, dya: lacks the column dya; did you mean day?",
            "t.csv, lnet: lacks the column lnet; did you mean lent?",
            "t.csv, gon: lacks the column gon; did you mean gone?",
            "t.csv, why: lacks the column why; name the column that holds the reason to leave a row out",
            "t.csv, x: the column is missing; add it, or do without it",
        ),
    ),
    "times and amounts": (
        LOGIT + " --owed lent --lost gone --time kind",
        SOUND,
        cells(lent={2: -5, 3: "x"}, gone={1: None}, kind={7: None}),
        (
            "t.csv, row 3, lent: 'x' is no number; write plain numbers",
            "t.csv, row 2, lent: '-5' is below 0; write an amount, 0 or more",
            "t.csv, row 1, gone: is empty; write an amount, 0 or more",
            "t.csv, row 1, kind: 'u' is neither a date nor a number, in 36 rows: 1, 2, 6, 8, 9, ...; "
            "write dates as 2019-03-01",
            "t.csv, row 3, kind: 'v' is neither a date nor a number, in 23 rows: 3, 4, 5, 12, 17, ...; "
            "write dates as 2019-03-01",
            "t.csv, row 7, kind: is empty; write dates as 2019-03-01",
        ),
    ),
    "weights and rejects": (
        LOGIT + " --weights day --rejects late --reject-inference fuzzy",
        SOUND,
        all_of(every(day=["a", None, -1, "b", *[1] * 56], late=[0, 0, 0, 1, *[0] * 56]), cells(x={4: "n/a"})),
        (
            "t.csv, row 1, day: 'a' is no number; write plain numbers above 0",
            "t.csv, row 2, day: is empty; give each row a weight above 0, or leave such rows out",
            "t.csv, row 3, day: is not above 0; give each row a weight above 0, or leave such rows out",
            "t.csv, row 4, x: 'n/a' is no number; write plain numbers, or say category",
            "t.csv, row 4, day: 'b' is no number; write plain numbers above 0",
        ),
    ),
    "weights that are read otherwise too": (
        LOGIT + " --weights lent",
        '{"variables": [{"name": "lent"}, {"name": "late"}],\n "derived": [{"name": "late", "column": '
        '"lent", "above": 3}, {"name": "x", "column": "lent", "is": 1, "not": 2}]}',
        nothing,
        (
            "d.json, line 1, variables[lent]: lent is what the rows are weighted by; leave it out, or weight "
            "them by another column",
            "d.json, line 1, variables[late]: late is what the rows are weighted by; leave it out, or weight "
            "them by another column",
            "d.json, line 2, derived[x]: has 2 tests: is, not; keep one of them",
            "t.csv, lent: is constant: it can explain nothing; leave the variable out",
            "t.csv, late: is constant: it can explain nothing; leave the variable out",
        ),
    ),
    "segments that are weights": (
        LGD + " --by kind --weights kind",
        SOUND,
        nothing,
        (
            "--by: kind is what the rows are weighted by; weight them by another column",
            "t.csv, row 1, kind: 'u' is no number, in 36 rows: 1, 2, 6, 8, 9, ...; write plain numbers "
            "above 0",
            "t.csv, row 3, kind: 'v' is no number, in 24 rows: 3, 4, 5, 7, 12, ...; write plain numbers "
            "above 0",
        ),
    ),
    "weights of a recalibration": (
        RECALIBRATE + " --outcome bad --weights wieght",
        card(),
        all_of(every(weight=1), cells(x={3: "n/a"})),
        (
            "t.csv, wieght: the column is missing; did you mean weight?",
            "t.csv, row 3, x: 'n/a' is no number; write plain numbers",
        ),
    ),
    "one column for everything": (
        LOGIT + " --weights bad --rejects bad --reject-inference fuzzy --without bad --time bad",
        SOUND,
        nothing,
        (
            "--time: knows nothing of rejects; leave it or --rejects out",
            "t.csv, bad: is named as the outcome and as the time; name a column for each",
            "t.csv, bad: is named as the outcome and as the weights; name a column for each",
            "t.csv, bad: is named as the outcome and as the rejects; name a column for each",
            "t.csv, bad: is named as the outcome and as the reason to leave a row out; name a column for "
            "each",
            "t.csv, bad: gives every row a reason to be left out; leave it empty",
        ),
    ),
    "columns derived from derived ones": (
        LOGIT,
        '{"variables": [{"name": "a"}, {"name": "b"}, {"name": "x"}, {"name": "c"}], "derived": [{"name": '
        '"a", "column": "b", "is": 1}, {"name": "b", "column": "a", "is": 1}, {"name": "c", "column": '
        '"kind", "above": 3}], "leaks": [{"name": "x"}]}',
        nothing,
        (
            'd.json, line 1, leaks[x].why: the key is missing; add "why": text',
            "d.json, line 1, variables[x]: x would tell the outcome; leave it out; under leaks, the fit says "
            "what it would be worth",
            "t.csv, row 1, kind: 'u' is no number, in 36 rows: 1, 2, 6, 8, 9, ...; write plain numbers",
            "t.csv, row 3, kind: 'v' is no number, in 24 rows: 3, 4, 5, 7, 12, ...; write plain numbers",
            "t.csv, b: is derived itself, a is derived from it; derive from a column of the table",
            "t.csv, a: is derived itself, b is derived from it; derive from a column of the table",
        ),
    ),
    "cells of a variable whose declaration is wrong": (
        LOGIT,
        '{"variables": [{"name": "x", "sign": "up"}, {"name": "y", "bins": {"most": 1}}]}',
        cells(x={3: "1,200"}, y={5: "five"}),
        (
            "d.json, line 1, variables[x].sign: expected one of -1, 0, 1, found 'up'; write one of them",
            "d.json, line 1, variables[y].bins.most: expected a whole number from 2 to 50, found 1; write "
            "it so",
            "t.csv, row 3, x: '1,200' is no number; write it without commas: 1200",
            "t.csv, row 5, y: 'five' is no number; write plain numbers",
        ),
    ),
    "cells of a rule whose declaration is wrong": (
        RATING,
        '{"rules": [{"name": "kind", "kind": "qualitative", "scores": {"u": "1", "v": 2}},\n {"name": "y", '
        '"kind": "positive", "special": ["a"]}]}',
        cells(y={5: "five"}),
        (
            "d.json, line 1, rules[kind].scores.u: expected a number from 0 to 1, found '1'; write it "
            "without quotes",
            "d.json, line 1, rules[kind].scores.v: expected a number from 0 to 1, found 2; write it so",
            "d.json, line 2, rules[y].special[#1]: expected a number, found 'a'; write a number, without "
            "quotes",
            "t.csv, row 5, y: 'five' is no number; write plain numbers",
        ),
    ),
    "groups and cuts that no row meets, and dates": (
        LOGIT,
        '{"variables": [{"name": "kind", "kind": "category", "bins": {"groups": [["w"], ["z"]]}}, {"name": '
        '"x", "bins": {"cuts": [5, 9]}}, {"name": "when"}]}',
        every(when=[f"2019-01-{1 + i % 28:02}" for i in range(60)]),
        (
            "t.csv, when: holds dates, not numbers; write plain numbers, or say category",
            "t.csv, kind: no row has a level of its groups; its levels are u, v",
            "t.csv, x: all its values lie between two of its cuts; they go from -0.997 to 1",
        ),
    ),
    "a weight beside which others are nothing": (
        LOGIT + " --weights day",
        SOUND,
        all_of(every(day=2.0), cells(day={7: 1e300})),
        (
            "t.csv, row 7, day: 1e+300 is more than 1e+12 times the least weight, 2 in row 1, which counts "
            "for nothing; give weights of one scale, or leave such rows out",
        ),
    ),
    "nothing but rejects": (
        LOGIT + " --rejects day --reject-inference parcelling",
        SOUND,
        every(day=1),
        ("t.csv, day: marks every row a reject; write 0 where one was accepted",),
    ),
    "options": (
        LOGIT + " --name a/b --strength 2 --bounds A=30%,B=20%,C=x --points pdo=0,odd=1 --owed lent",
        SOUND,
        every(x=1),
        (
            "--name: 'a/b' is no name of a file; use letters, digits, - and _; --out names the folder",
            "--bounds: 'C=x' is no bound; write GRADE=PD, such as A=1%",
            "--bounds: the bounds do not rise; list grades best first, each with its highest PD",
            "--points: odd is unknown; write pdo=20,base=600,odds=50, pdo and odds above 0",
            "--points: pdo is 0; write pdo=20,base=600,odds=50, pdo and odds above 0",
            "--lost: is missing; an LGD needs both columns",
            "--strength: the penalty flic has no strength; leave it out, or say ridge",
            "t.csv, x: is constant: it can explain nothing; leave the variable out",
        ),
    ),
    "bounds and folds": (
        LOGIT + " --bounds A=0,A=5%,B=90% --folds 40",
        SOUND,
        nothing,
        (
            "--bounds: A stands twice; name each grade once",
            "--bounds: the last bound is 0.9; the last grade ends at 1",
            "--folds: 38 rows have 0, 40 folds need as many; use fewer",
            "--folds: 22 rows have 1, 40 folds need as many; use fewer",
        ),
    ),
    "rules": (
        RATING.replace("a,b", "a,a"),
        '{"rules": [{"name": "x", "kind": "up"},\n {"name": "y", "kind": "interval", "interval": [2, '
        '1]},\n {"name": "kind", "kind": "qualitative", "scores": {"u": 1}}, {"name": "kind", "kind": '
        '"qualitative"},\n {"name": "lent", "kind": "positive"}]}',
        cells(lent={4: None}),
        (
            "--classes: 'a', 'a' are no classes; name two or more, each once",
            "d.json, line 1, rules[x].kind: expected one of positive, negative, interval, qualitative, "
            "found 'up'; write one of them",
            "d.json, line 2, rules[y].interval: [2, 1] does not rise; write [1, 2]",
            'd.json, line 3, rules[#4]: needs a table of scores; add "scores": {"text": 0.5}, each '
            "from 0 to 1",
            "d.json, line 3, rules[#4].name: kind is declared twice, first as rules[#3]; keep one of the two",
            "t.csv, row 4, lent: is empty; write an amount, 0 or more",
            "t.csv, lent: is constant: it tells no firm from another; leave it out",
        ),
    ),
    "rules that a table does not fit": (
        RATING,
        '{"rules": [{"name": "lent", "kind": "positive"}, {"name": "x", "kind": "interval", '
        '"interval": [-9, 9]},\n {"name": "kind", "kind": "qualitative", "scores": {"u": 1}}, '
        '{"name": "yy", "kind": "negative"}]}',
        nothing,
        (
            "t.csv, lent: is constant: it tells no firm from another; leave it out",
            "t.csv, x: every value lies in the interval [-9, 9]; narrow the interval or leave the "
            "indicator out",
            "t.csv, row 3, kind: 'v' has no score, in 24 rows: 3, 4, 5, 7, 12, ...; add it to the "
            "table, which has u",
            "t.csv, yy: the column is missing; did you mean y?",
        ),
    ),
    "an LGD both ways with bins": (
        LGD + " --by kind --variables d.json",
        '{"variables": [{"name": "x", "bins": {}}, {"name": "lent"}, {"name": "gone"}]}',
        cells(lent={1: "many"}),
        (
            "--by, --variables: both or none is given; name segments, or variables",
            "d.json, line 1, variables[x].bins: bins are of defaults, not of losses; leave them out",
            "d.json, line 1, variables[gone]: gone would tell the outcome: it is what the fit is to "
            "foretell; leave it out; under leaks, the fit says what it would be worth",
            "t.csv, row 1, lent: 'many' is no number; write plain numbers",
        ),
    ),
    "an LGD of nothing": (
        LGD,
        SOUND,
        cells(bad={2: 7}),
        (
            "--by, --variables: both or none is given; name segments, or variables",
            "t.csv, row 2, bad: 7 is no outcome; write 1 for a default, 0 for none",
        ),
    ),
    "offers": (
        CHURN + " --name a/b",
        SOUND,
        offers,
        (
            "--name: 'a/b' is no name of a file; use letters, digits, - and _; --out names the folder",
            "t.csv, row 1, A: 2 is out of range; churn is a fraction from 0 to 1",
            "t.csv, B: fewer than 3 rates; a curve needs more",
            "t.csv, rate: a rate stands twice; one row per rate",
        ),
    ),
    "offers of which much is wrong": (
        CHURN,
        SOUND,
        all_of(
            without("y", "day", "bad", "lent", "gone"),
            every(
                rate=[0.04, None, 1.5, *[0.05] * 57],
                left=[1, 0, 2, *[0] * 57],
                grade=["A", "A", "A", None, "B", "b", *["C"] * 54],
            ),
        ),
        (
            "t.csv, row 3, rate: 1.5 is out of range; rates are fractions between 0 and 1",
            "t.csv, row 2, rate: is empty; rates are fractions between 0 and 1",
            "t.csv, row 3, left: 2 is out of range; write 1 for a customer who left, 0 for one who stayed",
            "t.csv, row 4, grade: is empty; every offer has a grade",
            "t.csv, grade: 'b' is a value of its own: it differs from 'B' by capitals; write one the same "
            "way everywhere",
            "t.csv, B: fewer than 3 rates; a curve needs more",
            "t.csv, b: fewer than 3 rates; a curve needs more",
            "t.csv, C: fewer than 3 rates; a curve needs more",
        ),
    ),
    "offers whose columns are misspelt": (
        CHURN,
        SOUND,
        every(rte=0.05, lft=1, grade="A"),
        (
            "t.csv: lacks the column rate; did you mean rte?",
            "t.csv: lacks the column left; did you mean lft?",
        ),
    ),
    "judgements": (
        "fit ahp d.json --name a/b --out out",
        '{"criteria": {"items": ["a", "b", "c"], "rows": [\n [1, 2, "x"],\n [1, 1, true],\n [3, 4]]},\n '
        '"alternatives": {"items": ["A", "B"], "rows": {\n "a": [[1, 2], [2, 1]],\n "cc": [[1, 0], [null, '
        '1]],\n "b": 3}}, "nam": "x"}',
        nothing,
        (
            "--name: 'a/b' is no name of a file; use letters, digits, - and _; --out names the folder",
            "d.json, line 8, alternatives.rows.b: expected a list, each a list, found 3; write it in square "
            "brackets: [..., ...]",
            "d.json, line 8, nam: unknown key 'nam'; did you mean name?",
            "d.json, line 4, criteria: is not 3 x 3; give 3 rows of 3 numbers, one an item",
            "d.json, line 2, criteria[a, c]: 'x' is no judgement; write a number from 1/1000 to 1000 or a "
            "fraction, 1/4",
            "d.json, line 3, criteria[b, c]: true is no judgement; write a number from 1/1000 to 1000 or a "
            "fraction, 1/4",
            "d.json, line 2, criteria[a, b]: is not reciprocal: 2 one way and 1 the other; write 1/2 the "
            "other way",
            "d.json, line 6, a[A, B]: is not reciprocal: 2 one way and 2 the other; write 1/2 the other way",
            "d.json, line 7, cc[A, B]: 0 is no judgement; write a number from 1/1000 to 1000 or a fraction, "
            "1/4",
            "d.json, line 7, cc[B, A]: nothing is no judgement; write a number from 1/1000 to 1000 or a "
            "fraction, 1/4",
            "d.json, line 5, c: has no judgement for the criterion c; give one matrix a criterion",
            "d.json, line 7, cc: is no criterion; did you mean c?",
        ),
    ),
    "invoices and firms to learn grades from": (
        GRADE + " --name a/b",
        {
            "in.csv": INVOICES.replace("20,1", "x,1").replace("2019-01-05,K1,30", "spring,K1,30"),
            "out.csv": INVOICES.replace("total", "totl"),
            "firms.csv": FIRMS.replace("E2,B,1", "E1,Q,maybe"),
        },
        nothing,
        (
            "--name: 'a/b' is no name of a file; use letters, digits, - and _; --out names the folder",
            "firms.csv, row 2, enterprise_id: 'E1' stands twice; give one row per firm",
            "firms.csv, row 2, rating: 'Q' is no grade; the grades are A, B, C, D",
            "firms.csv, row 2, default: 'maybe' says neither yes nor no; write 1 or 0 (or 是, 否)",
            "in.csv, row 3, date: 'spring' is no date; write dates as 2019-03-01, of 1950 to 2100",
            "in.csv, row 2, amount: 'x' is no amount; amounts are plain numbers, 1234.56, up to 1e+15",
            "out.csv: lacks the column total; invoice files have enterprise_id, invoice_no, date, "
            "counterparty_id, amount, tax, total, valid (or the official Chinese headers)",
        ),
    ),
    "too few firms to learn grades from": (
        GRADE,
        {"in.csv": INVOICES, "out.csv": INVOICES, "firms.csv": FIRMS.replace("default", "dft")},
        nothing,
        (
            "firms.csv: lacks the column default; rated firms have both",
            "no firm has the grade D; give firms of every grade, or fit fewer grades",
            "--folds: 1 row has A, 2 folds need as many; use fewer",
            "--folds: 1 row has B, 2 folds need as many; use fewer",
            "--folds: 1 row has C, 2 folds need as many; use fewer",
            "firms.csv, enterprise_id: no valid sales invoice of the rated firm E3; leave it out, or check "
            "the firms' names",
        ),
    ),
    "one direction and no ratings": (
        "fit grade --purchases in.csv --out out",
        {"in.csv": INVOICES.replace("true", "yes")},
        nothing,
        (
            "invoices: one direction is missing; name purchases and sales, or a workbook",
            "in.csv, row 1, valid: 'yes' is no invoice status, in 3 rows: 1, 2, 3; write true or false (or "
            "有效发票, 作废发票)",
            "ratings: no rated firms are named; give a table of them, or an official workbook",
        ),
    ),
    "invoices to be scored by a damaged card": (
        SCORE_INVOICES + " --intervals --out scored.txt",
        {
            "in.csv": INVOICES.replace("20,1", "x,1"),
            "out.csv": INVOICES,
            "firms.csv": FIRMS.replace("B", "Z"),
            "card.json": GRADE_CARD.replace('0.5, "B"', '2, "B"').replace('"ranges"', '"rngs"'),
        },
        nothing,
        (
            "scored.txt: no format for the ending .txt; let it end in .csv or .parquet or .xlsx",
            "--intervals: grades of invoices have no intervals; leave it out",
            "card.json, line 1, frequency.A: expected a number from 0 to 1, found 2; fit it again, or "
            "restore the file",
            "card.json, line 2, rngs: unknown key 'rngs'; fit it again, or restore the file",
            "firms.csv, row 2, rating: 'Z' is no grade; the grades are A, B, C, D",
            "in.csv, row 2, amount: 'x' is no amount; amounts are plain numbers, 1234.56, up to 1e+15",
        ),
    ),
    "invoices to be scored by a logit": (
        SCORE_INVOICES,
        {
            "in.csv": INVOICES.replace("20,1", "x,1"),
            "out.csv": INVOICES,
            "firms.csv": FIRMS.replace("E2", "E1"),
            "card.json": card(),
        },
        nothing,
        (
            "scorecard: grades no invoices; name a file of `allocator fit grade`",
            "firms.csv, row 2, enterprise_id: 'E1' stands twice; give one row per firm",
            "in.csv, row 2, amount: 'x' is no amount; amounts are plain numbers, 1234.56, up to 1e+15",
        ),
    ),
    "a scenario to be scored": (
        "score case.yaml --out scored.csv --was grade",
        {"case.yaml": CASE.replace("budget", "bugdet"), "churn.csv": "rate,A,B\n0.04,0,0\n"},
        nothing,
        (
            "--was: needs a table of borrowers; name one as FILE",
            "case.yaml, line 2, portfolio.scorecard: card.json does not exist; check the path, which starts "
            "from .",
            "case.yaml, line 4, policy.budget: the key is missing; add `budget: {...}`",
            "case.yaml, line 5, policy.bugdet: unknown key 'bugdet'; did you mean budget?",
        ),
    ),
    "a damaged card of a scenario to be scored": (
        "score case.yaml --out scored.txt",
        {"case.yaml": CASE, "churn.csv": "rate,A,B\n0.04,0,0\n", "card.json": card(n="many")},
        nothing,
        (
            "scored.txt: no format for the ending .txt; let it end in .csv or .parquet or .xlsx",
            "./card.json, line 1, n: expected a whole number, found 'many'; fit it again, or restore the "
            "file",
        ),
    ),
    "variables that separate, and too many folds": (
        LOGIT + " --penalty none --folds 40",
        '{"variables": [{"name": "s"}, {"name": "r"}, {"name": "y"}]}',
        lambda frame: [
            frame.insert(0, "s", 2 * frame["bad"] + 0.1 * frame["x"]),
            frame.insert(0, "r", 0.2 * frame["y"] - 3 * frame["bad"]),
        ],
        (
            "--folds: 38 rows have 0, 40 folds need as many; use fewer",
            "--folds: 22 rows have 1, 40 folds need as many; use fewer",
            "t.csv, s: defaults are separated perfectly by it; use penalty flic, firth or ridge, or leave it "
            "out",
            "t.csv, r: defaults are separated perfectly by it; use penalty flic, firth or ridge, or leave it "
            "out",
        ),
    ),
    "variables that go against their signs": (
        LOGIT + " --choose signs",
        '{"variables": [{"name": "x", "sign": -1}, {"name": "y", "sign": -1}]}',
        nothing,
        (
            "t.csv, x: goes against the sign that is declared for it, as every variable does; look at the "
            "declared sign",
            "t.csv, y: goes against the sign that is declared for it, as every variable does; look at the "
            "declared sign",
        ),
    ),
    "classes and folds that cannot be had": (
        RATING.replace("a,b", "a,b,c,d,e,f,g") + " --folds 30 --name a/b",
        '{"rules": [{"name": "x", "kind": "negative"}, {"name": "y", "kind": "negative"}]}',
        nothing,
        (
            "--name: 'a/b' is no name of a file; use letters, digits, - and _; --out names the folder",
            "--folds: 22 rows have 1, 30 folds need as many; use fewer",
            "t.csv, --classes: no cut into 7 classes of 1 or more has strictly rising loss rates; ask for 3 "
            "classes or fewer, or allow smaller ones",
        ),
    ),
    "rules that point the wrong way": (
        RATING,
        '{"rules": [{"name": "x", "kind": "positive"}, {"name": "y", "kind": "positive"}]}',
        nothing,
        (
            "t.csv, x: no indicator tells defaults from the rest, this one: defaulted firms score no lower: "
            "the rule points the wrong way here; give another indicator, or check its direction",
            "t.csv, y: no indicator tells defaults from the rest, this one: defaulted firms score no lower: "
            "the rule points the wrong way here; give another indicator, or check its direction",
        ),
    ),
    "a picture and columns of money beside a damaged card": (
        VALIDATE + " --plot p.png --by kidn --owed lent",
        card(n="many"),
        cells(bad={3: "x"}),
        (
            "--lost: is missing; an LGD needs both columns",
            "--by, --plot: are of PDs; leave them out of an LGD",
            "p.png: no format for the ending .png; let it end in .svg",
            "card.json, line 1, n: expected a whole number, found 'many'; fit it again, or restore the file",
            "t.csv, row 3, bad: 'x' is no outcome; write 1 for a default, 0 for none",
            "t.csv, kidn: the column is missing; did you mean kind?",
        ),
    ),
    "a card of which much is wrong": (
        SCORE + " --was before",
        card(n="many", strength=-1, more=1, variables=[{"name": "x", "scale": 0}, {"name": "late"}]),
        nothing,
        (
            "card.json, line 1, variables[x].scale: expected a number above 0, found 0; fit it again, "
            "or restore the file",
            "card.json, line 1, strength: expected a number of at least 0, found -1; fit it again, or "
            "restore the file",
            "card.json, line 1, n: expected a whole number, found 'many'; fit it again, or restore the file",
            "card.json, line 1, more: unknown key 'more'; fit it again, or restore the file",
            "t.csv, --was: lacks the column before; name the grades before",
        ),
    ),
    "a table that lacks what a card reads": (
        SCORE + " --was befor --reasons 2",
        card(),
        all_of(without("day"), every(before="A"), cells(x={3: "n/a", 4: "-"})),
        (
            "t.csv, --was: lacks the column befor; did you mean before?",
            "t.csv, day: the column is missing, late is derived from it; add the column",
            "t.csv, row 3, x: 'n/a' is no number; write plain numbers",
            "t.csv, row 4, x: '-' is no number; write plain numbers",
            "t.csv, --reasons: the scorecard does not keep the average borrower; fit it again, or leave it "
            "out",
        ),
    ),
    "a table to be judged": (
        VALIDATE + " --by kidn",
        card(),
        all_of(without("day"), cells(bad={3: "x", 4: None, 5: 3}, x={6: "inf"})),
        (
            "t.csv, row 3, bad: 'x' is no outcome; write 1 for a default, 0 for none",
            "t.csv, row 5, bad: '3' is no outcome; write 1 for a default, 0 for none",
            "t.csv, row 4, bad: is empty; write 1 or 0, or leave such rows out: a fit does by "
            "--without COLUMN",
            "t.csv, kidn: the column is missing; did you mean kind?",
            "t.csv, day: the column is missing, late is derived from it; add the column",
            "t.csv, row 6, x: is infinite; leave the cell empty where nothing is known",
        ),
    ),
    "no default to be judged by": (
        VALIDATE + " --by kidn",
        card(),
        every(bad=0),
        (
            "t.csv, bad: no row is a default; give rows of both kinds: 1 for a default, 0 for none",
            "t.csv, kidn: the column is missing; did you mean kind?",
        ),
    ),
    "an order to recalibrate": (
        RECALIBRATE + " --outcome bda --to 0.1 --keep-slope --isotonic",
        card(),
        without("day"),
        (
            "--outcome: one of --outcome and --to is needed; give one of them",
            "--keep-slope: a rate changes the intercept alone anyway; leave it out",
            "--isotonic: steps are sought by outcomes alone; leave it or the other out",
            "t.csv, bda: lacks the column bda; did you mean bad?",
            "t.csv, day: the column is missing, late is derived from it; add the column",
        ),
    ),
    "a card that is none": (
        EXPORT.replace(".sql", ".txt"),
        card(kind="logits"),
        nothing,
        (
            "q.txt: no format for the ending .txt; let it end in .sql or .csv",
            "card.json, line 1, kind: its kind is 'logits'; did you mean logit?",
        ),
    ),
    "a card to be exported": (
        EXPORT,
        card(covariance=[[1.0]], penalty="lasso"),
        nothing,
        (
            "card.json, line 1, penalty: expected one of none, firth, flic, ridge, found 'lasso'; fit "
            "it again, or restore the file",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_fault_is_told_at_once_word_by_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allocator: Allocator
) -> None:
    order, text, change, told = CASES[name]
    monkeypatch.chdir(tmp_path)
    frame = _table()
    change(frame)
    frame.to_csv("t.csv", index=False)
    named = "card.json" if "card.json" in order else "d.json"
    for file, content in ({named: text} if isinstance(text, str) else text).items():
        Path(file).write_text(content)
    before = sorted(tmp_path.rglob("*"))
    outcome = allocator(*order.split(), "--json")
    assert outcome.status == 2, outcome.told
    faults = (str(Fault(**fault)) for fault in json.loads(outcome.out)["error"]["faults"])
    assert tuple(fault.replace(str(tmp_path), ".") for fault in faults) == told
    assert "Traceback" not in outcome.told
    assert sorted(tmp_path.rglob("*")) == before


def test_a_whole_acceptance_of_them() -> None:
    assert len(CASES) >= 30
