"""Numbers as people write them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from allocator.scenario.quantities import amount, fraction, number, quantity, whole


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("63%", 0.63), ("13.5%", 0.135), ("13.5 %", 0.135), ("0.63", 0.63), (".5", 0.5), ("5e-2", 0.05)),
        *(("0", 0.0), ("100%", 1.0), ("1", 1.0), (0.25, 0.25), (1, 1.0), ("+4%", 0.04)),
    ],
)
def test_shares(written: object, value: float) -> None:
    assert fraction(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [("100_000_000", 1e8), ("1e8", 1e8), ("1E+8", 1e8), ("1_0.5", 10.5), (" 7 ", 7.0), (100_000_000, 1e8)],
)
def test_amounts(written: object, value: float) -> None:
    assert amount(written) == value


@pytest.mark.parametrize(
    "written",
    ["", "x", "_1", "10 00", "1,5.2", "0x10", "nan", "inf", "-inf", "١", "%", None, [], True, "5k"],
)
def test_what_is_no_number(written: object) -> None:
    with pytest.raises(PydanticCustomError, match="is not a number"):
        number(written, "a number")


@pytest.mark.parametrize("written", ["1e400", "-1e400", "1e999999999999999999", float("1e308") * 10])
def test_what_no_float_holds(written: object) -> None:
    with pytest.raises(PydanticCustomError, match=r"is too large a number|is not a number"):
        number(written, "a number")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        *(("60,000,000", "60_000_000"), ("400,000", "400_000"), ("60 000 000", "60_000_000")),
        *(("60'000'000", "60_000_000"), ("1.000.000", "1_000_000"), ("1.234,56", "1_234.56")),
        *(("1,234.56%", "1_234.56%"), ("-1\u00a0000", "-1_000"), ("60\u202f000", "60_000")),
    ],
)
def test_thousands_separators_are_told_as_such(written: str, plain: str) -> None:
    with pytest.raises(PydanticCustomError, match="has thousands separators") as caught:
        number(written, "a number")
    assert remedy_of(caught.value) == f"write {plain}"
    assert quantity(plain) == pytest.approx(float(plain.removesuffix("%")) / (100 if "%" in plain else 1))


@pytest.mark.parametrize("written", ["9" * 5_000, "x" * 5_000])
def test_a_long_value_is_shown_by_its_beginning(written: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        amount(written)
    assert f"{written[:60]}..." in str(caught.value)
    assert written[:61] not in str(caught.value)


@pytest.mark.parametrize(("written", "plain"), [("4,5%", "4.5%"), ("0,500", "0.500"), (",5", "0.5")])
def test_a_decimal_comma_is_told_as_such(written: str, plain: str) -> None:
    with pytest.raises(PydanticCustomError, match="has a decimal comma") as caught:
        number(written, "a number")
    assert remedy_of(caught.value) == f"write {plain}"


@given(st.integers(1_000_000, 10**13), st.sampled_from(",' .\u2019\u202f"))
def test_any_number_in_groups_of_three_is_told_how_to_be_written(value: int, sign: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        amount(f"{value:,}".replace(",", sign))
    assert amount(remedy_of(caught.value).removeprefix("write ")) == value


def remedy_of(error: PydanticCustomError) -> str:
    assert error.context is not None
    [finding] = error.context["findings"]
    return str(finding.remedy)


@pytest.mark.parametrize(
    "written", ["1e-999999999", "-1e-400", "1e-320", "1e-307%", "0.001e-99999999999999999999"]
)
def test_what_would_be_0_for_a_float_is_not_0(written: str) -> None:
    with pytest.raises(PydanticCustomError, match="is too small a number, and not 0"):
        number(written, "a number")
    assert quantity("0e-999") == quantity("0") == 0


@given(st.floats(min_value=0, max_value=1).filter(lambda value: value == 0 or value > 1e-300))
def test_a_fraction_and_its_percentage_are_the_same(value: float) -> None:
    assert fraction(value) == value
    assert fraction(f"{Decimal(repr(value)) * 100:f}%") == value


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_what_python_writes_is_read_back_to_the_bit(value: float) -> None:
    assert quantity(repr(value)) == quantity(value) == value


@given(st.floats(min_value=1, max_value=100, exclude_min=True).filter(lambda value: value < 100))
def test_a_number_above_one_is_no_share_and_the_remedy_is_one(value: float) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        fraction(value)

    (finding,) = caught.value.context["findings"]
    percentage, plain = finding.remedy.removeprefix("write ").split(" or ")
    assert fraction(percentage) == pytest.approx(fraction(plain)) == pytest.approx(value / 100)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    with suppress(PydanticCustomError):
        assert abs(quantity(text)) < float("inf")


def test_whole_numbers_fit_a_solver() -> None:
    assert whole("2147483647") == 2**31 - 1
    with pytest.raises(PydanticCustomError, match="is not a whole number below 2\\^31"):
        whole("2147483648")


@pytest.mark.parametrize("written", ["-0", "-0.0", "-0%"])
def test_nothing_has_no_sign(written: str) -> None:
    assert str(number(written, "a number").value) == "0"
