"""What is wrong with the rows of a source: counted in full, the first of them in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.records.portfolio import Booleans, Integers

SHOWN = 20
"""How many row faults a message lists; the rest are counted."""


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one column: the first `SHOWN` causes in words, and how many faults there are."""

    count: int
    faults: tuple[Fault, ...]
    """One a cause, at the first row that has it."""


@dataclass(frozen=True)
class Rows:
    """The n data rows of a source, as faults name them."""

    label: str
    """The source's name."""
    number: Integers
    """(n,) row in the source, as `Fault` counts them; ascending."""
    repeated: Booleans
    """(n,) the header again: one fault of its own, no other."""
    letters: Mapping[str, str] = dataclass_field(default_factory=dict)
    """Of a workbook: column -> where its cells are, but for the row: `Borrowers!C`."""

    @classmethod
    def of(cls, label: str, number: Integers, letters: Mapping[str, str] | None = None) -> Rows:
        """The rows of a source none of which is the header again."""
        return cls(label, number, np.zeros(len(number), dtype=bool), letters or {})

    def find(
        self, mask: Booleans, field: str, problem: Callable[[int], str], remedy: str | Callable[[int], str]
    ) -> list[Finding]:
        """The finding for the rows where `mask` (n,) holds; none where it holds nowhere.

        `problem` words the fault of the row at a position from 0, and so may `remedy`. Rows of the same
        words have one cause, and are one fault with their number and the first of them.
        """
        positions = np.flatnonzero(mask & ~self.repeated)
        if not len(positions):
            return []
        causes: dict[str, list[int]] = {}
        messages: dict[str, str] = {}
        others = 0
        for i in positions.tolist():
            words = problem(i)
            if words in causes or len(causes) < SHOWN:
                causes.setdefault(words, []).append(int(self.number[i]))
                messages.setdefault(words, remedy if isinstance(remedy, str) else remedy(i))
            else:
                others += 1
        faults = tuple(
            Fault(
                f"{words}{in_rows(rows)}",
                messages[words],
                file=self.label,
                row=rows[0],
                field=field,
                cell=f"{self.letters[field]}{rows[0]}" if field in self.letters else None,
            )
            for words, rows in causes.items()
        )
        return [Finding(len(causes) + others, faults)]


def raise_faults(label: str, faults: Sequence[Fault], findings: Iterable[Finding]) -> None:
    """Raise one InputError for all faults, those of columns first; nothing where there is none.

    The message counts every fault; of the rows' faults the first `SHOWN` in the source's order are listed.
    """
    findings = tuple(findings)
    of_rows = sorted(
        (fault for finding in findings for fault in finding.faults), key=lambda fault: fault.row or 0
    )
    listed = [*faults, *of_rows[:SHOWN]]
    unlisted = sum(finding.count for finding in findings) - len(of_rows[:SHOWN])
    if unlisted:
        total = len(listed) + unlisted
        raise InputError(f"{label}: {total} faults, {unlisted} of them not listed here", listed)
    if listed:
        raise InputError.of(listed, label)


def quoted(value: object) -> str:
    """A cell as a message shows it: on one line, in quotes, cut off after 40 characters."""
    text = str(value)
    return json.dumps(text if len(text) <= 40 else text[:39] + "…", ensure_ascii=False)
