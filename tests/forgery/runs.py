"""The runs that are altered, and the means: what a forger does who knows every formula."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.borrowers import read_inputs
from allocator.certification.certify import recheck_with_proof
from allocator.pipeline import allocate
from allocator.records.cuts import cuts_of
from allocator.records.document import seen_from
from allocator.records.run import Decisions
from allocator.scenario import dump_scenario, load_scenario
from allocator.scenario.places import paths_of
from allocator.store import certificate_to_json, to_json, write_run
from allocator.summary import digest_of, figures
from tests.cases import BORROWERS, CHURN, RICH

CENTS = """\
schema: 1
name: cents
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 2_500_000}
  own_funds: 800_000
  ticket: {min: 100_000, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 50%, of: budget}
    - {name: retail, measure: offered, where: {sector: retail}, at_most: 40%, of: total}
    - {name: one name, measure: offered, each: borrower_id, at_most: 75%, of: own_funds}
    - {name: book, measure: loans, at_most: 7}
    - {name: carbon, measure: drawn, weight: carbon, at_most: 600}
    - {name: heavy, measure: loans, weight: heads, at_most: 14}
solver: {time_limit: 20}
"""
"""Rows of whole cents and of loans, and rows whose tolerance is their own."""

STEPS = """\
schema: 1
name: steps
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 1_730_000}
  ticket: {min: 100_000, max: 600_000, step: 50_000}
  processing_cost: 1500
  rates: {A: [4%, 15%], B: [4%, 15%], C: [4%, 15%]}
  limits:
    - {name: loss rate, measure: expected_loss, at_most: 0.7%, of: drawn}
    - {name: average PD, measure: drawn, weight: pd, at_most: 1.6%, of: drawn}
    - {name: sectors, measure: offered, each: sector, at_most: 35%, of: budget}
    - {name: few, measure: loans, at_most: 6}
solver: {time_limit: 20}
"""
"""Amounts in steps, so that a tree proves the bound, with rows rounded to whole lots."""

SIZED = STEPS.replace("name: steps", "name: sized").replace(
    "step: 50_000", "step: {by_size: [{below: 300_000, step: 30_000}, {step: 75_000}]}"
)
MENUS = STEPS.replace("name: steps", "name: menus").replace(
    "step: 50_000", "menu: {of: requests, amounts: [40%, 70%, 100%]}"
)
"""Amounts by several steps, and a few shares of each request."""

EARNING = """\
schema: 1
name: earning
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45, relationship_value: 900}}
response: {churn: churn.csv}
stresses: {severe: {pd: {all: 8}}, other: {pd: {all: 2}}}
policy:
  budget: {amount: 1_730_000}
  ticket: {min: 100_000, max: 600_000}
  funding_rate: 1%
  churn_cost_rate: 0.1%
  decline_churn: 10%
  processing_cost: 1500
  rates: {A: [4%, 15%], B: [4%, 15%], C: [4%, 15%]}
  limits:
    - {name: earned, measure: value, at_least: 10_000, under: [severe]}
    - name: margin B
      measure: value
      where: {grade: B}
      at_least: 8.45%
      of: {measure: drawn, where: {grade: B}}
solver: {time_limit: 20}
"""
"""A floor on what offers are worth, under a stress too, and on what those to a grade are."""

COUNTED = """\
schema: 1
name: counted
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 1_730_000}
  ticket: {min: 100_000, max: 600_000}
  processing_cost: 1500
  rates: {A: [4%, 15%], B: [4%, 15%]}
  limits:
    - {name: A by number, measure: loans, where: {grade: A}, at_least: 50%, of: loans}
    - name: food beside retail
      measure: loans
      where: {sector: food}
      at_most: 50%
      of: {measure: loans, where: {sector: retail}}
solver: {time_limit: 20}
"""
"""Numbers of loans as shares of all of them, and of those of a sector."""

STRESSED = RICH.replace("name: rich", "name: stressed").replace(
    "at_most: 1.1%, of: drawn}", "at_most: 1.1%, of: drawn, under: [severe, mild]}"
) + (
    "stress:\n  pd: {all: 1.2, where: [{sector: food, factor: 1.5}]}\n  churn: {all: 1.05}\n"
    "  rates: {all: 0.98}\n  funding: {all: 1.1, add: 0.1%}\n"
    "  limits: {all: 1.1, where: [{name: book, factor: 0.5}]}\n  file: factors.csv\n  column: sector\n"
    "stresses:\n  severe: {pd: {all: 1.3, where: [{sector: food, factor: 1.7}]}, lgd: {all: 1.15}}\n"
    "  mild: {pd: {all: 1.05}}\n  other: {churn: {all: 2}}\n"
)
WEIGHTED = STRESSED.replace("name: stressed", "name: weighted").replace(
    "stress:\n", "stress:\n  mean_of: {base: 0.5, severe: 0.3, mild: 0.2}\n", 1
)
"""The same over a mean of stresses."""
WORST = (
    STRESSED.replace("name: stressed", "name: worst")
    .replace("stress:\n", "stress:\n  worst_of: [base, opposite, mild, swapped]\n", 1)
    .replace("time_limit: 20", "time_limit: 600")
) + (
    "  swapped: {pd: {where: [{sector: retail, factor: 4}]}, lgd: {all: 0.9}}\n"
    "  opposite: {pd: {where: [{sector: [food, steel], factor: 4}]}}\n"
)
"""The same in the worst of several stresses."""
FACTORS = "sector,pd,amount\nretail,1.1,0.9\nfood,1.2,0.8\nsteel,1,1\nNO,1.3,0.95\n"

FOLLOWED = RICH.replace("name: rich", "name: followed") + "strategy: {file: book.csv}\n"
BOOK = (
    "borrower_id,amount,rate\nF01,500000,0.05\nF02,700000,0.06\nF04,123456.789,0.07\n"
    "F05,400000,0.05\nF11,450000,0.09\n"
)
"""Amounts and rates that terms and limits do not allow."""

SHARES = """\
schema: 1
name: shares
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 4_000_000}
  ticket: {min: 100_000, max: 600_000}
  idle_rate: 0.5%
  rates: {A: [4%, 11%], B: [6%, 15%], C: [4%, 15%]}
  limits:
    - {name: A share, measure: offered, where: {grade: A}, at_most: 63%, of: total}
    - {name: B share, measure: offered, where: {grade: B}, at_most: 71%, of: total}
    - {name: C share, measure: offered, where: {grade: C}, at_most: 66%, of: total}
    - {name: pins, measure: offered, where: {borrower_id: F12}, at_most: 123456.78}
    - {name: spare, measure: drawn, weight: carbon, at_most: 100_000}
solver: {time_limit: 20}
"""
"""Rows whose prices cancel, and one that a pinned offer fills; the bound is proved by prices alone."""

GROUPS = """\
schema: 1
name: groups
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 1_500_000}
  ticket: {min: 0, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  limits:
    - {name: retail, measure: offered, where: {sector: retail}, at_most: 60%, of: {where: {sector: steel}}}
    - name: food
      measure: drawn
      where: {sector: food}
      at_least: 90%
      of: {measure: drawn, where: {grade: A}}
solver: {time_limit: 20}
"""
"""Shares of what other groups are lent."""

CHANGED = """\
schema: 1
name: changed
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
former: former.csv
policy:
  budget: {amount: 2_500_000}
  ticket: {min: 100_000, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  limits:
    - {name: changes, measure: clients_changed, at_most: 4}
    - {name: lost, measure: clients_changed, where: {former: served}, at_most: 1}
    - {name: money to others, measure: offered, where: {former: [declined, new]}, at_most: 40%, of: total}
    - {name: turnover, measure: money_moved, at_most: 1_000_000, enforce: {soft: 0.01}}
    - {name: A moved, measure: money_moved, where: {grade: A}, at_most: 230_000}
    - {name: book, measure: offered, at_most: 160%, of: former}
    - {name: lost of all, measure: clients_changed, at_most: 100%, of: former}
  changes: {amounts: no_rise}
solver: {time_limit: 20}
"""
FORMER = (
    "borrower_id,amount,rate\nF01,500000,0.05\nF02,400000,0.06\nF03,0,0\nF04,200000,0.07\n"
    "F05,0,0\nF11,450000,0.09\nF99,100000,0.05\n"
)
"""Limits on what changes from a former run, of whom one borrower has gone."""

REPORTED = """\
schema: 1
name: reported
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 2_500_000}
  ticket: {min: 100_000, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  limits:
    - {name: A line, measure: offered, where: {grade: A}, at_most: 50%, of: budget}
    - {name: many, measure: loans, at_least: 13, enforce: report}
    - {name: B line, measure: offered, where: {grade: B}, at_most: 1_250_000, enforce: report}
    - {name: food, measure: drawn, where: {sector: food}, exactly: 90%, of: drawn, enforce: report}
solver: {time_limit: 20}
"""
"""Limits that are only reported: one missed, one kept with no room, one of everybody's money."""

LISTS = (
    CENTS.replace("name: cents", "name: lists")
    .replace(
        "  rates: {A: [4%, 11%], B: [6%, 15%]}\n",
        "  rates: {A: [4%, 15%], B: [4%, 15%]}\n  pricing: monotone\n",
    )
    .replace("at_most: 600}", "at_most: 400}")
)
"""One posted rate a grade, that of B no lower than that of A."""

SEGMENTS = LISTS.replace("name: lists", "name: segments").replace(
    "pricing: monotone",
    "pricing: {per_segment: sector, grades: monotone, groups: {fed: [food, retail, 'NO']}}",
)
"""One posted rate a grade and sector."""

GRID = LISTS.replace("name: lists", "name: grid").replace(
    "pricing: monotone", "pricing: per_grade\n  rate_grid: {step: 3%}"
)
"""One posted rate a grade, of rates in steps."""

_CONDITIONS = (
    "    - {name: C by three, measure: loans, where: {grade: C}, at_least: 3, if_lent_to: {grade: C}}\n"
    "    - {name: B, measure: offered, where: {grade: B}, at_most: 600_000, if_lent_to: {sector: food}}\n"
)
CONDITIONAL = STEPS.replace("name: steps", "name: conditional").replace("solver:", f"{_CONDITIONS}solver:")
"""Limits that must hold if a group is lent anything."""

SOFT = (
    REPORTED.replace("name: reported", "name: soft")
    .replace("at_least: 13, enforce: report", "at_least: 13, enforce: {soft: 900}")
    .replace("at_most: 1_250_000, enforce: report", "at_most: 1_150_000, enforce: {soft: 0.004}")
)
"""Limits that may be missed at a price, two of which are."""

LARGEST = """\
schema: 1
name: largest
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 2_500_000}
  ticket: {min: 0, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  limits:
    - {name: three, measure: offered, top: 3, at_most: 1_200_000}
    - {name: two losses, measure: expected_loss, top: 1, by: sector, at_most: 60%, of: drawn}
"""
"""What the three largest come to, kept by a cut that has a price."""

SECTORS = """\
schema: 1
name: sectors
portfolio: {source: borrowers.csv, defaults: {lgd: 0.45}}
response: {churn: churn.csv}
policy:
  budget: {amount: 2_500_000}
  ticket: {min: 0, max: 600_000}
  rates: {A: [4%, 11%], B: [6%, 15%]}
  tail: {confidence: 95%, correlation: 20%, sectors: {column: sector, between: 5%, nodes: 24}}
  limits:
    - {name: worst, measure: tail_loss, at_most: 2.7%, of: drawn}
    - {name: worst of A, measure: tail_loss, where: {grade: A}, at_most: 5_000}
solver: {time_limit: 20}
"""
"""Tail losses of several sectors, kept by cuts that have prices."""

WORKBOOK = CENTS.replace("name: cents", "name: workbook").replace("borrowers.csv", "borrowers.xlsx")


def columns(borrowers: str) -> str:
    """`borrowers` with two further columns of numbers, and amounts of the pinned offer in steps."""
    header, *rows = borrowers.splitlines()
    more = (f"{row},{(3 + i) * 1e-4!r},{1 + i % 3}" for i, row in enumerate(rows))
    return "\n".join([f"{header},carbon,heads", *more]) + "\n"


def write_case(folder: Path, scenario: str) -> Path:
    """A scenario's path with all that the scenarios here read beside it."""
    folder.mkdir(parents=True)
    stepped = BORROWERS.replace("123456.78", "150000") if scenario == STEPS else BORROWERS
    (folder / "scenario.yaml").write_text(scenario)
    (folder / "borrowers.csv").write_text(columns(stepped))
    rows = [line.split(",") for line in CHURN.splitlines()]
    extended = [[*row, "C" if k == 0 else row[2]] for k, row in enumerate(rows)]
    (folder / "churn.csv").write_text("\n".join(",".join(row) for row in extended) + "\n")
    (folder / "factors.csv").write_text(FACTORS)
    (folder / "book.csv").write_text(BOOK)
    (folder / "former.csv").write_text(FORMER)
    if scenario == WORKBOOK:
        pd.read_csv(folder / "borrowers.csv").to_excel(folder / "borrowers.xlsx", index=False)
    return folder / "scenario.yaml"


def solved(folder: Path, scenario: str, **more: Sequence[str]) -> Path:
    """The run of a scenario, in `folder`/run, beside its inputs; `more` columns have their texts in turn."""
    path, out = write_case(folder, scenario), folder / "run"
    for name, values in more.items():
        head, *rows = (folder / "borrowers.csv").read_text().splitlines()
        lines = [f"{head},{name}", *(f"{row},{values[k % len(values)]}" for k, row in enumerate(rows))]
        (folder / "borrowers.csv").write_text("\n".join(lines) + "\n")
    loaded = load_scenario(path)
    write_run(allocate(loaded), out, scenario_text=dump_scenario(loaded, out), force=False)
    return out


class Files:
    """A run's folder under a forger's hand."""

    def __init__(self, run: Path) -> None:
        self.run = run

    def text(self, file: str) -> str:
        return (self.run / file).read_bytes().decode("utf-8")

    def write(self, file: str, text: str) -> None:
        (self.run / file).write_bytes(text.encode("utf-8"))

    def replace(self, file: str, before: str, after: str, times: int = -1) -> None:
        text = self.text(file)
        assert before in text, before
        self.write(file, text.replace(before, after, times))

    def json(self, file: str) -> Any:
        return json.loads(self.text(file))

    def edit(self, file: str, change: Callable[[Any], None]) -> None:
        """`change` of what a JSON file says."""
        document = self.json(file)
        change(document)
        self.write(file, json.dumps(document, indent=2))

    def certificate(self, change: Callable[[Any], None]) -> None:
        """`change` of the certificate, and of all that follows from it in both files."""
        self.edit("certificate.json", change)
        self.agree()

    def agree(self) -> None:
        """Have gap, largest violation, summary and digest say what the certificate says."""
        certificate, summary = self.json("certificate.json"), self.json("summary.json")
        bound, value = certificate["bound"], certificate["value"]
        certificate["gap"] = max((bound - value) / max(abs(bound), 1.0), 0.0)
        certificate["largest_violation"] = max(one["violation"] for one in certificate["limits"])
        for one in certificate["limits"]:
            one["price"] = certificate["prices"].get(one["name"], one["price"])
        summary |= {"objective": value, "certified_bound": bound, "certified_gap": certificate["gap"]}
        summary |= {
            "bound": bound,
            "gap": certificate["gap"],
            "proof": "tree" if {"tree", "lists"} & certificate.keys() else "prices",
        }
        if summary["status"] != "breaks_limits":
            summary["status"] = "optimal" if summary["gap"] <= 1e-9 else "feasible"
        for told, one in zip(summary["limits"], certificate["limits"], strict=True):
            told |= {key: one[key] for key in ("used", "bound", "price")}
            room = one["bound"] - one["used"]
            told["slack"] = {"at_most": room, "at_least": -room, "exactly": -abs(room)}[one["sense"]]
        self.write("certificate.json", to_json(certificate))
        self.write("summary.json", to_json(summary))
        self.sign()

    def sign(self) -> None:
        """The digest of the scenario and the inputs as they now stand."""
        summary = self.json("summary.json")
        document, inputs = self.json("scenario.json"), self.json("certificate.json")["inputs"]
        self.edit(
            "summary.json",
            lambda summary: summary.update(digest=digest_of(document, paths_of(document), inputs)),
        )
        assert summary

    def scenario(self, before: str, after: str) -> None:
        """The scenario changed in both of its files, and the digest with it."""
        self.replace("scenario.yaml", before, after)
        scenario = load_scenario(self.run / "scenario.yaml")
        self.write("scenario.json", to_json(seen_from(scenario.document, scenario.paths, self.run)))
        self.sign()

    def input(self, name: str, file: str, before: str, after: str) -> None:
        """An input changed, with its hash in the certificate and the digest, but the old allocation."""
        path = self.run.parent / file
        raw = path.read_bytes()
        assert before.encode() in raw
        path.write_bytes(raw.replace(before.encode(), after.encode()))
        hashed = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        self.certificate(lambda certificate: certificate["inputs"].update({name: hashed}))

    def rows(self, change: Callable[[list[list[str]]], None]) -> None:
        """`change` of the allocation's cells, header first."""
        rows = [*csv.reader(io.StringIO(self.text("allocation.csv"), newline=""))]
        change(rows)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.write("allocation.csv", text.getvalue())


def put(entries: Mapping[str, Any], path: str, value: Any, parted: str = ".") -> None:
    """`value` at a path as limits.0.used, its keys `parted` otherwise where they have points."""
    *above, last = path.split(parted)
    at: Any = entries
    for key in above:
        at = at[int(key)] if isinstance(at, list) else at[key]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value


def at(entries: Any, path: str) -> Any:
    for key in path.split("."):
        entries = entries[int(key)] if isinstance(entries, list) else entries[key]
    return entries


def up(value: float) -> float:
    """A millionth more, or a hundredth where there is little."""
    return value + 0.01 if abs(value) < 1e-3 else value + abs(value) * 1e-6


def next_up(value: float) -> float:
    return math.nextafter(value, math.inf)


def decide(files: Files, amounts: Mapping[str, float], rates: Mapping[str, float] | None = None) -> None:
    """Other amounts and rates, with every figure of the run as they give it, and the faults hidden.

    The prices and the tree stay: what they prove does not depend on the decisions.
    """
    scenario, certificate = load_scenario(files.run / "scenario.yaml"), files.json("certificate.json")
    scenario = replace(scenario, policy=replace(scenario.policy, cuts=cuts_of(certificate)))
    inputs = read_inputs(scenario)
    book, rows = inputs.portfolio, files.text("allocation.csv").splitlines()[1:]
    cells = {row.split(",")[0]: row.split(",") for row in rows}
    held = {one: (float(row[2]), float(row[3])) for one, row in cells.items()}
    why = {one: row[-1] for one, row in cells.items()}
    for one, amount in amounts.items():
        held[one] = (amount, (rates or {}).get(one, held[one][1] or (0.04 if cells[one][1] == "A" else 0.06)))
        why[one] = "" if amount else why[one] or "never profitable, whatever the limits"
    ids = book.borrower_id.tolist()
    decisions = Decisions(np.array([held[one][0] for one in ids]), np.array([held[one][1] for one in ids]))
    proofs = certificate.get("tree"), certificate.get("lists")
    outcome, _ = recheck_with_proof(scenario, inputs, decisions, certificate["prices"], *proofs)
    grades = np.array(book.grade.values, dtype=object)[book.grade.codes]
    columns = {name: getattr(outcome.ledger, name) for name in ("amount", "rate", *outcome.ledger.computed)}
    said = np.array([why[one] for one in ids], dtype=object)
    frame = pd.DataFrame({"borrower_id": book.borrower_id, "grade": grades, **columns, "reason": said})
    frame = frame.iloc[np.argsort(book.row, kind="stable")]
    files.write("allocation.csv", frame.to_csv(index=False, lineterminator="\n"))
    summary = files.json("summary.json") | figures(outcome)
    summary |= {"limits_broken": [], "terms_broken": {}}
    summary["limits"] = [{**one, "broken": False} for one in summary["limits"]]
    files.write("summary.json", to_json(summary))
    told = certificate_to_json(outcome.certificate)
    told["limits"] = [{**one, "violation": 0.0} for one in told["limits"]]
    files.write("certificate.json", to_json(told))
    files.agree()


def funded(files: Files) -> dict[str, float]:
    """Amounts of the offers made, by borrower, in the order of the file."""
    rows = [row.split(",") for row in files.text("allocation.csv").splitlines()[1:]]
    return {row[0]: float(row[2]) for row in rows if float(row[2]) > 0}
