"""What the commands say of a run, a sheet each: rules, swaps, stresses, years, budgets, levers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from allocator.records.workbook import Cell, Column, Kind, Line, Sheet, Table
from allocator.report.committee.figure import Documents

Field = tuple[str, str, Kind]
"""Key of an entry, heading, kind."""


def command_sheets(docs: Documents) -> Iterator[Sheet]:
    """Those of the documents that there are."""
    if "compare" in docs.parts:
        yield Sheet("Alternatives", (_alternatives(docs),))
        yield Sheet("Swaps", (_swaps(docs), (), _swapped(docs)))
    yield Sheet("Stress", (_stress(docs),))
    yield Sheet("Years", tuple(_years(docs)), (44, 18, 18, 18))
    if "frontier" in docs.parts:
        yield Sheet("Budget", (_budget(docs),))
    yield Sheet("Levers", (_levers(docs),))


def _table(entries: Sequence[Mapping[str, Any]], fields: Sequence[Field], name: str | None = None) -> Table:
    columns = [Column(key, heading, kind, [entry.get(key) for entry in entries],
                      width=28 if kind == "text" and i == 0 else None)
               for i, (key, heading, kind) in enumerate(fields)]  # fmt: skip
    return Table(tuple(columns), name)


def _alternatives(docs: Documents) -> Table:
    compared = docs.at("compare", "compared")
    fields: list[Field] = [
        ("name", "Strategy", "text"), ("status", "Status", "text"), ("value", "Value", "money"),
        ("bound", "Bound", "money"), ("funded", "Funded", "count"), ("offered", "Offered", "money"),
        ("drawn", "Drawn", "money"), ("mean_rate", "Rate", "factor"), ("mean_pd", "PD", "share"),
        ("interest", "Interest", "money"), ("expected_loss", "Expected loss", "money"),
    ]  # fmt: skip
    table = _table(compared, fields)
    less = [entry.get("less_than_first") for entry in compared]
    first = compared[0]["value"] if compared else 0.0
    broken = [", ".join(map(str, entry.get("limits_broken", ()))) for entry in compared]
    return Table((
        *table.columns[:3],
        Column("less", "Less than the first", "money", less, "=INDEX(rule_value,1)-[value]"),
        Column("of_first", "Part of it", "share",
               [entry["value"] / first if first else None for entry in compared],
               "=IF(INDEX(rule_value,1)=0,0,[value]/INDEX(rule_value,1))"),
        *table.columns[3:],
        Column("broken", "Limits broken", "text", broken, width=40),
    ), "rule")  # fmt: skip


def _swaps(docs: Documents) -> Table:
    rows = [{"after": pair["after"], **total} for pair in docs.at("compare", "pairs")
            for total in pair["swaps"]["totals"]]  # fmt: skip
    fields: list[Field] = [
        ("after", "In place of the run", "text"), ("kind", "Borrowers who", "text"),
        ("borrowers", "Borrowers", "count"), ("amount_before", "Amount before", "money"),
        ("amount_after", "Amount after", "money"), ("value_before", "Value before", "money"),
        ("value_after", "Value after", "money"),
    ]  # fmt: skip
    table = _table(rows, fields)
    gain = Column("gain", "Gain", "money", [row["gain"] for row in rows], "=[value_after]-[value_before]")
    return Table((*table.columns, gain), None)


def _swapped(docs: Documents) -> Table:
    rows = [{"after": pair["after"], **swap} for pair in docs.at("compare", "pairs")
            for swap in pair["swaps"]["borrowers"]]  # fmt: skip
    fields: list[Field] = [
        ("after", "Largest single ones", "text"), ("borrower_id", "Borrower", "text"),
        ("grade", "Grade", "text"),
        ("pd", "PD", "share"), ("change", "Change", "text"), ("amount_before", "Amount before", "money"),
        ("rate_before", "Rate before", "factor"), ("amount_after", "Amount after", "money"),
        ("rate_after", "Rate after", "factor"), ("value_before", "Value before", "money"),
        ("value_after", "Value after", "money"), ("gain", "Gain", "money"),
    ]  # fmt: skip
    return _table(rows, fields)


def _stress(docs: Documents) -> Table:
    rows = []
    for world in docs.at("stress", "stresses"):
        frozen, again = world["frozen"], world.get("reoptimised") or {}
        rows.append({
            "name": world["name"], "value": frozen["value"], "loss_rate": frozen["loss_rate"],
            "drawn": frozen["drawn"], "broken": ", ".join(map(str, frozen["broken"])),
            "cut": (world.get("cut") or {}).get("amount"), "anew": again.get("value"),
            **(world.get("moved") or {}),
            "anew_funded": again.get("funded"), "anew_offered": again.get("offered"),
            "anew_loss_rate": again.get("loss_rate"), "failure": world.get("failure") or "",
        })  # fmt: skip
    fields: list[Field] = [
        ("name", "Stress", "text"), ("value", "Value as it stands", "money"),
        ("loss_rate", "Loss of drawn", "share"), ("drawn", "Drawn", "money"),
        ("broken", "Limits broken", "text"), ("cut", "To be cut", "money"),
        ("anew", "Value decided anew", "money"), ("anew_funded", "Funded anew", "count"),
        ("anew_offered", "Offered anew", "money"), ("anew_loss_rate", "Loss of drawn anew", "share"),
        ("come", "Come anew", "count"), ("gone", "Gone anew", "count"), ("money", "Amounts move by", "money"),
        ("rates", "Rates that move", "count"), ("rate", "by, on average", "factor"),
        ("failure", "No answer because", "text"),
    ]  # fmt: skip
    return _table(rows, fields)


def _years(docs: Documents) -> Iterator[Line | Table]:
    told = docs.at("simulate")
    edges = docs.at("composition", "years", "edges")
    counts = docs.at("composition", "years", "years")
    yield Table((
        Column("from", "Net of a year from", "money", edges[:-1], width=24),
        Column("to", "to", "money", edges[1:]),
        Column("years", "Years", "count", counts),
        Column("part", "Part of all", "share", [count / told["years"] for count in counts],
               "=[years]/SUM(year_years)"),
    ), "year")  # fmt: skip
    yield ()
    yield (Cell(f"{told['years']:,} years simulated, seed {told['seed']}", "note"),)
    yield (Cell("Net", "title"),)
    yield (Cell("mean"), Cell(told["net"]["mean"], "money"))
    yield (Cell("standard deviation"), Cell(told["net"]["sd"], "money"))
    for level, value in told["net"]["quantiles"].items():
        yield (Cell(f"quantile {float(level):.0%}"), Cell(value, "money"))
    yield (Cell("years that lose money"), Cell(told["below_zero"]["value"], "share"))


def _budget(docs: Documents) -> Table:
    rows = [{**point, "budget": point["at"]["budget"], "one_more": (point.get("slopes") or {}).get("budget"),
             "price": (point.get("prices") or {}).get("budget")}
            for point in docs.at("frontier", "points")]  # fmt: skip
    fields: list[Field] = [
        ("budget", "Budget", "money"), ("status", "Status", "text"), ("value", "Value", "money"),
        ("bound", "Bound", "money"), ("one_more", "One more unit brings", "price"),
        ("price", "Shadow price of the budget", "price"), ("funded", "Funded", "count"),
        ("offered", "Offered", "money"), ("drawn", "Drawn", "money"),
        ("expected_loss", "Expected loss", "money"),
    ]  # fmt: skip
    return _table(rows, fields)


def _levers(docs: Documents) -> Table:
    rows = [{**lever, "solved": "solved" if lever["solved"] else "by prices"}
            for lever in docs.at("levers", "levers")]  # fmt: skip
    fields: list[Field] = [
        ("name", "Change of", "text"), ("change", "From, to", "text"), ("low", "Adds at least", "money"),
        ("high", "Adds at most", "money"), ("solved", "Found", "text"),
    ]  # fmt: skip
    return _table(rows, fields)
