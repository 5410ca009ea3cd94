"""The public fee list: prices by day and provider, what is cancelled and why, and what must hold for every item."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from portal.billing.tariff import check_quote
from portal.catalog import fees
from portal.kernel.money import multiply
from tests.catalog.city import CATALOG, ON

BANNED = ["接水费", "报装费", "移表费", "配电室试验费", "开通费", "增容费", "强制检定费", "表计费"]
LIMIT_FEN = 1_000_000_000  # what one sub-order of a merged payment may carry


def line(code: str, price_fen: int, *, boundary: str = "inside", payer: str = "user") -> dict[str, object]:
    amount = multiply("2", price_fen)
    return {
        "fee_item": code,
        "quantity": "2",
        "unit_price_fen": price_fen,
        "amount_fen": amount,
        "payer": payer,
        "boundary": boundary,
    }


def refusal_codes(provider: str, quote: list[dict[str, object]], *, zero: bool = False) -> list[str]:
    return [e.code for e in check_quote(quote, lambda code: fees.find_item(CATALOG, provider, code, ON), zero)]


def test_a_price_has_its_days():
    def price(day: dt.date) -> int | None:
        item = fees.find_item(CATALOG, "water-linhe", "water.outside", day)
        return item.price_fen if item else None

    assert price(dt.date(2023, 12, 31)) is None
    assert price(dt.date(2024, 1, 1)) == 58000
    assert price(dt.date(2025, 12, 31)) == 58000
    assert price(dt.date(2026, 1, 1)) == 62000


def test_a_price_may_be_the_providers_own():
    prices = {p: fees.find_item(CATALOG, p, "heating.inside", ON) for p in ("heat-linhe", "heat-houqi")}
    assert {p: item.price_fen for p, item in prices.items() if item} == {"heat-linhe": 4500, "heat-houqi": 3900}


def test_items_belong_to_their_utility():
    assert fees.find_item(CATALOG, "gas-linhe", "water.inside", ON) is None
    for provider in CATALOG.providers:
        items = fees.published_items(CATALOG, provider.code, ON)
        assert items
        assert {item.utility for item in items} == {provider.utility}
        assert len({item.code for item in items}) == len(items)


def test_an_unknown_provider_has_no_list():
    with pytest.raises(KeyError):
        fees.published_items(CATALOG, "water-nowhere", ON)


@pytest.mark.parametrize("title", BANNED)
def test_banned_items_are_listed_as_cancelled(title: str):
    items = [item for item in CATALOG.fees if item.title == title]
    assert items
    for item in items:
        provider = next(p.code for p in CATALOG.providers if p.utility == item.utility)
        found = fees.find_item(CATALOG, provider, item.code, ON)
        assert found is not None
        assert (found.state, found.payer) == ("cancelled", "user")
        assert refusal_codes(provider, [line(item.code, 0)]) == ["fee_cancelled"]
        assert item not in fees.published_items(CATALOG, provider, ON)


def test_before_its_cancelling_an_item_was_published():
    before = fees.find_item(CATALOG, "power-bayannur", "power.meter-move-fee", dt.date(2021, 2, 28))
    after = fees.find_item(CATALOG, "power-bayannur", "power.meter-move-fee", dt.date(2021, 3, 1))
    assert before is not None
    assert after is not None
    assert (before.state, after.state) == ("published", "cancelled")


def test_quotes_are_held_to_the_list():
    assert refusal_codes("power-bayannur", [line("power.inside-works", 38000)]) == []
    assert refusal_codes("power-bayannur", [line("power.inside-works", 90000)]) == []  # a range
    assert refusal_codes("power-bayannur", [line("power.inside-works", 90001)]) == ["fee_not_published"]
    assert refusal_codes("power-bayannur", [line("power.inside-works", 38000)], zero=True) == ["zero_investment"]
    assert refusal_codes("power-bayannur", [line("power.made-up", 1)]) == ["fee_not_published"]


def test_what_lies_outside_the_red_line_is_the_providers_and_meters_are_too():
    for item in CATALOG.fees:
        if item.state == "published":
            is_users = item.payer == "user"
            assert not (is_users and item.boundary == "outside"), item.code
            assert not (is_users and item.title.endswith("表")), item.code


def test_every_item_says_what_it_rests_on():
    for item in CATALOG.fees:
        assert item.basis
        assert item.source
        assert item.illustrative == (item.state == "published"), item.code
        assert 0 <= Decimal(item.vat_rate) <= 13


def test_high_reliability_is_for_several_sources_only_and_said_so():
    item = fees.find_item(CATALOG, "power-bayannur", "power.high-reliability", ON)
    assert item is not None
    assert "双电源" in item.title
    assert "两路" in item.basis


def test_the_largest_sample_stays_below_one_merged_sub_order():
    item = fees.find_item(CATALOG, "heat-linhe", "heating.inside", ON)
    assert item is not None
    assert multiply("128000", item.price_fen) < LIMIT_FEN
