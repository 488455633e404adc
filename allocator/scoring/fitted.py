"""Fitted scorecards as data: one JSON file each, with a card in Markdown beside it.

Files are numbered (`name-v1.json`, `name-v2.json`): a scenario that names one never changes its meaning.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from allocator.errors import Fault, InputError, OutputError
from allocator.intake import require_unchanged
from allocator.placed import placing
from allocator.records.frames import File
from allocator.records.misfits import describe, meant
from allocator.scoring.bins import Bins
from allocator.scoring.classes import RatingClass, Scale
from allocator.scoring.declarations import derived_of, rule_of
from allocator.scoring.documents import SCHEMA, fault_at, read_document
from allocator.scoring.grades import GradeScorecard
from allocator.scoring.judgements import WeightsShape
from allocator.scoring.lgd import RegressionLgd, SegmentLgd
from allocator.scoring.lgd_documents import (
    LgdShape,
    regression_document,
    regression_of,
    segments_document,
    segments_of,
)
from allocator.scoring.logit import LogitFit
from allocator.scoring.logit_documents import LogitShape, ReferenceShape
from allocator.scoring.ordinal import OrdinalFit
from allocator.scoring.preparation_documents import (
    column_documents,
    derived_documents,
    preparation_of,
    without_defaults,
)
from allocator.scoring.rating import Rating
from allocator.scoring.rating_documents import GradeShape, RatingShape
from allocator.scoring.reading import faults_located_in
from allocator.scoring.reference import Reference
from allocator.scoring.rules import LearntRule
from allocator.scoring.scorecard import Points, Recalibration, Scorecard, check_bounds
from allocator.scoring.steps import Steps

Fitted = Scorecard | Rating | GradeScorecard | SegmentLgd | RegressionLgd


@dataclass(frozen=True)
class Card:
    """What a reader must know before using a fitted file."""

    title: str
    purpose: str
    data: str
    method: str
    limits: str
    metrics: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, str] = field(default_factory=dict)
    """Training file -> content hash."""
    sections: Sequence[tuple[str, str]] = ()
    """Further headings with their Markdown."""
    weighted: str | None = None
    """The column that rows were weighted by."""

    @property
    def told(self) -> dict[str, Any]:
        """What the fitted file says of its data."""
        weighted = {} if self.weighted is None else {"weighted": self.weighted}
        return {**weighted, "training": dict(self.training)}

    def text(self, version: int, plot: str | None = None) -> str:
        """The card in Markdown, with the picture in the file `plot` beside it."""
        rows = [
            ("Purpose", self.purpose),
            ("Data", self.data),
            ("Method", self.method),
            ("Limits", self.limits),
        ]
        rows += [(name, value) for name, value in self.metrics.items()]
        rows += [("Version", str(version))]
        rows += [(f"Training data {name}", value) for name, value in self.training.items()]
        table = "\n".join(f"| {name} | {value} |" for name, value in rows)
        parts = [f"# {self.title}", f"| | |\n| --- | --- |\n{table}"]
        parts += [f"## {heading}\n\n{body}" for heading, body in self.sections]
        parts += [f"![Reliability]({plot})"] if plot else []
        return "\n\n".join(parts) + "\n"


def markdown(table: Any, digits: int = 4) -> str:
    """A frame as a Markdown table."""
    frame = table.reset_index()

    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if math.isnan(value) else f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:,.0f}"
        return str(value)

    lines = [
        "| " + " | ".join(str(name) for name in frame.columns) + " |",
        "| --- " * len(frame.columns) + "|",
    ]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines)


def check_name(name: str) -> None:
    """Raise InputError unless `name` can begin a file's name."""
    if not re.fullmatch(r"\w[\w.+ -]*", name):
        fault = Fault(
            f"{name!r} is no name of a file",
            "use letters, digits, - and _; --out names the folder",
            field="--name",
        )
        raise InputError.of([fault], "Fit")


def write_fitted(
    folder: Path, name: str, document: Mapping[str, Any], card: Card, extra: Mapping[str, str] | None = None
) -> Path:
    """Write `name-vN.json`, its card and any `extra` files by suffix; N is the next free number.

    Returns the path of the JSON file, the last one put in place: who sees it sees the others. Raises
    InputError for a name that is none, OutputError.
    """
    check_name(name)
    made: list[Path] = []
    aside: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        version = _next_version(folder, name)
        whole = {"schema": SCHEMA, "name": name, "version": version, **document, **card.told}
        text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        path = folder / f"{name}-v{version}.json"
        plot = f"{name}-v{version}.svg" if ".svg" in (extra or {}) else None
        contents = {**(extra or {}), ".md": card.text(version, plot), ".json": text}
        for suffix, content in contents.items():
            aside.append(folder / f".{name}-v{version}{suffix}.{os.getpid()}.part")
            with aside[-1].open("w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        require_unchanged()
        for part, suffix in zip(aside, contents, strict=True):
            with placing(folder / f"{name}-v{version}{suffix}"):
                os.link(part, folder / f"{name}-v{version}{suffix}")  # fails where another fit was faster
                made.append(folder / f"{name}-v{version}{suffix}")
    except OSError as error:
        for written in made:
            written.unlink(missing_ok=True)
        fault = Fault(
            error.strerror or "cannot be written", "name a folder that you may write to", str(folder)
        )
        raise OutputError("the fit was not written", [fault]) from error
    finally:
        for part in aside:
            part.unlink(missing_ok=True)
    return path


def _next_version(folder: Path, name: str) -> int:
    taken = re.compile(re.escape(name) + r"-v(\d+)\.\w+")
    matches = (taken.fullmatch(path.name) for path in folder.iterdir())
    return 1 + max((int(match[1]) for match in matches if match), default=0)


SHAPES: Mapping[str, type[LogitShape] | type[RatingShape] | type[GradeShape] | type[LgdShape]] = {
    "logit": LogitShape,
    "rating": RatingShape,
    "grade": GradeShape,
    "lgd": LgdShape,
}


class _Kind(BaseModel):
    """Enough of a document to tell what it is."""

    kind: Any = None


def read_fitted(path: File) -> Fitted:
    """Read a scorecard, rating, grade or LGD file.

    Raises InputError: no such file, not JSON, an unknown kind or schema, or every fault of its shape.
    """
    remedy = "fit it again, or restore the file"
    kind = read_document(path, _Kind, "give a file that fit wrote").kind
    known = SHAPES.get(kind) if isinstance(kind, str) else None
    if known is None:
        told = "its kind is not told" if kind is None else f"its kind is {describe(kind)}"
        wanted = meant(kind, SHAPES) or f"the kinds are {', '.join(SHAPES)}"
        raise InputError.of([fault_at(path, ("kind",), told, wanted)], str(path))
    shape = read_document(path, known, remedy)
    if isinstance(shape, LogitShape):
        with faults_located_in(path):
            return _scorecard(shape)
    if isinstance(shape, LgdShape):
        return segments_of(shape) if shape.method == "segments" else regression_of(shape)
    return _rating(shape) if isinstance(shape, RatingShape) else _grades(shape)


def no_logit(path: File) -> Fault:
    """What is wrong with a file of another kind, where a PD scorecard's is needed."""
    return fault_at(path, ("kind",), "is no logit", "give a file that fit logit wrote")


def read_weights(path: Path) -> dict[str, float]:
    """The weights of a fitted AHP file, by item, fractions. Raises InputError."""
    return read_document(path, WeightsShape, "give a file that `fit ahp` wrote").weights


def to_document(fitted: Fitted) -> dict[str, Any]:
    """The fitted record as plain JSON values; `read_fitted` gives an equal record back."""
    if isinstance(fitted, Scorecard):
        return _logit_document(fitted)
    if isinstance(fitted, SegmentLgd):
        return segments_document(fitted)
    if isinstance(fitted, RegressionLgd):
        return regression_document(fitted)
    return _rating_document(fitted) if isinstance(fitted, Rating) else _grade_document(fitted)


def _logit_document(card: Scorecard) -> dict[str, Any]:
    fit = card.fit
    return {
        "kind": "logit",
        "derived": derived_documents(card.derived),
        "variables": column_documents(card.preparation),
        "penalty": fit.penalty,
        "strength": fit.strength,
        "coefficients": dict(zip(fit.names, fit.coefficients.tolist(), strict=True)),
        "covariance": fit.covariance.tolist(),
        "log_likelihood": fit.log_likelihood,
        "n": fit.n,
        "events": fit.events,
        "bounds": dict(card.bounds),
        "lgd": card.lgd,
        **({} if card.points is None else {"points": vars(card.points)}),
        **({} if card.means is None else {"means": card.means.tolist()}),
        **({} if card.reference is None else {"reference": _reference_document(card.reference)}),
        **({} if card.recalibrated is None else {"recalibrated": vars(card.recalibrated)}),
        **({} if card.steps is None else {"steps": without_defaults(card.steps)}),
    }


def _scorecard(shape: LogitShape) -> Scorecard:
    fit = LogitFit(
        names=tuple(shape.coefficients),
        coefficients=np.array(list(shape.coefficients.values())),
        covariance=np.array(shape.covariance),
        penalty=shape.penalty,
        strength=shape.strength,
        log_likelihood=shape.log_likelihood,
        n=shape.n,
        events=shape.events,
    )
    derived = tuple(derived_of(derivation) for derivation in shape.derived)
    points = None if shape.points is None else Points(**dict(shape.points))
    means = None if shape.means is None else np.array(shape.means)
    bounds = check_bounds(shape.bounds)
    kept = None if shape.reference is None else _reference(shape.reference)
    done = None if shape.recalibrated is None else Recalibration(**dict(shape.recalibrated))
    steps = None if shape.steps is None else Steps(**dict(shape.steps))
    return Scorecard(
        preparation_of(shape.variables), fit, bounds, shape.lgd, derived, points, means, kept, done, steps
    )


def _reference_document(reference: Reference) -> dict[str, Any]:
    variables = {name: without_defaults(bins) for name, bins in reference.variables.items()}
    return {"pd": without_defaults(reference.pd), "variables": variables}


def _reference(shape: ReferenceShape) -> Reference:
    return Reference(
        Bins(**dict(shape.pd)), {name: Bins(**dict(bins)) for name, bins in shape.variables.items()}
    )


def _rating_document(rating: Rating) -> dict[str, Any]:
    figures = zip(rating.indicators, rating.f_values.tolist(), rating.weights.tolist(), strict=True)
    return {
        "kind": "rating",
        "derived": derived_documents(rating.derived),
        "indicators": [
            without_defaults(indicator.rule)
            | {"low": indicator.low, "high": indicator.high, "fill": indicator.fill}
            | {"cells_missing": indicator.missing, "cells_cut": indicator.cut, "f": f, "weight": weight}
            for indicator, f, weight in figures
        ],
        "classes": [vars(rating_class) for rating_class in rating.scale.classes],
    }


def _rating(shape: RatingShape) -> Rating:
    return Rating(
        tuple(
            LearntRule(
                rule_of(indicator),
                indicator.low,
                indicator.high,
                indicator.fill,
                indicator.cells_missing,
                indicator.cells_cut,
            )
            for indicator in shape.indicators
        ),
        np.array([indicator.weight for indicator in shape.indicators]),
        np.array([indicator.f for indicator in shape.indicators]),
        Scale(tuple(RatingClass(**dict(rating_class)) for rating_class in shape.classes)),
        tuple(derived_of(derivation) for derivation in shape.derived),
    )


def _grade_document(card: GradeScorecard) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": "grade",
        "method": card.method,
        "frequency": dict(zip(card.grades, card.frequency.tolist(), strict=True)),
        "pd_by_grade": dict(zip(card.grades, card.pd_by_grade.tolist(), strict=True)),
    }
    if card.preparation is None or card.fit is None:
        return document | {"ranges": {grade: list(ends) for grade, ends in (card.ranges or {}).items()}}
    return document | {
        "variables": column_documents(card.preparation),
        "slopes": dict(zip(card.fit.names, card.fit.slopes.tolist(), strict=True)),
        "thresholds": card.fit.thresholds.tolist(),
        "strength": card.fit.strength,
    }


def _grades(shape: GradeShape) -> GradeScorecard:
    grades = tuple(shape.frequency)
    frequency, pds = np.array(list(shape.frequency.values())), np.array(list(shape.pd_by_grade.values()))
    if shape.method == "void_ranges":
        return GradeScorecard(shape.method, grades, frequency, pds, ranges=shape.ranges)
    slopes = np.array(list(shape.slopes.values()))
    fit = OrdinalFit(grades, tuple(shape.slopes), slopes, np.array(shape.thresholds), shape.strength)
    return GradeScorecard(shape.method, grades, frequency, pds, preparation_of(shape.variables), fit)
