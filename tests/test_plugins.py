"""What is said of other packages that are absent, broken, or bring a name twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from allocator import plugins
from allocator.errors import InputError
from allocator.plugins import Plugin, PluginMeasure, PluginSource, absent_plugin_faults, names_of, plugin_of
from allocator.records.scenario import PortfolioSource
from allocator.records.weights import weights_of
from allocator.strategies import Plan
from allocator.strategies.plan import require_plan
from allocator.tables import open_source
from tests.builders import Case, churn_table, policy, portfolio
from tests.stages import prepared
from tests.test_outside import Install, install  # noqa: F401


def test_what_is_installed_is_found_by_its_name(install: Install) -> None:  # noqa: F811
    install()
    assert [names_of(kind) for kind in plugins.GROUPS] == [("doubtful",), ("smallest_first",), ("jsonl",)]
    plugin = plugin_of("measure", "doubtful", ("offered",))
    assert plugin is not None
    assert (plugin.key, plugin.origin) == ("measure doubtful", "acme-lending 1.0")
    assert plugin_of("measure", "offered", ("offered",)) is None


def test_a_name_that_is_brought_twice_is_refused(install: Install) -> None:  # noqa: F811
    install()
    with pytest.raises(InputError, match=r"by the allocator itself and the package acme-lending 1\.0;"):
        plugin_of("measure", "doubtful", ("doubtful",))
    install("other")
    with pytest.raises(InputError, match=r"twice: by the package acme-lending 1\.0 and the package other"):
        plugin_of("measure", "doubtful", ())


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import nothing_there", "failed: ModuleNotFoundError: No module named 'nothing_there'"),
        ("DOUBTFUL = 1", "is a int, expected a PluginMeasure"),
        (
            "from allocator.plugins import PluginMeasure\nDOUBTFUL = PluginMeasure('loans')",
            "failed: ValueError: no basis 'loans', expected one of offered, drawn, interest",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_named(code: str, problem: str, install: Install) -> None:  # noqa: F811
    (install() / "acme" / "measures.py").write_text(code)
    with pytest.raises(InputError) as caught:
        plugin_of("measure", "doubtful", ())
    [fault] = caught.value.faults
    assert fault.problem == f"measure doubtful of the package acme-lending 1.0 {problem}"
    assert fault.remedy.startswith("tell the makers of the package")


def test_a_package_that_is_absent_or_of_another_version_is_asked_for(install: Install) -> None:  # noqa: F811
    assert list(absent_plugin_faults({})) == []
    stated = {"measure doubtful": "acme-lending 1.0"}
    [fault] = absent_plugin_faults(stated)
    assert fault.problem == (
        "the run was made with measure doubtful of the package acme-lending 1.0, which is not installed"
    )
    assert fault.remedy == 'pip install "acme-lending==1.0"'
    install(version="1.1")
    assert [fault.problem.partition("; ")[2] for fault in absent_plugin_faults(stated)] == [
        "here it is of acme-lending 1.1"
    ]


BOOK = portfolio(["A", "B", "A"], pd=[0.01, 0.02, 0.03])


@pytest.mark.parametrize(
    ("weight", "problem"),
    [
        (lambda pd: pd[:2], r"weights of shape \(2,\) for 3 borrowers"),
        (lambda pd: np.where(pd > 0.01, np.nan, pd), "no finite weight of b001"),
        (lambda pd: pd * 1e60, r"a weight beyond 1e\+50"),
        (lambda pd: pd.nothing, "AttributeError"),
    ],
)
def test_weights_that_are_none_are_refused(weight: Callable[..., object], problem: str) -> None:
    plugin = Plugin("measure", "m", "p", "1", PluginMeasure("drawn", ("pd",), weight))
    with pytest.raises(InputError, match=rf"^p: 1 fault\n  measure m of the package p 1 failed: .*{problem}"):
        weights_of(plugin, BOOK)


def test_weights_are_computed_on_a_copy() -> None:
    def halve(pd: np.ndarray) -> np.ndarray:
        pd /= 2
        return pd

    plugin = Plugin("measure", "m", "p", "1", PluginMeasure("drawn", ("pd",), halve))
    assert weights_of(plugin, BOOK).tolist() == [0.005, 0.01, 0.015]  # type: ignore[union-attr]
    assert BOOK.pd.tolist() == [0.01, 0.02, 0.03]


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        ([1], "TypeError: a list where a table was expected"),
        (ValueError("no such thing"), "p 1 cannot read it: no such thing"),
        (KeyError("x"), "source s of the package p 1 failed: KeyError: 'x'"),
    ],
)
def test_a_source_that_makes_no_table_is_named(made: object, problem: str, tmp_path: Path) -> None:
    def read(content: bytes) -> object:
        if isinstance(made, Exception):
            raise made
        return made

    (tmp_path / "file").write_bytes(b"")
    plugin = Plugin("source", "s", "p", "1", PluginSource(read))
    with pytest.raises(InputError, match=problem):
        open_source(PortfolioSource("s", tmp_path / "file", plugin=plugin))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"amount": np.zeros(2)}, r"amount is of shape \(2,\) and kind float64"),
        ({"amount": np.array([1e5, 0.0, np.nan])}, "without a finite amount"),
        ({"option": np.array([9, -1, -1])}, "an offer without a rate"),
        ({"why": np.array(["", 1, "x"], dtype=object)}, "why holds something else than texts"),
    ],
)
def test_a_plan_that_is_none_is_refused(changes: dict[str, np.ndarray], problem: str) -> None:
    case = prepared(Case(BOOK, churn_table([0.04, 0.08], A=[0.0, 0.3], B=[0.0, 0.3]), policy(1e6)))
    good = {
        "option": np.array([0, -1, -1]),
        "amount": np.array([1e5, 0.0, 0.0]),
        "why": np.array(["", "x", "x"], dtype=object),
    }
    require_plan(Plan(case.offers, **good), case)
    with pytest.raises(ValueError, match=problem):
        require_plan(Plan(case.offers, **{**good, **changes}), case)
    with pytest.raises(TypeError, match="a str where a Plan was expected"):
        require_plan("plan", case)
