"""A whole scenario as plain numbers: what the generator draws, the front reads and the oracle solves."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Cells = Mapping[str, str]
"""Column -> cell of one borrower, as it stands in the file; an absent or empty cell is missing."""

COLUMNS = (
    "borrower_id",
    "grade",
    "pd",
    "lgd",
    "term_years",
    "min_amount",
    "max_amount",
    "relationship_value",
    "exposure",
    "exclude",
    "min_rate",
    "fixed_amount",
    "fixed_rate",
    "sector",
    "region",
    "score",
    "carbon",
    "flat",
)


@dataclass(frozen=True)
class Book:
    """Policy, churn curve and borrowers; every number a Decimal, so that its text is exact."""

    policy: Mapping[str, Any]
    """`policy` of the scenario file."""
    rates: tuple[Decimal, ...]
    churn: Mapping[str, tuple[Decimal, ...]]
    """Grade -> share that walks away at each of the rates."""
    smoothing: str
    borrowers: tuple[Cells, ...]

    def write(self, folder: Path, time_limit: int = 60) -> Path:
        """The scenario's path in `folder`, its two tables beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "borrowers.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.borrowers)
        with (folder / "churn.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["rate", *self.churn])
            for at, rate in enumerate(self.rates):
                table.writerow([plain(rate), *(plain(curve[at]) for curve in self.churn.values())])
        (folder / "scenario.yaml").write_text(self._text(time_limit), encoding="utf-8")
        return folder / "scenario.yaml"

    def _text(self, time_limit: int) -> str:
        lines = [
            "schema: 1",
            "portfolio: {source: borrowers.csv}",
            f"response: {{churn: churn.csv, smoothing: {self.smoothing}}}",
            "policy:",
        ]
        lines += [f"  {key}: {flow(value)}" for key, value in self.policy.items() if key != "limits"]
        lines += ["  limits:"] if self.policy["limits"] else []
        lines += [f"    - {flow(entry)}" for entry in self.policy["limits"]]
        lines += [f"solver: {{time_limit: {time_limit}, threads: 1}}", ""]
        return "\n".join(lines)


def plain(number: Decimal) -> str:
    """The number in digits alone, without an exponent."""
    return format(number, "f")


def flow(value: Any) -> str:
    """YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(entry) for entry in value) + "]"
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    return text if text.replace("_", "").isalpha() and text != "NO" else f'"{text}"'


def read(path: Path) -> Book:
    """The book of a scenario file of the same few keys."""
    document = _exact(YAML(typ="base").load(path.read_text(encoding="utf-8")))
    source = path.parent / document["portfolio"]["source"]
    with source.open(newline="", encoding="utf-8") as file:
        borrowers = [{key: cell for key, cell in row.items() if cell} for row in csv.DictReader(file)]
    for key, value in document["portfolio"].get("defaults", {}).items():
        borrowers = [{key: value, **row} for row in borrowers]
    with (path.parent / document["response"]["churn"]).open(newline="", encoding="utf-8") as file:
        header, *table = list(csv.reader(file))
    columns = list(zip(*[[Decimal(cell) for cell in row] for row in table], strict=True))
    policy = document["policy"]
    for key in ("step",):
        if policy["ticket"].get(key) in ("null", ""):
            policy["ticket"].pop(key)
    return Book(
        {"limits": [], **policy},
        columns[0],
        dict(zip(header[1:], columns[1:], strict=True)),
        document["response"].get("smoothing", "none"),
        tuple(borrowers),
    )


def _exact(value: Any) -> Any:
    """The document with its texts; numbers stay texts until they are asked for."""
    if isinstance(value, dict):
        return {key: _exact(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_exact(entry) for entry in value]
    return value.replace("_", "") if isinstance(value, str) and value[:1].isdigit() else value
