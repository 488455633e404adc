"""What a command shows of one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import RenderableType

from allocator.records.workbook import Workbook
from allocator.report.drawing.chart import Chart

if TYPE_CHECKING:
    import pandas as pd

Record = TypeVar("Record")


@dataclass(frozen=True)
class View:
    """A record for people, as one JSON object, and as a picture; each is made when it is asked for."""

    page: Callable[[], RenderableType | tuple[RenderableType, ...]]
    """A tuple is shown part by part, its strings as lines that are never folded."""
    document: Callable[[], Mapping[str, Any]]
    chart: Callable[[], Chart] | None = None
    """Draws the view as a chart; None where there is nothing to draw."""
    files: Mapping[Path, str | bytes | pd.DataFrame | Workbook] = field(default_factory=dict)
    """What else was asked for: texts, tables, workbooks, and what is printed."""

    @classmethod
    def of(
        cls,
        record: Record,
        page: Callable[[Record], RenderableType],
        document: Callable[[Record], Mapping[str, Any]],
        chart: Callable[[Record], Chart],
    ) -> View:
        """The view of `record` by the functions that make its parts."""
        return cls(partial(page, record), partial(document, record), partial(chart, record))
