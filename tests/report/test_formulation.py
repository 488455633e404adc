"""A scenario's program in two languages: no name breaks either, and every formula is LaTeX."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from allocator.insight.formulation import Formulation, formulation_of
from allocator.report.formulation.blocks import Sentence, Statement, number
from allocator.report.formulation.latex import math_of
from allocator.report.formulation.markdown import markdown_of
from allocator.report.formulation.statement import statement_of
from allocator.report.formulation.view import written
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import prepared

HOSTILE = r"50% & #1_a^b ~{x} \end{document} $\input{/etc/passwd}$ <b>|*_`" + "\u202e"


@pytest.fixture(scope="module")
def hostile() -> Formulation:
    case = Case(
        portfolio(["A", "A"], max_amount=300_000.0, texts={"sector": [HOSTILE, "[x]"]}, exposure=[0.0, 10.0]),
        churn_table([0.04, 0.08], A=[0.0, 0.3]),
        policy(
            400_000.0,
            limit(HOSTILE, "offered", "at_most", 0.6, of="total", where={"sector": [HOSTILE]}),
            limit("each", "offered", "at_most", 1e5, each="sector"),
            rates={"A": (0.0, 1.0)},
        ),
    )
    ready = prepared(case)
    return formulation_of(replace(ready, scenario=replace(ready.scenario, name=HOSTILE)))


def test_no_name_breaks_the_latex(hostile: Formulation) -> None:
    page = written(hostile, "latex")
    assert page.count(r"\end{document}") == 1
    assert r"\input" not in page.replace(r"\textbackslash{}input", "")
    check_latex(page)


def test_no_name_breaks_the_markdown(hostile: Formulation) -> None:
    page = written(hostile, "markdown")
    assert "\u202e" not in page
    assert "<b>" not in page.replace("\\<b", "")
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_figures_are_what_they_are() -> None:
    figures = (1e8, 0.1, 1e-12, -500.0, 1e17, 0.30000000000000004)
    assert [number(figure) for figure in figures] == [
        "100,000,000", "0.1", "1e-12", "-500", "1e+17", "0.30000000000000004",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        ("Σ_{i∈S1(v),k} x_ik ≤ 40,000", r"\sum_{i\in S_{1}(v),k} x_{ik} \le  40{,}000"),
        ("w1_i κ", r"w_{1,i} \kappa"),
        ("{0, 1}", r"\{0, 1\}"),
        ("1e-12", r"1 \times 10^{-12}"),
    ],
)
def test_a_formula_has_one_reading_in_both_languages(plain: str, latex: str) -> None:
    assert math_of(plain) == latex


def check_latex(page: str) -> None:
    """Braces and environments close in their order; every row of a table has as many cells as its head."""
    bare = re.sub(r"\\[\\&%$#_{}]", "", page)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert not set(bare[bare.index(r"\begin{document}") :]) & set("#%~^<>|") - {"^"}
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", page):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    for columns, body in re.findall(
        r"\\begin\{tabularx\}\{\\linewidth\}\{(\w+)\}\n(.*?)\\end", page, re.DOTALL
    ):
        for row in body.strip().split("\n"):
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1


@pytest.mark.parametrize("width", [60, 80, 100])
def test_words_fold_to_the_terminal_and_a_wide_table_is_a_list(hostile: Formulation, width: int) -> None:
    whole, page = (markdown_of(statement_of(hostile), columns) for columns in (None, width))
    lines = [line for line in page.splitlines() if not line.startswith(("    ", "# "))]
    assert max(map(len, lines)) <= max(width, *(len(word) for line in lines for word in line.split()))
    assert all(line.startswith("- ") for line in lines if re.match(r"(?:[-+*=]|\d+[.)]) ", line))
    prose = [line for line in whole.splitlines() if line and line[0] not in "|# "]
    assert all(line in " ".join(page.split()) for line in map(" ".join, map(str.split, prose)))


def test_no_folded_line_begins_as_an_item_of_a_list_would() -> None:
    words = "what is offered less " + "- 12. + = " * 20 + "and so on"
    page = markdown_of(Statement("t", (Sentence((words,)),)), 40)
    starts = [line.split()[0] for line in page.splitlines()[2:]]
    assert all(start not in {"-", "+", "=", "12."} for start in starts[1:])
