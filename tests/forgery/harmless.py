"""What may happen to a run and changes nothing that it says."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.forgery.alterations import (
    ALLOCATION,
    CERTIFICATE,
    SCENARIO,
    SUMMARY,
    Alteration,
    Change,
    of,
    row,
    whole,
)
from tests.forgery.runs import Files, next_up

DECIMAL = re.compile(r"([ \[])(-?\d+\.\d+(e[+-]?\d+)?)([,\n\]])")
"""A number with a point in a JSON file, and what stands around it."""


def relaid(file: str, **layout: Any) -> Change:
    """The same JSON in another layout."""
    return whole(file, lambda text: json.dumps(json.loads(text), **layout))


def turned(value: Any) -> Any:
    """The same document with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(entry) for key, entry in reversed(value.items())}
    return [turned(entry) for entry in value] if isinstance(value, list) else value


def backwards(file: str) -> Change:
    return whole(file, lambda text: json.dumps(turned(json.loads(text)), indent=1))


def long_digits(number: str) -> str:
    """Every digit of the double."""
    return format(Decimal(float(number)), "f")


def seventeen(number: str) -> str:
    return f"{float(number):.17g}"


def numbers(change: Any) -> Change:
    """Every number of the allocation written otherwise."""

    def apply(rows: list[list[str]]) -> None:
        for cells in rows[1:]:
            cells[2:-1] = [change(cell) for cell in cells[2:-1]]

    return row(apply)


def columns_turned(rows: list[list[str]]) -> None:
    for cells in rows:
        cells.reverse()


def moved(files: Files) -> None:
    """The whole case at another place."""
    case = files.run.parent
    there = case.parent / "elsewhere" / "deeper" / case.name
    shutil.copytree(case, there)
    shutil.rmtree(case)
    files.run = there / "run"


def renamed(files: Files) -> None:
    files.run = files.run.rename(files.run.with_name("a run of last year"))


def touched(files: Files) -> None:
    for path in [*files.run.iterdir(), *files.run.parent.iterdir()]:
        os.utime(path, (1, 1))


def beside(name: str, text: str = "x") -> Change:
    return lambda files: files.write(name, text)


def raised(change: Callable[[float], float]) -> Change:
    """Every bound as `change` makes it, and what follows from them."""

    def apply(document: Any) -> None:
        tree = document.get("tree", {"nodes": []})
        for node in [document, tree, *tree["nodes"]]:
            if "bound" in node:
                node["bound"] = change(node["bound"])

    return lambda files: files.certificate(apply)


def weaker(files: Files) -> None:
    """A bound and a value that say a little less than they might."""
    raised(lambda bound: bound + abs(bound) * 1e-14)(files)
    files.certificate(lambda document: document.update(value=document["value"] * (1 - 1e-15)))


HARMLESS: list[Alteration] = [
    *of(
        "rich",
        keys_turned_in_the_certificate=backwards(CERTIFICATE),
        keys_turned_in_the_summary=backwards(SUMMARY),
        keys_turned_in_the_scenario=backwards(SCENARIO),
        a_certificate_on_one_line=relaid(CERTIFICATE),
        a_summary_on_one_line=relaid(SUMMARY),
        a_scenario_on_one_line=relaid(SCENARIO),
        a_certificate_without_blanks=relaid(CERTIFICATE, separators=(",", ":")),
        a_summary_of_deep_indents=relaid(SUMMARY, indent=12),
        a_certificate_with_escapes=relaid(CERTIFICATE, ensure_ascii=True),
        returns_in_the_certificate=whole(CERTIFICATE, lambda text: text.replace("\n", "\r\n")),
        returns_in_the_summary=whole(SUMMARY, lambda text: text.replace("\n", "\r\n")),
        tabs_in_the_scenario=whole(SCENARIO, lambda text: text.replace("  ", "\t")),
        empty_lines_behind_the_certificate=whole(CERTIFICATE, lambda text: text + "\n\n \t\n"),
        no_line_end_behind_the_summary=whole(SUMMARY, str.rstrip),
        every_digit_in_the_certificate=whole(CERTIFICATE, lambda text: DECIMAL.sub(_digits, text)),
        every_digit_in_the_summary=whole(SUMMARY, lambda text: DECIMAL.sub(_digits, text)),
        a_whole_number_as_a_decimal=whole(SCENARIO, lambda text: text.replace("2500000", "2500000.0")),
        a_whole_number_with_an_exponent=whole(SCENARIO, lambda text: text.replace("2500000", "25e5")),
        a_0_more_behind_a_decimal=whole(SCENARIO, lambda text: text.replace("0.011", "0.01100")),
        returns_in_the_allocation=whole(ALLOCATION, lambda text: text.replace("\n", "\r\n")),
        empty_lines_behind_the_allocation=whole(ALLOCATION, lambda text: text + "\n\n"),
        no_line_end_behind_the_allocation=whole(ALLOCATION, str.rstrip),
        seventeen_digits=numbers(seventeen),
        every_digit=numbers(long_digits),
        exponents=numbers(lambda cell: f"{float(cell):.17e}"),
        capital_exponents=numbers(lambda cell: f"{float(cell):.17E}"),
        columns_turned=row(columns_turned),
        every_cell_in_quotes=whole(
            ALLOCATION,
            lambda text: "\n".join(_quoted(line) for line in text.splitlines()) + "\n",
        ),
        a_remark_in_the_yaml=lambda files: files.replace(
            "scenario.yaml", "schema: 1", "schema: 1  # a remark"
        ),
        underscores_in_the_yaml=lambda files: files.replace("scenario.yaml", "2500000", "2_500_000"),
        a_note_beside=beside("README.txt"),
        a_report_beside=beside("report.html", "<html></html>"),
        a_hidden_file_beside=beside(".DS_Store"),
        another_log=beside("solver.log", "nothing was said"),
        no_log=lambda files: (files.run / "solver.log").unlink(),
        other_times=touched,
        another_place=moved,
        another_name=renamed,
        other_notes=lambda files: files.edit(
            SUMMARY, lambda document: document["notes"].append("seen by us")
        ),
        other_seconds=lambda files: files.edit(
            SUMMARY, lambda document: document["seconds"].update(total=1.0)
        ),
        other_versions=lambda files: files.edit(
            SUMMARY, lambda document: document["versions"].update(numpy="0")
        ),
        a_bound_one_step_higher=raised(next_up),
        a_bound_and_a_value_that_say_less=weaker,
    ),
    *of("shares", a_bound_and_a_value_that_say_less=weaker, a_bound_one_step_higher=raised(next_up)),
    *of("steps", keys_turned=backwards(CERTIFICATE), another_place=moved),
    *of("stressed", another_place=moved, columns_turned=row(columns_turned)),
    *of("followed", another_place=moved, seventeen_digits=numbers(seventeen)),
    *of("workbook", another_place=moved),
]


def _digits(found: re.Match[str]) -> str:
    return found[1] + long_digits(found[2]) + found[4]


def _quoted(line: str) -> str:
    """A row without commas inside cells, every cell in quotes; a reason in quotes stays as it is."""
    head, quote, tail = line.partition('"')
    cells = head.split(",")
    done = ",".join(f'"{cell}"' for cell in (cells[:-1] if quote else cells))
    return f"{done},{quote}{tail}" if quote else done
