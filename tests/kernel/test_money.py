"""Integer fen: sharing, rounding, reading and writing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.money import allocate, capital_numerals, format_yuan, multiply, parse_yuan, tax_inside

weights = st.lists(st.integers(0, 10**10), min_size=1, max_size=9)


@given(st.integers(0, 10**11), weights)
def test_shares_sum_to_the_total_and_stay_within_one_fen_of_exact(total: int, parts: list[int]) -> None:
    whole = sum(parts)
    if whole == 0:
        if total:
            with pytest.raises(ValueError, match="nothing to allocate"):
                allocate(total, parts)
        return
    shares = allocate(total, parts)
    assert sum(shares) == total
    assert all(abs(share * whole - total * part) < whole for share, part in zip(shares, parts, strict=True))
    if total <= whole:
        assert all(share <= part for share, part in zip(shares, parts, strict=True))


def test_ties_go_to_the_earlier_weight() -> None:
    assert allocate(1, [1, 1, 1, 1, 1]) == (1, 0, 0, 0, 0)
    assert allocate(0, [0, 0]) == (0, 0)
    with pytest.raises(ValueError, match="negative"):
        allocate(-1, [1])


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [("0.5", 1, 1), ("0.4999", 1, 0), ("1.005", 100, 101), ("3", 0, 0), ("1e2", 5, 500)],
)
def test_multiply_rounds_half_up_once(quantity: str, price: int, amount: int) -> None:
    assert multiply(quantity, price) == amount


@pytest.mark.parametrize("bad", ["", "x", "-1", "NaN", "Infinity"])
def test_multiply_refuses(bad: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        multiply(bad, 1)


@pytest.mark.parametrize(("text", "amount"), [("0", 0), ("12", 1200), ("12.3", 1230), ("12.34", 1234), ("0.01", 1)])
def test_parse_yuan(text: str, amount: int) -> None:
    assert parse_yuan(text) == amount


@pytest.mark.parametrize("bad", ["", "-1", "+1", "1.234", "1,000", ".5", "1.", "１２", "1e3", " 1", "1元"])
def test_parse_yuan_refuses_what_is_not_plainly_an_amount(bad: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(bad)


@given(st.integers(0, 10**14))
def test_written_and_read_again(amount: int) -> None:
    assert parse_yuan(format_yuan(amount).replace(",", "")) == amount


def test_negative_amounts_are_written_with_a_sign() -> None:
    assert format_yuan(-123456) == "-1,234.56"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (100, "壹元整"),
        (101, "壹元零壹分"),
        (100_00, "壹佰元整"),
        (10_500_00, "壹万零伍佰元整"),
        (100_005_00, "壹拾万零伍元整"),
        (12_345_67, "壹万贰仟叁佰肆拾伍元陆角柒分"),
        (1_0000_0001_00, "壹亿零壹元整"),
        (-5_00, "负伍元整"),
    ],
)
def test_capital_numerals(amount: int, text: str) -> None:
    assert capital_numerals(amount) == text


@given(st.integers(0, 10**11), st.sampled_from([Decimal(0), Decimal(3), Decimal(6), Decimal(9), Decimal(13)]))
def test_tax_inside_is_never_more_than_the_rate_of_the_total(total: int, rate: Decimal) -> None:
    tax = tax_inside(total, rate)
    assert 0 <= tax <= total
    assert abs(tax * (100 + rate) - total * rate) <= (100 + rate) / 2
