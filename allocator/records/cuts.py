"""Cuts of convex limits, which are rows like any other: docs/formulation.md, sections 2 and 6.

For any s with ||s|| at most 1, HHI at most h implies  sum_g s_g X_g <= sqrt(h) total  (Cauchy-Schwarz). For
any weights q of years, none above what it may be among the worst, a mean loss of these of at most b implies
sum_j q_j L_j <= b. For any s from 0 to 1 of sum n at most, the n largest uses of at most b imply
sum_g s_g X_g <= b.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

HHI = "hhi"
"""The measure that is bounded by cuts alone."""


CUT_NAME = re.compile(r"([^\[\]]+)\[([1-9][0-9]{0,8})\]")
"""The limit's name, and the number of the cut."""


def on_what(measure: str, top: int | None = None) -> str:
    """What a convex limit by a measure bounds, in words."""
    if top is not None:
        return f"the {top:,} largest"
    return "a Herfindahl index" if measure == HHI else "the tail loss of several sectors"


def beside_a_list(measure: str, top: int | None = None) -> tuple[str, str]:
    """What is wrong with such a limit where rates are posted, and what to do about it."""
    other = "leave policy.tail.sectors out"
    if measure == HHI or top is not None:
        other = "cap its groups, as each: sector, at_most: 20%, of: total"
    problem = f"a limit on {on_what(measure, top)} does not yet go with a price list"
    return problem, f"write pricing: individual, or {other}"


@dataclass(frozen=True)
class Cut:
    """One row that a convex limit implies."""

    limit: str
    number: int
    direction: Mapping[str, float]
    """Value of the limit's column -> s, or number of a year -> q; 0 or more, and 0 where it is left out."""

    @property
    def name(self) -> str:
        """The row's name."""
        return f"{self.limit}[{self.number}]"

    def column(self, taken: Container[str]) -> str:
        """The column of its weights: the row's name, marked where a column of the borrowers has it."""
        name = self.name
        while name in taken:
            name += "*"
        return name


def cuts_of(certificate: Mapping[str, Any]) -> tuple[Cut, ...]:
    """The cuts that a certificate as JSON states, in their order."""
    matches = ((CUT_NAME.fullmatch(name), cut) for name, cut in certificate.get("cuts", {}).items())
    return tuple(Cut(name[1], int(name[2]), cut) for name, cut in matches if name is not None)
