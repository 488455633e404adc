"""A scorecard's life after its fit: judged on new loans, brought to another level, taken elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

from rich.console import RenderableType

from allocator.api.arguments import Within
from allocator.api.results import Result
from allocator.api.scenarios import Document, Table, document_file, file_of
from allocator.api.scoring import Fitted
from allocator.api.words import public_function
from allocator.errors import Fault, InputError, gathering
from allocator.records.estimate import Estimate, figure_text
from allocator.records.frames import File
from allocator.report.frame import frame_table, table_rows
from allocator.report.pictures.reliability import reliability_chart
from allocator.report.plain import Text
from allocator.report.view import View
from allocator.scoring.appraisal import Appraisal, appraisal_of_files
from allocator.scoring.export import exported
from allocator.scoring.fitting_lgd import LgdAppraisal, lgd_appraisal_of_files
from allocator.scoring.recalibration import order_of, recalibrated_from_files
from allocator.store.file import require_file, text_content, write_files

Scorecard = Document | Fitted
"""What a fit gave, the path of its file, or its content."""


@public_function
def validate(
    loans: Table,
    scorecard: Scorecard,
    outcome: str,
    *,
    by: str | Sequence[str] = (),
    owed: str | None = None,
    lost: str | None = None,
    weights: str | None = None,
) -> Result[Appraisal] | Result[LgdAppraisal]:
    """A scorecard judged on loans whose outcomes are known: `allocator validate`.

    loans      (n rows) a DataFrame, or the path of a csv, parquet or xlsx file
    scorecard  what `fit_logit` or `fit_rating` gave, the path of such a file, or its content
    outcome    column that is 1 for a default, 0 for none
    by         columns of periods or segments, each of whose values is judged too
    owed, lost of an LGD of `fit_lgd`: columns of money owed at default and not paid back
    weights    column that says how much a loan counts, above 0; its scale does not matter

    The record has n, defaults, mean_pd (a fraction), figures with 95 % intervals (docs/validation-figures.md)
    and tables; the table has a row for each verdict: docs/scorecard.md.
    Raises InputError with every fault of the loans and the scorecard.

    >>> import numpy as np, pandas as pd
    >>> from allocator import fit_logit, validate
    >>> debt = np.linspace(0, 1, 200)
    >>> firms = pd.DataFrame({"debt": debt, "bad": (np.arange(200) * 7 % 10 < 6 * debt).astype(int)})
    >>> found = validate(firms, fit_logit(firms, ["debt"], "bad"), "bad")
    >>> found.record.defaults, found.table["light"].iloc[0]
    (67, 'green')
    """
    parts = (by,) if isinstance(by, str) else tuple(by)
    if (owed is None) != (lost is None):
        fault = Fault("an LGD needs both columns", "give owed and lost", field="owed, lost")
        raise InputError.of([fault], "validate")
    if owed is not None and lost is not None:
        judged = lgd_appraisal_of_files(
            file_of(loans, "loans"), _file(scorecard), outcome, owed, lost, weights
        )
        return Result(judged, partial(lgd_view, judged), itemgetter("verdicts"))
    record = appraisal_of_files(file_of(loans, "loans"), _file(scorecard), outcome, parts, weights)
    return Result(record, partial(appraisal_view, record), itemgetter("verdicts"))


@public_function
def recalibrate(
    scorecard: Scorecard,
    on: Table,
    why: str,
    *,
    outcome: str | None = None,
    to: float | None = None,
    keep_slope: bool = False,
    isotonic: bool = False,
    margin: Annotated[float, Within(0)] = 0.0,
    weights: str | None = None,
) -> Fitted:
    """A scorecard that ranks as before, at the level of what happened or of a rate: `allocator recalibrate`.

    scorecard  what `fit_logit` gave, the path of such a file, or its content
    on         (n rows) borrowers as a DataFrame or a path, to hold it to
    why        the reason, kept in the new scorecard
    outcome    column that is 1 for a default, 0 for none; or
    to         the mean PD that is wanted, a fraction, without outcomes
    keep_slope change the intercept alone; isotonic: by rising steps in place of the line
    margin     of conservatism, a fraction by which the mean PD is raised further
    weights    column that says how much a row counts, above 0; its scale does not matter

    What is fitted by logit or by pooled violators is in docs/scorecard.md. Raises InputError with the faults
    of the borrowers, and for a ranking that does not hold there.

    >>> import numpy as np, pandas as pd
    >>> from allocator import fit_logit, recalibrate, score
    >>> debt = np.linspace(0, 1, 200)
    >>> firms = pd.DataFrame({"debt": debt, "bad": (np.arange(200) * 7 % 10 < 6 * debt).astype(int)})
    >>> lower = recalibrate(fit_logit(firms, ["debt"], "bad"), firms, "central tendency", to=0.05)
    >>> round(float(score(firms, lower)["pd"].mean()), 6)
    0.05
    """
    order = order_of(why, outcome, to, margin, keep_slope=keep_slope, isotonic=isotonic)
    return Fitted(
        recalibrated_from_files(_file(scorecard), file_of(on, "on"), outcome, order, weights=weights)
    )


@public_function
def export_scorecard(
    scorecard: Scorecard, path: str | os.PathLike[str], *, table: str = "borrowers", force: bool = False
) -> Path:
    """A PD scorecard for other programs: `allocator fit export`.

    scorecard  what `fit_logit` gave, the path of such a file, or its content
    path       a .sql file, a query over `table` that adds PD (a fraction) and score; a .csv file, its terms
    force      replace the file

    Returns the path. Raises InputError for what is no logit, another ending or a file that is there,
    OutputError where writing fails. What the query holds is in docs/scorecard.md.

    >>> import pandas as pd, tempfile
    >>> from allocator import export_scorecard, fit_logit
    >>> firms = pd.DataFrame({"debt": range(60), "bad": [0, 0, 1] * 10 + [0, 1, 1] * 10})
    >>> place = export_scorecard(fit_logit(firms, ["debt"], "bad"), tempfile.mkdtemp() + "/card.sql")
    >>> "scored_pd" in place.read_text()
    True
    """
    place = Path(path)
    faults: list[Fault] = []
    with gathering(faults):
        require_file(place, (".sql", ".csv"), force=force)
    content = exported(_file(scorecard), place.suffix.lower(), table, faults)
    if not isinstance(content, str):
        content = content.to_csv(index=False)
    write_files({place: text_content(content)})
    return place


def _file(scorecard: Scorecard) -> File:
    document = scorecard.document if isinstance(scorecard, Fitted) else scorecard
    return document_file(document, "scorecard")


def appraisal_view(appraisal: Appraisal) -> View:
    """What `validate` shows."""
    return View(
        page=lambda: tuple(_page(appraisal)),
        document=lambda: _document(appraisal),
        chart=lambda: reliability_chart(appraisal.tables["Reliability"], "Reliability"),
    )


def lgd_view(appraisal: LgdAppraisal) -> View:
    """What `validate` shows of an LGD."""
    light = appraisal.verdict
    lines = [f"{appraisal.n:,} defaulted loans", *_weighed(appraisal)[0]]
    lines += [f"{name.replace('_', ' ')}: {figure_text(value)}" for name, value in appraisal.figures.items()]
    lines += ["", f"{light.light:<5}  {light.figure.replace('_', ' ')} {light.value:.4g}", "", light.source]
    tables = [part for title, table in appraisal.tables.items() for part in ("", frame_table(title, table))]
    return View(
        page=lambda: (*map(Text, lines), *tables),
        document=lambda: {
            "defaults": appraisal.n,
            **_weighed(appraisal)[1],
            **_figures(appraisal.figures),
            "verdicts": [vars(light)],
            **table_rows(appraisal.tables),
        },
    )


def _weighed(appraisal: Appraisal | LgdAppraisal) -> tuple[list[str], dict[str, Any]]:
    """What is said of weights: as lines, and in JSON."""
    if appraisal.weighted is None:
        return [], {}
    worth = appraisal.worth or appraisal.n
    line = f"weighted by {appraisal.weighted}: as uncertain as {worth:,.0f} of one weight"
    return [line], {"weighted": {"by": appraisal.weighted, "worth": worth}}


def _figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: vars(value) if isinstance(value, Estimate) else value for name, value in figures.items()}


def _document(appraisal: Appraisal) -> Mapping[str, Any]:
    """Figures with their intervals, verdicts, tables as rows."""
    whole: dict[str, Any] = {
        "loans": appraisal.n,
        "defaults": appraisal.defaults,
        "mean_pd": appraisal.mean_pd,
    }
    if appraisal.weighted is not None:
        whole |= {"default_rate": appraisal.default_rate, **_weighed(appraisal)[1]}
    verdicts = {"verdicts": [vars(verdict) for verdict in appraisal.verdicts]}
    return whole | _figures(appraisal.figures) | verdicts | table_rows(appraisal.tables)


def _page(appraisal: Appraisal) -> Iterator[RenderableType]:
    counted = f"{appraisal.n:,} loans, {appraisal.defaults:,} defaults"
    yield f"{counted}: {appraisal.default_rate:.2%}, foreseen {appraisal.mean_pd:.2%}"
    yield from map(Text, _weighed(appraisal)[0])
    for name, value in appraisal.figures.items():
        yield Text(f"{name.replace('_', ' ')}: {figure_text(value)}")
    yield ""
    for verdict in appraisal.verdicts:
        yield Text(f"{verdict.light:<5}  {verdict.figure.replace('_', ' ')} {verdict.value:.4g}")
    yield ""
    yield from (Text(source) for source in dict.fromkeys(verdict.source for verdict in appraisal.verdicts))
    for title, table in appraisal.tables.items():
        yield ""
        yield frame_table(title, table)
