"""Cuts of a limit on the Herfindahl index: a direction over the groups that it counts.

For any s with ||s|| at most 1, HHI at most h implies  sum_g s_g X_g <= sqrt(h) total  (Cauchy-Schwarz), which
is a row like any other: docs/formulation.md, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

HHI = "hhi"
"""The measure that is bounded by cuts."""


CUT_NAME = re.compile(r"([^\[\]]+)\[([1-9][0-9]{0,8})\]")
"""The limit's name, and the number of the cut."""


@dataclass(frozen=True)
class Cut:
    """One row that a limit on the Herfindahl index implies."""

    limit: str
    number: int
    direction: Mapping[str, float]
    """Value of the limit's column -> s, 0 or more; who has another value counts 0."""

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
    found = ((CUT_NAME.fullmatch(name), cut) for name, cut in certificate.get("cuts", {}).items())
    return tuple(Cut(name[1], int(name[2]), cut) for name, cut in found if name is not None)
