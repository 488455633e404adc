"""A PD scorecard for other programs: one SQL query, or a table of terms.

The query reads the raw columns and adds `scored_log_odds`, `scored_pd` and, of a scale, `scored_score`: what
`allocator score` gives; of a card with steps also `scored_line`, of which they are taken. It uses CASE, CAST,
NULLIF, EXP, LN, SIGN and ABS alone; numbers are numbers there, levels texts as the card spells them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.frames import File
from allocator.scoring.fitted import no_logit, read_fitted
from allocator.scoring.preparation import LearntColumn
from allocator.scoring.reading import DerivedColumn, faults_located_in
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.terms import terms_of
from allocator.scoring.variables import MISSING, state_name

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
"""A level that a column of fractions may hold too."""


def exported(file: File, ending: str, table: str, earlier: Sequence[Fault] = ()) -> str | pd.DataFrame:
    """The scorecard of a file as a query over `table` (.sql) or as its terms (.csv).

    Raises InputError with its faults, and the `earlier` ones of where it goes.
    """
    faults = [*earlier]
    with gathering(faults):
        card = read_fitted(file)
        if not isinstance(card, Scorecard):
            faults.append(no_logit(file))
    if faults or not isinstance(card, Scorecard):
        raise InputError.of(faults, "fit export")
    with faults_located_in(file):
        return sql_of(card, table) if ending == ".sql" else terms_of(card).reset_index()


def sql_of(card: Scorecard, table: str = "borrowers") -> str:
    """The scorecard as a query over `table`."""
    base = float(terms_of(card)["log_odds"].iloc[0])
    lines = [repr(base), *(_term(column, card.slopes) for column in card.preparation.columns)]
    given = ["1 / (1 + EXP(-scored_log_odds)) AS scored_pd"]
    if card.points is not None:
        given.append(f"{card.points.offset!r} - {card.points.factor!r} * scored_log_odds AS scored_score")
    source = _quoted(table)
    if card.derived:
        made = "".join(f",\n    {_derived(derived)} AS {_quoted(derived.name)}" for derived in card.derived)
        source = f"(\n  SELECT raw.*{made}\n  FROM {source} AS raw\n)"
    total = "\n    + ".join(lines)
    if card.steps is not None:
        pairs = zip(card.steps.cuts, card.steps.log_odds, strict=False)
        cases = "".join(f"\n      WHEN scored_line < {cut!r} THEN {value!r}" for cut, value in pairs)
        stepped = f"CASE{cases}\n      ELSE {card.steps.log_odds[-1]!r} END"
        if not cases:
            stepped = repr(card.steps.log_odds[0])
        source = f"(\n  SELECT lined.*,\n    {total} AS scored_line\n  FROM {source} AS lined\n)"
        total = stepped
    return (
        f"SELECT scored.*, {', '.join(given)}\nFROM (\n  SELECT given.*,\n    {total} AS scored_log_odds\n"
        f"  FROM {source} AS given\n) AS scored;\n"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _cell(name: str) -> str:
    """A cell as a level; an empty text is an empty cell."""
    return f"NULLIF(CAST({_quoted(name)} AS VARCHAR(255)), '')"


def _derived(column: DerivedColumn) -> str:
    source = _quoted(column.column)
    if column.test == "missing":
        return f"CASE WHEN {_cell(column.column)} IS NULL THEN 1 ELSE 0 END"
    if column.test == "above":
        return f"CASE WHEN {source} IS NULL THEN NULL WHEN {source} > {column.value!r} THEN 1 ELSE 0 END"
    yes, no = (1, 0) if column.test == "is" else (0, 1)
    cell = _cell(column.column)
    asked = ", ".join(map(_text, _spellings(column.asked)))
    return f"CASE WHEN {cell} IS NULL THEN NULL WHEN {cell} IN ({asked}) THEN {yes} ELSE {no} END"


def _term(column: LearntColumn, slopes: dict[str, float]) -> str:
    """What a variable adds to the log-odds."""
    name = column.variable.name
    if column.bins is not None:
        return f"CASE{''.join(_bins(column, slopes[name]))} END"
    if column.variable.kind == "category":
        adds = [0.0, *(slopes[key] for key in column.names)]
        whole = zip(column.levels, adds, strict=True)
        cases = [_level_case(name, [level], value) for level, value in whole]
        return f"CASE{''.join(cases)} ELSE {adds[column.levels.index(column.pool)]!r} END"
    return _number(column, slopes)


def _level_case(name: str, levels: Sequence[str], value: float) -> str:
    if list(levels) == [MISSING]:
        return f" WHEN {_cell(name)} IS NULL THEN {value!r}"
    own = (_text(spelling) for level in levels for spelling in _spellings(level))
    return f" WHEN {_cell(name)} IN ({', '.join(own)}) THEN {value!r}"


def _spellings(level: str) -> list[str]:
    """A level as databases cast it to a text: 2 of a column of fractions is 2.0, True is true."""
    if _WHOLE.fullmatch(level):
        return [level, f"{level}.0"]
    return [level, level.lower(), level.upper()] if level in ("True", "False") else [level]


def _bins(column: LearntColumn, slope: float) -> Iterator[str]:
    """The cases of a variable with bins, states first."""
    bins, cell = column.bins, _quoted(column.variable.name)
    if bins is None:
        return
    adds = [slope * weight for weight in bins.woe]
    first = len(adds) - len(bins.states)
    codes = {f"{code:.15g}" for code in column.variable.special}
    for state, value in zip(bins.states, adds[first:], strict=True):
        if state != MISSING:
            yield f" WHEN {cell} = {state} THEN {value!r}"
    empty = adds[first + bins.states.index(MISSING)] if MISSING in bins.states else adds[bins.pool]
    if bins.groups:
        yield f" WHEN {_cell(column.variable.name)} IS NULL THEN {empty!r}"
        for group, value in zip(bins.groups, adds, strict=False):
            yield _level_case(column.variable.name, group, value)
        yield f" ELSE {adds[bins.pool]!r}"
        return
    others = sorted(codes - set(bins.states))
    also = f" OR {cell} IN ({', '.join(others)})" if others else ""
    yield f" WHEN {cell} IS NULL{also} THEN {empty!r}"
    for cut, value in zip(bins.cuts, adds, strict=False):
        yield f" WHEN {cell} < {cut!r} THEN {value!r}"
    yield f" ELSE {adds[len(bins.cuts)]!r}"


def _number(column: LearntColumn, slopes: dict[str, float]) -> str:
    name, cell = column.variable.name, _quoted(column.variable.name)
    codes = [f"{code:.15g}" for code in column.variable.special]
    empty = f"({cell} IS NULL{f' OR {cell} IN ({chr(44).join(codes)})' if codes else ''})"
    value = f"SIGN({cell}) * LN(1 + ABS({cell}))" if column.variable.transform == "log" else cell
    ends = "".join(
        f" WHEN {value} {sign} {end!r} THEN {end!r}"
        for sign, end in (("<", column.low), (">", column.high))
        if math.isfinite(end)
    )
    line = f"{slopes[name]!r} * (CASE WHEN {empty} THEN {column.fill!r}{ends} ELSE {value} END)"
    for flag in column.flags:
        own = [code for code in codes if code in column.flags]
        others = [code for code in codes if code not in own]
        rest = f" OR {cell} IN ({', '.join(others)})" if others else ""
        meets = f"{cell} IS NULL{rest}" if flag == MISSING else f"{cell} = {flag}"
        line += f"\n    + CASE WHEN {meets} THEN {slopes[state_name(name, flag)]!r} ELSE 0 END"
    return line
