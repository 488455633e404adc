"""Churn curves: what a file must hold, isotonic smoothing, menus of rates."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from allocator import checker
from allocator.errors import InputError
from allocator.pricing.churn import isotonic, rate_menu, read_churn_table, sampled_table, sanity, smooth
from allocator.records.curves import Logistic
from allocator.records.portfolio import ChurnTable

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "churn" / "cumcm-2020.csv"
FRACTION = "write a fraction from 0 to 1, 5% as 0.05"
NUMBER = "write a plain number, as 0.05 or 100000"


@pytest.fixture(scope="module")
def contest() -> ChurnTable:
    return read_churn_table(SHIPPED)


def told(text: str | bytes, folder: Path) -> list[str]:
    """What is said of a file with this content, its name left out."""
    path = folder / "churn.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_churn_table(path)
    return [line.strip().removeprefix(str(path)).lstrip(",: ") for line in str(caught.value).splitlines()][1:]


SLIPS: dict[str, tuple[str | bytes, list[str]]] = {
    "no rate": (
        "rat,A\n0.04,0\n",
        ["rate: no column rate; the nearest is rat; head the column of rates with rate"],
    ),
    "no rate, none near": (
        "A,B\n0.04,0\n",
        ["rate: no column rate; there are A, B; head the column of rates with rate"],
    ),
    "no grade": ("rate\n0.04\n", ["no column of a grade; add one column of churn per grade"]),
    "semicolons": (
        "rate;A\n0,04;0\n",
        [
            'line 1: one column found: "," does not separate the header, ";" may;'
            ' save it with "," between columns'
        ],
    ),
    "a grade twice": (
        "rate,A,A\n0.04,0,0\n",
        ["A: 2 columns have this name; rename or drop all but one"],
    ),
    "a column without name": (
        "rate,A,\n0.04,0,0\n",
        ["a column without a name; head it with its grade"],
    ),
    "rows of other lengths": (
        "rate,A\n0.04,0\n0,05,0\n0.06\n",
        [
            f"row {row}: {cells} cells under a header of 2;"
            ' put cells that hold "," in quotes, or write decimal points'
            for row, cells in ((2, 3), (3, 1))
        ],
    ),
    "rates that do not ascend": (
        "rate,A\n0.04,0\n0.06,0.2\n0.05,0.1\n",
        ["row 3, rate: 0.05 after 0.06: rates do not ascend; order the rows by rate"],
    ),
    "a rate twice": (
        "rate,A\n0.04,0\n0.04,0.1\n",
        ["row 2, rate: 0.04 is the rate of row 1 too; keep one row per rate"],
    ),
    "rates in percent": (
        "rate,A\n4,0\n4.65,0.1\n",
        [f"row {row}, rate: {rate} is outside [0, 1]; {FRACTION}" for row, rate in ((1, 4), (2, 4.65))],
    ),
    "churn in percent": ("rate,A\n0.04,13.5\n", [f"row 1, A: 13.5 is outside [0, 1]; {FRACTION}"]),
    "negative churn": ("rate,A\n0.04,-0.1\n", [f"row 1, A: -0.1 is outside [0, 1]; {FRACTION}"]),
    "percent signs": (
        "rate,A\n4%,0\n",
        ['row 1, rate: "4%" has a percent sign; write a fraction, 5% as 0.05'],
    ),
    "not a number": (
        "rate,A\n0.04,nan\n",
        ["row 1, A: nan is not a finite number; write a finite number"],
    ),
    "underscores": (
        "rate,A\n0.0_4,0\n",
        [f'row 1, rate: "0.0_4" is not a number; {NUMBER}'],
    ),
    "an empty cell": ("rate,A\n0.04,\n", [f"row 1, A: an empty cell; {FRACTION}"]),
    "several at once": (
        "rate,A,B\n0.04,2,0\n0.04,0,x\n",
        [
            f"row 1, A: 2 is outside [0, 1]; {FRACTION}",
            f'row 2, B: "x" is not a number; {NUMBER}',
            "row 2, rate: 0.04 is the rate of row 1 too; keep one row per rate",
        ],
    ),
    "a total at the end": (
        "rate,A,B\n0.04,0,0\nTotal,0,0\n",
        ['row 2: a total, not a row of the table: "Total"; remove it'],
    ),
    "below a blank line": ("rate,A\n0.04,0\n\n0.05,2\n", [f"row 3, A: 2 is outside [0, 1]; {FRACTION}"]),
    "no rows": ("rate,A\n", ["no rows under the header; give one row per rate"]),
    "an empty file": ("", ["an empty file; give a header and rows under it"]),
    "another encoding": (
        "rate,Zoë\n0.04,0\n".encode("latin-1"),
        ["line 1: not UTF-8; save the file in UTF-8"],
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slip(slip: str, tmp_path: Path) -> None:
    text, expected = SLIPS[slip]
    assert told(text, tmp_path) == expected


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_churn_table(tmp_path / "none.csv")
    assert str(caught.value).endswith("none.csv: no such file; mend its path")


def test_a_good_file_in_any_order_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "churn.csv"
    path.write_bytes(b"\xef\xbb\xbfB,rate,A\r\n0, 0.04,0.5\r\n\r\n1,0.05,.25\r\n")
    table = read_churn_table(path)
    assert table.source == str(path)
    assert table.rates.tolist() == [0.04, 0.05]
    assert {grade: churn.tolist() for grade, churn in table.churn.items()} == {"B": [0, 1], "A": [0.5, 0.25]}


values = st.lists(st.floats(0, 1), min_size=1, max_size=60).map(np.array)


@given(values)
def test_isotonic_is_least_squares(churn: np.ndarray) -> None:
    fitted = isotonic(churn)
    np.testing.assert_allclose(fitted, isotonic_regression(churn).x, rtol=1e-12, atol=1e-15)
    assert (np.diff(fitted) >= 0).all()
    np.testing.assert_array_equal(isotonic(fitted), fitted)


@given(values)
def test_isotonic_leaves_what_ascends(churn: np.ndarray) -> None:
    ascending = np.sort(churn)
    np.testing.assert_array_equal(isotonic(ascending), ascending)


def test_smoothing(contest: ChurnTable) -> None:
    assert smooth(contest, "none") is contest
    smoothed = smooth(contest, "isotonic")
    for grade, churn in smoothed.churn.items():
        assert (np.diff(churn) >= 0).all()
        assert churn.sum() == pytest.approx(contest.churn[grade].sum(), rel=1e-14)
    assert (np.diff(contest.churn["A"]) < 0).sum() == 3
    pooled = smoothed.churn["C"][17:19]
    np.testing.assert_allclose(pooled, contest.churn["C"][17:19].mean(), rtol=1e-15)


def test_menu_of_the_table(contest: ChurnTable) -> None:
    menu = rate_menu(contest, "A", (0.04, 0.11), None)
    assert menu.rates[[0, -1]].tolist() == [0.04, 0.1065]
    assert len(menu.rates) == 18
    np.testing.assert_array_equal(menu.take_up, 1 - contest.churn["A"][:18])
    ends = rate_menu(contest, "B", (0.1105 + 1e-13, 0.1345 - 1e-13), None)
    assert ends.rates[[0, -1]].tolist() == [0.1105, 0.1345]
    assert len(rate_menu(contest, "C", (0.12, 0.5), None).rates) == 8


def test_menu_by_steps(contest: ChurnTable) -> None:
    menu = rate_menu(contest, "A", (0.04, 0.0475), 0.0025)
    assert menu.rates.tolist() == [0.04, 0.0425, 0.045, 0.0475]
    assert menu.take_up[:2].tolist() == [1.0, 1 - contest.churn["A"][1]]
    between = contest.churn["A"][1] + (0.045 - 0.0425) / 0.004 * (
        contest.churn["A"][2] - contest.churn["A"][1]
    )
    assert menu.take_up[2] == pytest.approx(1 - between, rel=1e-13)
    assert rate_menu(contest, "A", (0.04, 0.0481), 0.0025).rates.tolist() == [
        0.04,
        0.0425,
        0.045,
        0.0475,
        0.0481,
    ]
    assert rate_menu(contest, "C", (0.15, 0.15), 0.01).rates.tolist() == [0.15]


@given(st.integers(400, 1500), st.integers(0, 1100), st.integers(1, 300))
def test_steps_hit_both_ends_and_ascend(low: int, width: int, step: int) -> None:
    table = ChurnTable("curve.csv", np.array([0.0, 1.0]), {"A": np.array([0.0, 1.0])})
    menu = rate_menu(table, "A", (low / 10_000, (low + width) / 10_000), step / 10_000)
    expected = [*range(low, low + width + 1, step)]
    if expected[-1] != low + width:
        expected.append(low + width)
    assert menu.rates.tolist() == [rate / 10_000 for rate in expected]
    np.testing.assert_allclose(menu.take_up, 1 - menu.rates, rtol=1e-14)


BAND_SLIPS = {
    "no such grade": (
        ("D", (0.04, 0.1), None),
        "policy.rates.D: no churn column for grade D; there are A, B, C; take its band away",
    ),
    "no rate inside": (
        ("A", (0.041, 0.042), None),
        "policy.rates.A: none of the curve's rates lies from 4.1% to 4.2%;"
        " widen the band or write rate_grid: {step: 0.25%}",
    ),
    "above the curve": (
        ("C", (0.14, 0.16), 0.0025),
        "policy.rates.C: the band 0.14 to 0.16 leaves the curve, 0.04 to 0.15;"
        " narrow the band: curves are not extended",
    ),
    "below the curve": (
        ("C", (0.03, 0.05), 0.0025),
        "policy.rates.C: the band 0.03 to 0.05 leaves the curve, 0.04 to 0.15;"
        " narrow the band: curves are not extended",
    ),
}


@pytest.mark.parametrize("slip", BAND_SLIPS)
def test_bands_that_do_not_fit(slip: str, contest: ChurnTable) -> None:
    (grade, band, step), words = BAND_SLIPS[slip]
    with pytest.raises(InputError) as caught:
        rate_menu(contest, grade, band, step)
    assert str(caught.value) == f"{SHIPPED}: 1 fault\n  {SHIPPED}, {words}"


def test_sanity_of_the_contest(contest: ChurnTable) -> None:
    a, b, c = sanity(contest, {"A": (0.04, 0.11), "B": (0.11, 0.16)})
    assert [(found.grade, found.best_rate) for found in (a, b, c)] == [
        ("A", 0.0465),
        ("B", 0.1105),
        ("C", 0.0585),
    ]
    assert [round(found.best_yield, 6) for found in (a, b, c)] == [0.040189, 0.028406, 0.041524]
    assert a.falls == (0.1145, 0.1225, 0.1425)
    assert b.falls == (0.1185, 0.1425)
    assert c.falls == (0.1105, 0.1425)
    assert (a.covered, a.rates_in_band) == (True, 18)
    assert (b.covered, b.rates_in_band) == (False, 11)
    assert (c.band, c.covered, c.rates_in_band) == (None, True, 0)


@pytest.mark.parametrize(
    "curve", [Logistic(0.11, 40.0), Logistic(0.07, 1e4), Logistic(0.0, 0.1), Logistic(1.0, 3e3)]
)
def test_curves_by_parameters_are_rounded_once(curve: Logistic) -> None:
    table = sampled_table({"A": curve})
    assert table.rates.tolist() == [k / 10_000 for k in range(10_001)]
    churn = table.churn["A"]
    assert np.all(np.diff(churn) >= 0)
    with localcontext(prec=80):
        for knot in (0, 1, 699, 700, 701, 1100, 4321, 10_000):
            distance = Decimal(knot) / 10_000 - Decimal(repr(curve.midpoint))
            assert churn[knot] == float(1 / (1 + (-Decimal(repr(curve.slope)) * distance).exp()))
    with np.errstate(over="ignore"):
        plain = 1 / (1 + np.exp(-curve.slope * (table.rates - curve.midpoint)))
    np.testing.assert_allclose(churn, plain, rtol=1e-12 * max(curve.slope, 1.0), atol=1e-300)


def test_the_checker_has_the_same_table_by_its_own_arithmetic() -> None:
    curves = {"A": Logistic(0.11, 40.0), "B": Logistic(0.0731, 5432.1)}
    ours = sampled_table(curves)
    told = {grade: {"midpoint": one.midpoint, "slope": one.slope} for grade, one in curves.items()}
    theirs = checker.curve_table({"logistic": told})
    np.testing.assert_array_equal(theirs.pop("rate"), ours.rates)
    assert theirs.keys() == ours.churn.keys()
    for grade, churn in theirs.items():
        np.testing.assert_array_equal(churn, ours.churn[grade])


def test_half_walk_at_the_midpoint_and_the_odds_grow_by_the_slope() -> None:
    menu = rate_menu(sampled_table({"A": Logistic(0.11, 40.0)}), "A", (0.10, 0.13), 0.01)
    assert menu.take_up[1] == pytest.approx(0.5, abs=1e-13)
    odds = (1 - menu.take_up) / menu.take_up
    np.testing.assert_allclose(odds[1:] / odds[:-1], np.exp(0.4), rtol=1e-12)


def test_shipped_curve_is_the_contest_s(contest: ChurnTable, data: Path) -> None:
    given_rows = np.loadtxt(data / "churn_curve.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(np.column_stack([contest.rates, *contest.churn.values()]), given_rows)
