"""Every error that the allocator raises on purpose, and the exit status of each.

AllocatorError                     1   anything else
├── InputError                     2   what was given is wrong: every fault at once
├── InfeasibleError                3   no allocation meets all limits: the conflict is named
├── NoAllocationError              4   none was found within the time limit
├── CertificateError               5   a recheck did not agree with what is claimed
└── OutputError                    1   the result could not be written: disk full, folder taken
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what it is, and what to do about it.

    `line` counts the lines of a text file from 1; `row` those of a table: in a workbook as the spreadsheet
    counts them, elsewhere from 1 for the first below the header, blank ones counted. `cell` is that of a
    workbook with its sheet, as Borrowers!C7.

    >>> from allocator import Fault
    >>> print(Fault("1.5 is above 1", "write a fraction, 5% as 0.05", file="firms.csv", row=5, field="lgd"))
    firms.csv, row 5, lgd: 1.5 is above 1; write a fraction, 5% as 0.05
    """

    problem: str
    remedy: str
    file: str | None = None
    line: int | None = None
    row: int | None = None
    field: str | None = None
    cell: str | None = None

    @property
    def place(self) -> str:
        """Where the fault stands, in words: `base.yaml, line 4, policy.budget`."""
        parts = [
            self.file,
            f"line {self.line}" if self.line is not None else None,
            f"row {self.row}" if self.row is not None and self.cell is None else None,
            self.cell,
            self.field,
        ]
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.problem}; {self.remedy}"


_NAMED = 5
"""Rows named of those that share a fault."""


def row_count(rows: int) -> str:
    """So many rows, in words."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


def in_rows(rows: Sequence[int]) -> str:
    """What a fault's problem ends with where several rows have it: how many, and the first of them."""
    if len(rows) == 1:
        return ""
    named = ", ".join(map(str, rows[:_NAMED]))
    return f", in {len(rows):,} rows: {named}{', ...' if len(rows) > _NAMED else ''}"


class AllocatorError(Exception):
    """Root of the tree; `code` names the kind of failure in JSON, `exit_status` ends the command.

    `message` says in a line what failed, `faults` each thing that is wrong, and its text is all of it.

    >>> from allocator import AllocatorError, load_run
    >>> try: load_run("nowhere")
    ... except AllocatorError as error: print(error.code, error.exit_status, error.faults[0].remedy)
    bad_input 2 name a folder that solve wrote
    """

    code = "failed"
    exit_status = 1

    def __init__(self, message: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {fault}" for fault in self.faults)])


class InputError(AllocatorError):
    """A scenario, portfolio, curve or argument is wrong.

    >>> from allocator import InputError, load_scenario
    >>> try: load_scenario("scenarios/sme-302.yaml", {"policy.budget": {"amuont": 5e7, "of": "request"}})
    ... except InputError as error: print(error)
    scenarios/sme-302.yaml: 2 faults
      sets, policy.budget.of: expected requests, found 'request'; did you mean requests?
      sets, policy.budget.amuont: unknown key 'amuont'; did you mean amount?
    """

    code = "bad_input"
    exit_status = 2

    @classmethod
    def of(cls, faults: Sequence[Fault], subject: str) -> InputError:
        """The error for `faults` found in `subject`, with their number in its message."""
        number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        return cls(f"{subject}: {number}", faults)


@dataclass(frozen=True)
class NewBound:
    """Another bound for a limit, or another amount for the budget."""

    limit: str
    was: float
    now: float
    share: bool
    """Whether both are fractions; else money, or a count."""

    def __str__(self) -> str:
        verb = "raise" if self.now > self.was else "lower"
        name = "the budget" if self.limit == "budget" else repr(self.limit)
        return f"{verb} {name} from {self._said(self.was)} to {self._said(self.now)}"

    def _said(self, bound: float) -> str:
        return f"{100.0 * bound:,.12g} %" if self.share else f"{bound:,.15g}"


@dataclass(frozen=True)
class Relaxation:
    """Bounds under which an allocation exists: it was found and certified."""

    bounds: tuple[NewBound, ...]
    change: float
    """By how much the bounds move, each relative to itself, added up."""
    value: float
    """What the best allocation found under them is worth, in money."""
    lost: float
    """How much less that is than under the best relaxation shown."""
    gap: float
    """The relative distance of `value` from its proved bound."""
    sets: Mapping[str, float | str | None]
    """The same as settings of a scenario: key as typed after --set, and value."""

    def __str__(self) -> str:
        return " and ".join(map(str, self.bounds))


class InfeasibleError(AllocatorError):
    """No allocation meets every limit.

    `conflicts` are sets of limits that cannot hold together, each without a limit too many; `conflict` is the
    first. `relaxations` say what it would take, the least change first; both are empty where nobody asked.
    `stopped` where the time limit ended the search for them: there may be more.

    >>> from allocator import InfeasibleError, allocate
    >>> many = {"policy.limits": [{"name": "book size", "measure": "loans", "at_least": 300}]}
    >>> try: allocate("scenarios/sme-302.yaml", sets=many)
    ... except InfeasibleError as error: print(error.conflict)
    ('book size',)
    """

    code = "infeasible"
    exit_status = 3

    def __init__(
        self,
        message: str,
        conflict: Sequence[str] = (),
        faults: Iterable[Fault] = (),
        conflicts: Iterable[Sequence[str]] = (),
        relaxations: Iterable[Relaxation] = (),
        *,
        stopped: bool = False,
    ) -> None:
        super().__init__(message, faults)
        self.conflict = tuple(conflict)
        self.conflicts = tuple(map(tuple, conflicts)) or ((self.conflict,) if conflict else ())
        self.relaxations = tuple(relaxations)
        self.stopped = stopped


class NoAllocationError(AllocatorError):
    """The time limit passed, or memory was used up, before any feasible allocation was found.

    `stop` says which: time_limit or memory; exhausted where nothing was left to try.

    >>> from allocator import NoAllocationError
    >>> NoAllocationError.code, NoAllocationError.exit_status
    ('no_allocation', 4)
    """

    code = "no_allocation"
    exit_status = 4

    def __init__(
        self,
        message: str,
        faults: Iterable[Fault] = (),
        *,
        stop: Literal["gap", "time_limit", "memory", "exhausted"] = "exhausted",
    ) -> None:
        super().__init__(message, faults)
        self.stop = stop


class CertificateError(AllocatorError):
    """A recheck of a run did not agree with what the run claims.

    >>> from allocator import CertificateError, allocate, verify
    >>> folder = allocate("scenarios/sme-302.yaml").save("runs/altered", force=True)
    >>> written = (folder / "summary.json").read_text()
    >>> _ = (folder / "summary.json").write_text(written.replace('"funded": 194', '"funded": 195', 1))
    >>> try: verify(folder)
    ... except CertificateError as error: print(error.faults[0])
    summary funded: says 195, the inputs give 194; solve again
    """

    code = "certificate_failed"
    exit_status = 5


class OutputError(AllocatorError):
    """The result could not be written; nothing half-written is left behind.

    >>> from allocator import OutputError
    >>> OutputError.code, OutputError.exit_status
    ('not_written', 1)
    """

    code = "not_written"


def gathering(faults: list[Fault]) -> AbstractContextManager[None, bool]:
    """Add the faults of an InputError raised within to `faults`: what follows may find more."""
    return _Gathering(faults)


@dataclass(frozen=True)
class _Gathering:
    """Says of itself that it may end an error, which types of a generator's context do not."""

    faults: list[Fault]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self.faults.extend(error.faults if isinstance(error, InputError) else ())
        return isinstance(error, InputError)


@contextmanager
def concerning(subject: str) -> Iterator[None]:
    """Have an AllocatorError raised within say whom it is about: its message begins with `subject`."""
    try:
        yield
    except AllocatorError as error:
        if not error.message.startswith(f"{subject}: "):
            error.message = f"{subject}: {error.message}"
        raise
