"""The columns that a portfolio has, and where the source keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from allocator.errors import Fault
from allocator.records.columns import CANONICAL
from allocator.records.scenario import PortfolioSource

REQUIRED = ("borrower_id", "grade", "pd", "lgd")


@dataclass(frozen=True)
class MatchedColumns:
    """Which of the wanted columns the source has, and what is wrong with its header."""

    names: dict[str, str]
    """Canonical or further column -> the source's name."""
    faults: tuple[Fault, ...]

    @property
    def source_names(self) -> list[str]:
        """The source's columns to read, each once."""
        return list(dict.fromkeys(self.names.values()))


def match_columns(names: Sequence[str], source: PortfolioSource, further: Iterable[str]) -> MatchedColumns:
    """Find the canonical columns and the `further` ones among `names`, the source's own."""
    needed = {*REQUIRED, *further}
    own_names: dict[str, str] = {}
    faults = [*_near_miss_faults(source, needed)]
    free = [*{_letters(name) for name in names if name not in {*source.columns.values(), *needed}}]
    for name in [*CANONICAL, *sorted(needed - set(CANONICAL))]:
        theirs = source.columns.get(name, name)
        if theirs in names:
            own_names[name] = theirs
        elif name in source.columns or (
            (name in needed or _spells(free, name)) and not _is_given(name, source)
        ):
            faults.append(_missing_column_fault(name, theirs, names, source))
    return MatchedColumns(own_names, tuple(faults))


def _letters(name: str) -> str:
    """A name without what people vary: Max Amount and max_amount are one; neither is to be passed over."""
    return "".join(filter(str.isalnum, name.casefold()))


def _spells(free: Sequence[str], name: str) -> bool:
    """Whether one of the columns that nobody asks for is `name`, but for a slip of the keys."""
    return bool(get_close_matches(_letters(name), free, n=1, cutoff=0.9))


def _is_given(name: str, source: PortfolioSource) -> bool:
    """Whether the source's description stands in for the column."""
    return (name in source.defaults and name != "borrower_id") or (name == "pd" and bool(source.pd_by_grade))


def _missing_column_fault(name: str, theirs: str, names: Sequence[str], source: PortfolioSource) -> Fault:
    """The fault of a column that the source lacks, with the nearest that it has."""
    by_lower = {given.lower(): given for given in names}
    near = get_close_matches(theirs.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        nearest = by_lower[near[0]]
        nearest = nearest if nearest == nearest.strip() else f'"{nearest}"'
        problem = f"no column {theirs}; the nearest is {nearest}"
        remedy = f"rename it or write columns: {{{name}: {nearest}}}"
    else:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        problem = f"no column {theirs}; there are {shown}"
        remedy = f"write columns: {{{name}: its name in the source}}"
    if name not in source.columns and name != "borrower_id":
        remedy += f" or give defaults.{name}"
        remedy += " or pd_by_grade" if name == "pd" else ""
    return Fault(problem, remedy, file=source.label, field=name)


def _near_miss_faults(source: PortfolioSource, needed: set[str]) -> list[Fault]:
    """Keys of `columns` and `defaults` that all but spell a canonical name: they would be passed over."""
    faults = []
    for section, keys in (("columns", source.columns), ("defaults", source.defaults)):
        for key in keys:
            near = get_close_matches(key, CANONICAL, n=1, cutoff=0.9)
            if key not in CANONICAL and key not in needed and near:
                problem = f"no column has this name; the nearest is {near[0]}"
                faults.append(Fault(problem, f"write {near[0]}", field=f"portfolio.{section}.{key}"))
    return faults
