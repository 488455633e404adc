"""What a fit that an analyst orders comes to: a document, its card and what validation says.

How each kind is read, fitted, validated out of fold and described is in a module of its own (`fitting_logit`,
`fitting_rating`, `fitting_lgd`, `fitting_firms`); writing is `fitted.write_fitted`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from allocator.records.estimate import Estimate, figure_text
from allocator.scoring.declarations import Declarations, LeakyVariable
from allocator.scoring.fitted import Card
from allocator.scoring.variables import Variable


@dataclass(frozen=True)
class Fit:
    """A fit, ready to be written."""

    document: dict[str, Any]
    card: Card
    figures: dict[str, Any]
    """What --json prints beside the file's name."""
    tables: Mapping[str, pd.DataFrame]
    """Title -> table, for people; the card shows the same."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Suffix -> text of a file to write beside."""
    reliability: pd.DataFrame | None = None
    """Observed against predicted default rates, which are drawn beside the card."""


def left_out(given: Declarations) -> dict[str, pd.DataFrame]:
    """What no fit may read, and why."""
    if not given.leaks:
        return {}
    why = pd.DataFrame(
        {"why": [leak.why for leak in given.leaks]},
        index=pd.Index([leak.name for leak in given.leaks], name="column"),
    )
    return {"Left out: known only after the decision": why}


def left_lines(left: Mapping[str, int]) -> dict[str, str]:
    """Rows left out by reason, as lines of a card."""
    return {f"left out, {reason}": f"{rows:,} rows" for reason, rows in left.items()}


def joined(entries: Sequence[Variable | LeakyVariable]) -> str:
    """Their names as one word."""
    return "_and_".join(entry.name for entry in entries)


def lines(figures: Mapping[str, Any], where: str) -> dict[str, str]:
    """Figures as the lines of a card, with their 95 % intervals."""
    lines = {}
    for name, value in figures.items():
        title = f"{name.removesuffix('_out_of_fold').replace('_', ' ')}, {where}"
        lines[title] = figure_text(value if isinstance(value, float) else Estimate(**value))
    return lines
