"""Fitted scorecards as data: one JSON file each, with a card in Markdown beside it.

Files are numbered (`name-v1.json`, `name-v2.json`): a scenario that names one never changes its meaning.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from allocator.errors import Fault, InputError, OutputError
from allocator.scoring.classes import RatingClass, Scale
from allocator.scoring.grades import GradeScorecard
from allocator.scoring.logit import LogitFit
from allocator.scoring.ordinal import OrdinalFit
from allocator.scoring.preparation import Column, Preparation, Variable
from allocator.scoring.rating import Rating
from allocator.scoring.rules import Learnt, Rule
from allocator.scoring.scorecard import Scorecard

Fitted = Scorecard | Rating | GradeScorecard
SCHEMA = 1


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

    def text(self, version: int) -> str:
        """The card in Markdown."""
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
        return "\n\n".join(parts) + "\n"


def content_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


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


def write_fitted(
    folder: Path, name: str, document: Mapping[str, Any], card: Card, extra: Mapping[str, str] | None = None
) -> Path:
    """Write `name-vN.json`, its card and any `extra` files by suffix; N is the next free number.

    Returns the path of the JSON file, the last one written. Raises OutputError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        version = 1
        while any((folder / f"{name}-v{version}{suffix}").exists() for suffix in (".json", ".csv", ".md")):
            version += 1
        path = folder / f"{name}-v{version}.json"
        whole = {
            "schema": SCHEMA,
            "name": name,
            "version": version,
            **document,
            "training": dict(card.training),
        }
        text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
        for suffix, content in {**(extra or {}), ".md": card.text(version), ".json": text + "\n"}.items():
            path.with_suffix(suffix).write_text(content, encoding="utf-8")
    except OSError as error:
        fault = Fault(
            error.strerror or "cannot be written", "name a folder that you may write to", str(folder)
        )
        raise OutputError("the fit was not written", [fault]) from error
    return path


def read_fitted(path: Path) -> Fitted:
    """Read a scorecard, rating or grade file.

    Raises InputError: no such file, not JSON, an unknown kind or schema, something missing.
    """
    document = read_document(path)
    readers: dict[str, Callable[[Mapping[str, Any]], Fitted]] = {
        "logit": _scorecard,
        "rating": _rating,
        "grade": _grades,
    }
    kind = document.get("kind")
    if kind not in readers:
        fault = Fault(f"its kind is {kind!r}", f"the kinds are {', '.join(readers)}", str(path), field="kind")
        raise InputError.of([fault], "Fitted file")
    try:
        return readers[kind](document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read: {error}"
        fault = Fault(what, "fit it again, or restore the file", str(path))
        raise InputError.of([fault], "Fitted file") from error


def read_weights(path: Path) -> dict[str, float]:
    """The weights of a fitted AHP file, by item, fractions. Raises InputError."""
    document = read_document(path)
    weights = document.get("weights")
    numbers = isinstance(weights, dict) and all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 1
        for one in weights.values()
    )
    if document.get("kind") != "weights" or not numbers or not weights:
        fault = Fault("holds no weights between 0 and 1", "give a file that `fit ahp` wrote", str(path))
        raise InputError.of([fault], "Fitted file")
    return {str(item): float(one) for item, one in weights.items()}


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object of a file of this schema. Raises InputError."""
    if not path.is_file():
        raise InputError.of(
            [Fault("the file does not exist", "give a file that fit wrote", str(path))], "Fitted file"
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        fault = Fault("is not JSON", "give a file that fit wrote", str(path), line=line)
        raise InputError.of([fault], "Fitted file") from error
    if not isinstance(document, dict) or document.get("schema", SCHEMA) != SCHEMA:
        fault = Fault("is not of this schema", f"fit it again: this version reads schema {SCHEMA}", str(path))
        raise InputError.of([fault], "Fitted file")
    return document


def to_document(fitted: Fitted) -> dict[str, Any]:
    """The fitted record as plain JSON values; `read_fitted` gives an equal record back."""
    if isinstance(fitted, Scorecard):
        return {
            "kind": "logit",
            "variables": _preparation_document(fitted.preparation),
            "penalty": fitted.fit.penalty,
            "strength": fitted.fit.strength,
            "coefficients": dict(zip(fitted.fit.names, fitted.fit.coefficients.tolist(), strict=True)),
            "covariance": fitted.fit.covariance.tolist(),
            "log_likelihood": fitted.fit.log_likelihood,
            "n": fitted.fit.n,
            "events": fitted.fit.events,
            "bounds": dict(fitted.bounds),
            "lgd": fitted.lgd,
        }
    if isinstance(fitted, Rating):
        return {
            "kind": "rating",
            "indicators": [
                _learnt_document(one) | {"f": float(f), "weight": float(w)}
                for one, f, w in zip(fitted.indicators, fitted.f_values, fitted.weights, strict=True)
            ],
            "classes": [vars(one) for one in fitted.scale.classes],
        }
    document: dict[str, Any] = {
        "kind": "grade",
        "method": fitted.method,
        "grades": list(fitted.grades),
        "frequency": fitted.frequency.tolist(),
        "pd_by_grade": fitted.pd_by_grade.tolist(),
    }
    if fitted.ranges is not None:
        document["ranges"] = {grade: list(ends) for grade, ends in fitted.ranges.items()}
    if fitted.preparation is not None and fitted.fit is not None:
        document |= {
            "variables": _preparation_document(fitted.preparation),
            "slopes": dict(zip(fitted.fit.names, fitted.fit.slopes.tolist(), strict=True)),
            "thresholds": fitted.fit.thresholds.tolist(),
            "strength": fitted.fit.strength,
        }
    return document


def _preparation_document(preparation: Preparation) -> list[dict[str, Any]]:
    out = []
    for column in preparation.columns:
        variable = column.variable
        entry: dict[str, Any] = {"name": variable.name, "kind": variable.kind}
        entry |= {"group": variable.group, "sign": variable.sign}
        if variable.kind == "category":
            entry["levels"] = list(column.levels)
        else:
            entry |= {
                "transform": variable.transform,
                "cut": None if variable.cut is None else list(variable.cut),
                "low": None if math.isinf(column.low) else column.low,
                "high": None if math.isinf(column.high) else column.high,
                "fill": column.fill,
                "centre": column.centre,
                "scale": column.scale,
            }
        out.append(entry)
    return out


def _preparation(entries: Sequence[Mapping[str, Any]]) -> Preparation:
    columns = []
    for entry in entries:
        shared = {"group": entry.get("group", ""), "sign": entry.get("sign", 0)}
        if entry["kind"] == "category":
            variable = Variable(entry["name"], "category", **shared)
            columns.append(Column(variable, levels=tuple(entry["levels"])))
            continue
        cut = entry.get("cut")
        variable = Variable(
            entry["name"],
            "number",
            **shared,
            transform=entry.get("transform", "none"),
            cut=None if cut is None else (float(cut[0]), float(cut[1])),
        )
        low, high = entry.get("low"), entry.get("high")
        columns.append(
            Column(
                variable,
                -math.inf if low is None else float(low),
                math.inf if high is None else float(high),
                float(entry["fill"]),
                float(entry["centre"]),
                float(entry["scale"]),
            )
        )
    return Preparation(tuple(columns))


def _scorecard(document: Mapping[str, Any]) -> Scorecard:
    coefficients = document["coefficients"]
    fit = LogitFit(
        names=tuple(coefficients),
        coefficients=np.array(list(coefficients.values()), dtype=float),
        covariance=np.array(document["covariance"], dtype=float),
        penalty=document["penalty"],
        strength=float(document["strength"]),
        log_likelihood=float(document["log_likelihood"]),
        n=int(document["n"]),
        events=int(document["events"]),
    )
    preparation = _preparation(document["variables"])
    if fit.names[1:] != preparation.names:
        raise ValueError("its coefficients are not those of its variables")
    return Scorecard(preparation, fit, document.get("bounds") or {}, document.get("lgd"))


def _learnt_document(one: Learnt) -> dict[str, Any]:
    rule = one.rule
    entry: dict[str, Any] = {"name": rule.name, "layer": rule.layer, "kind": rule.kind, "fill": one.fill}
    if rule.kind == "qualitative":
        return entry | {"scores": dict(rule.scores or {}), "missing": one.missing}
    entry |= {
        "low": one.low,
        "high": one.high,
        "missing": one.missing,
        "cut": one.cut,
        "quantiles": list(rule.cut),
    }
    return entry | ({"interval": list(rule.interval)} if rule.interval is not None else {})


def _rating(document: Mapping[str, Any]) -> Rating:
    indicators = []
    for entry in document["indicators"]:
        interval, quantiles = entry.get("interval"), entry.get("quantiles", (0.01, 0.99))
        rule = Rule(
            entry["name"],
            entry["kind"],
            entry.get("layer", ""),
            None if interval is None else (float(interval[0]), float(interval[1])),
            entry.get("scores"),
            (float(quantiles[0]), float(quantiles[1])),
        )
        ends = (float(entry.get("low", 0)), float(entry.get("high", 1)), float(entry["fill"]))
        indicators.append(Learnt(rule, *ends, entry.get("missing", 0), entry.get("cut", 0)))
    weights = np.array([entry["weight"] for entry in document["indicators"]], dtype=float)
    f_values = np.array([entry["f"] for entry in document["indicators"]], dtype=float)
    scale = Scale(tuple(RatingClass(**one) for one in document["classes"]))
    return Rating(tuple(indicators), weights, f_values, scale)


def _grades(document: Mapping[str, Any]) -> GradeScorecard:
    grades = tuple(document["grades"])
    shared = (
        document["method"],
        grades,
        np.array(document["frequency"], dtype=float),
        np.array(document["pd_by_grade"], dtype=float),
    )
    if document["method"] == "void_ranges":
        ranges = {grade: (float(ends[0]), float(ends[1])) for grade, ends in document["ranges"].items()}
        return GradeScorecard(*shared, ranges=ranges)
    preparation = _preparation(document["variables"])
    slopes = document["slopes"]
    fit = OrdinalFit(
        grades,
        tuple(slopes),
        np.array(list(slopes.values()), dtype=float),
        np.array(document["thresholds"], dtype=float),
        float(document["strength"]),
    )
    return GradeScorecard(*shared, preparation, fit)
