"""Printed mathematics read back: what each formula of a page comes to for one borrower and rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TERM = re.compile(r"([+-]?) ?([\d.,]*) ?Σ_\{i(?:∈(S\d+(?:\(v\))?))?,k\} ((?:(?! [+-] (?:[\d.,]+ )?Σ).)*)")
_ROW = re.compile(r"^(.*) ([≤≥=]) (\S+)$")
_SYMBOL = re.compile(r"\(|\)|[+-]|[\d.,]+|[a-zA-Zκι]\d*(?:_[a-z]+)?")


def rows_of(page: str) -> dict[str, str]:
    """Name of each limit -> its row, as the Markdown page displays it."""
    return dict(re.findall(r"^\*\*(.+?)\*\*: .*\n\n    (Σ_\{.*)$", page, re.MULTILINE))


def line_of(page: str, left: str) -> str:
    """The right-hand side of the formula for `left`."""
    found = re.search(rf"^    {re.escape(left)} = (.*)$", page, re.MULTILINE)
    return "" if found is None else found[1]


def right_of(row: str) -> tuple[str, str]:
    """Sense and right-hand side."""
    parts = _ROW.match(row)
    assert parts is not None
    return parts[2], parts[3]


def figure(written: str) -> float:
    return float(written.replace(",", ""))


def coefficient(row: str, basis: str, inside: Callable[[str], bool], values: Mapping[str, float]) -> float:
    """Of `basis` (x_ik or z_ik) in a row, for a borrower who is in the sets that `inside` says."""
    matched = _ROW.match(row)
    assert matched is not None
    total = 0.0
    for sign, factor, within, product in _TERM.findall(matched[1].removesuffix(" + s")):
        if product.endswith(basis) and (not within or inside(within)):
            size = figure(factor) if factor else 1.0
            total += (-1 if sign == "-" else 1) * size * value_of(product.removesuffix(basis), values)
    return total


def value_of(formula: str, values: Mapping[str, float]) -> float:
    """A sum of products of symbols side by side; an empty product is 1."""
    text, before = "", ""
    for token in _SYMBOL.findall(formula):
        joins = before and before not in "(+-" and token not in ")+-"
        text += " * " if joins else ""
        text += (
            token if token in "()+-" else repr(figure(token) if token[0].isdigit() else float(values[token]))
        )
        before = token
    return float(eval(text)) if text else 1.0
