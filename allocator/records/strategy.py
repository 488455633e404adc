"""How amounts and rates are chosen: the optimum, or a rule to compare it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any, Literal

from allocator.records.frames import File
from allocator.records.plugins import Plugin

NamedRule = Literal["optimal", "ahp_lines", "equal", "by_score", "greedy", "max_interest", "min_loss"]
"""Rules that their name alone says."""
RuleName = str
"""How amounts and rates are chosen: a NamedRule, `file`, or one that another package brings."""
Method = Literal["auto", "exact", "reduced"]


@dataclass(frozen=True)
class Strategy:
    """A rule with what it asks to be told; what another rule asks is left at its default."""

    rule: RuleName = "optimal"
    lines: Mapping[str, float] | None = None
    """ahp_lines: grade -> share of the budget; None: those of the credit strategy study."""
    bands: Mapping[str, tuple[float, float]] | None = None
    """ahp_lines: grade -> lowest and highest rate; None: those of the credit strategy study."""
    weights: Path | None = None
    """ahp_lines: a fitted file of AHP weights, by grade, in the place of `lines`."""
    income: float | None = None
    """min_loss: expected interest wanted; None: `share` of the optimum's."""
    share: float = 0.95
    book: File | None = None
    """file: amounts and rates by borrower_id."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """file: borrower_id, amount or rate -> the file's name for it."""
    plugin: Plugin | None = None
    """The package that brings a rule which is none of ours."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What such a rule is told."""

    @property
    def name(self) -> str:
        """As pages and files show it: the rule, or the file's name."""
        return self.rule if self.book is None else self.book.name

    def files(self) -> dict[str, File]:
        """What is read, by name of the input."""
        named: dict[str, File | None] = {"weights": self.weights, "book": self.book}
        return {key: path for key, path in named.items() if path is not None}


@dataclass(frozen=True)
class SolverSettings:
    method: Method = "auto"
    gap: float = 1e-9
    time_limit: float = 60.0
    """Seconds of wall time."""
    threads: int = 2
    seed: int = 0
    memory: float = inf
    """Bytes that the process may use before the search ends with what it has."""
    briefly: bool = False
    """Whether the first core and the first proof tree of a small book are the last: no key of a scenario, but
    of a what-if that may cost no more than the solve did."""

    asks_whether: bool = False
    """Whether all that is asked is if something fits: then no conflict is named where nothing does, and no
    core is searched long for a first allocation. No key of a scenario, but of a what-if."""

    def lasting(self, seconds: float, least: float = 0.1) -> SolverSettings:
        """The same for a part of a search: with the time that is left to it, at `least` so much."""
        return replace(self, time_limit=max(seconds, least))
