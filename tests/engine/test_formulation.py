"""The program in Pyomo: its golden text, and how it becomes arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from allocator.engine.formulation import formulate, translate
from allocator.engine.program import Core
from tests.golden import CASES, as_text, path_of


def tokens(text: str) -> list[str | float]:
    """The words of a program, its numbers to 12 digits: the last bit of a coefficient may differ."""
    return [_token(word) for word in text.split()]


def _token(word: str) -> str | float:
    try:
        return float(f"{float(word):.12g}")
    except ValueError:
        return word


@pytest.mark.parametrize("name", CASES)
def test_the_program_is_the_golden_one(name: str) -> None:
    """`python -m tests.golden` writes it anew."""
    assert tokens(as_text(CASES[name])) == tokens(path_of(name).read_text())


CORE = Core(
    owner=np.array([0, 0, 1]),
    margin=np.array([0.1, 0.2, 0.3]),
    fixed=np.array([1.0, 0.0, -2.0]),
    low=np.array([1.0, 1.0, 2.0]),
    high=np.array([5.0, 5.0, 6.0]),
    must=np.array([False, True]),
    whole=False,
    use_unit=sparse.csr_array(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])),
    use_loan=sparse.csr_array(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])),
    senses=("at_most", "at_most", "at_least"),
    rhs=np.array([8.0, 0.0, 1.5]),
    idle_value=0.01,
    idle_use=1.0,
    idle_room=8.0,
    unit=1.0,
    measure=np.ones(3),
    soft=np.zeros(0, dtype=np.int64),
    relief=np.zeros(0),
    penalty=np.zeros(0),
)


def test_the_arrays_say_what_the_program_says() -> None:
    translated = translate(formulate(CORE))
    program = translated.program
    assert translated.limit[1] == -1, "a limit that no option uses is no row"
    assert translated.limit[[0, 2]].min() >= 0
    cost = np.zeros(7)
    cost[translated.amount], cost[translated.take] = CORE.margin, CORE.fixed
    idle = next(iter(set(range(7)) - {*translated.take, *translated.amount}))
    cost[idle] = 0.01
    np.testing.assert_array_equal(program.cost, cost)
    budget = program.matrix.toarray()[translated.limit[0]]
    assert budget[translated.amount].tolist() == [1.0, 1.0, 1.0]
    assert budget[idle] == 1.0
    assert (program.row_lower[translated.limit[0]], program.row_upper[translated.limit[0]]) == (-np.inf, 8.0)
    least = program.matrix.toarray()[translated.limit[2]]
    sign = -1.0 if program.row_upper[translated.limit[2]] == -1.5 else 1.0
    assert (sign * least[translated.amount]).tolist() == [0.0, 0.5, 0.0]
    assert (sign * least[translated.take]).tolist() == [0.0, 0.0, 1.0]
    assert program.integer[translated.take].all()
    assert not program.integer[translated.amount].any()
    assert program.column_upper[idle] == 8.0


def test_whole_steps_are_whole_columns() -> None:
    translated = translate(formulate(replace(CORE, whole=True)))
    assert translated.program.integer[translated.amount].all()


@pytest.mark.parametrize(
    ("sense", "rhs", "holds"),
    [("at_most", 0.0, True), ("at_most", -1.0, False), ("at_least", 0.0, True), ("at_least", 1.0, False),
     ("exactly", 0.0, True), ("exactly", 1.0, False), ("exactly", -1.0, False)],
)  # fmt: skip
def test_a_limit_that_no_option_uses_is_judged_as_it_stands(sense: str, rhs: float, holds: bool) -> None:
    core = replace(CORE, senses=("at_most", sense, "at_least"), rhs=np.array([-5.0, rhs, 9.0]))
    assert core.empty_rows_hold(1e-9) is holds


def test_a_core_without_options_is_a_program_too() -> None:
    nobody = replace(
        CORE,
        owner=np.zeros(0, dtype=int), margin=np.zeros(0), fixed=np.zeros(0),
        low=np.zeros(0), high=np.zeros(0), must=np.zeros(0, dtype=bool),
        use_unit=sparse.csr_array((3, 0)), use_loan=sparse.csr_array((3, 0)),
    )  # fmt: skip
    program = translate(formulate(nobody)).program
    assert program.matrix.shape == (1, 1)
    assert program.cost.tolist() == [0.01]
