"""An answer in Python: the record itself, and what the command shows of it."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from allocator.api.words import public_function
from allocator.errors import Fault, InputError
from allocator.report.plain import page_text
from allocator.report.view import View

if TYPE_CHECKING:
    import pandas as pd

    from allocator.report.drawing.files import Picture

Record = TypeVar("Record")
Rows = Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
"""The rows of a table, out of the document of a view."""


class Viewable:
    """What has a view: a page for people, one JSON document, perhaps a picture."""

    @property
    def view(self) -> View:
        raise NotImplementedError

    @property
    def document(self) -> dict[str, Any]:
        """What the command prints with --json: plain values, money in currency units, shares as fractions."""
        return dict(self.view.document())

    @public_function
    def plot(self, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> Picture:
        """The answer as a picture, which a notebook shows; with `path` a file of it too.

        A file ends in .svg, .html, .png or .pdf, needs no network, and is replaced with `force`. Raises
        InputError where there is nothing to draw, for another ending, and for a .png or .pdf where the extra
        `pdf` is not installed.
        """
        draw = self.view.chart
        if draw is None:
            fault = Fault("it has no picture", "print it, or see its table", field="plot")
            raise InputError.of([fault], "picture")
        from allocator.report.drawing.files import ENDINGS, Picture, picture_content

        chart = draw()
        if path is not None:
            from allocator.store.file import bytes_content, require_file, write_files

            place = Path(path)
            require_file(place, ENDINGS, force=force)
            write_files({place: bytes_content(picture_content(chart, place))})
        return Picture(chart)

    def __str__(self) -> str:
        return page_text(self.view.page()).rstrip("\n")

    def _repr_html_(self) -> str:
        """The page for a notebook: text alone, no script and nothing from outside."""
        style = "font-family: monospace; line-height: 1.25; white-space: pre; text-align: left"
        return f'<pre style="{style}">{html.escape(str(self))}</pre>'


@dataclass(frozen=True, repr=False, eq=False)
class Result(Viewable, Generic[Record]):
    """An answer to a question: its record, frozen, and how people see it.

    `print` shows the command's page, `.table` a DataFrame, `.plot()` a picture, `.document` plain values.

    >>> from allocator import frontier
    >>> found = frontier("scenarios/sme-302.yaml", "budget", points=3)
    >>> found.record.limits, list(found.table["funded"])
    (('budget',), [98, 194, 243])
    """

    record: Record
    """What was found, with every figure: see its fields."""
    _show: Callable[[], View]
    """Makes the view; with `_rows` a function of a module, so that an answer goes to another process."""
    _rows: Rows

    @property
    def view(self) -> View:
        return self._show()

    @property
    def table(self) -> pd.DataFrame:
        """The answer's main table, a row for each thing asked about; nested figures have dotted names."""
        import pandas as pd

        return pd.json_normalize([dict(row) for row in self._rows(self.view.document())])

    def __repr__(self) -> str:
        first = next(iter(str(self).splitlines()), "")
        return f"{type(self.record).__name__}({first})"
