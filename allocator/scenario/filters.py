"""A filter on the command line: what `where` of a limit says, as one text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from allocator.errors import Fault, InputError
from allocator.records.conditions import Condition
from allocator.records.misfits import Misfit
from allocator.records.nodes import Node, Origin
from allocator.scenario.building import condition_of
from allocator.scenario.faults import faults_of
from allocator.scenario.limit_schema import Condition as Test
from allocator.scenario.limit_schema import misfits
from allocator.scenario.quantities import Text
from allocator.scenario.reading import parse
from allocator.scenario.typed import Typed

_EXAMPLE = 'write a column and what passes, as "{sector: [retail, food], pd: {above: 5%}}"'


class FilterEntry(Typed):
    """What --where takes."""

    where: dict[Text, Test]
    """Column: a text, a list of texts, or a range."""


def read_filter(text: str, option: str) -> tuple[Condition, ...]:
    """The conditions in `text`, a YAML mapping as a limit's `where`; the outer braces may be left out.

    Raises InputError with every fault, in terms of `option`.
    """
    faults: list[Fault] = []
    origin = Origin(option, None, Path.cwd())
    tree = parse(text if text.lstrip().startswith("{") else f"{{{text}}}", origin, faults)
    if tree is not None and not tree.entries:
        faults.append(Fault("no column is named", _EXAMPLE, file=option))
    if tree is None or faults:
        raise InputError.of(faults or [Fault("nothing is written", _EXAMPLE, file=option)], option)
    whole = Node({"where": tree}, origin)
    try:
        typed = FilterEntry.model_validate(whole.plain())
    except ValidationError as error:
        raise InputError.of([replace(f, line=None) for f in faults_of(error, whole)], option) from None
    misfitting = [
        (column, misfit) for column, test in typed.where.items() for misfit in misfits(column, test)
    ]
    if misfitting:
        raise InputError.of([_fault(option, column, misfit) for column, misfit in misfitting], option)
    return tuple(condition_of(column, test) for column, test in typed.where.items())


def _fault(option: str, column: str, finding: Misfit) -> Fault:
    return Fault(finding.problem, finding.remedy, file=option, field=column)
