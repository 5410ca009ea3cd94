"""The pure rules of money: tariff, allocation, postings, orders, matching."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing import matching, postings, rails, tariff
from portal.billing.allocation import OpenLine, allocate_payment
from portal.billing.port import Theirs
from portal.kernel.errors import Conflict

fen = st.integers(0, 9_999_999_999)


# ---- tariff


@dataclass(frozen=True)
class Item:
    price_fen: int = 1250
    max_price_fen: int | None = None
    state: str = "published"
    basis: str = "内价〔2023〕1号"


LINE = {
    "fee_item": "A",
    "quantity": "2.5",
    "unit_price_fen": 1250,
    "amount_fen": 3125,
    "payer": "user",
    "boundary": "inside",
}


def codes(line, item: Item | None = Item(), zero: bool = False) -> list[tuple[str, str]]:
    return [(e.field, e.code) for e in tariff.check_quote([line], lambda _: item, zero, path="options.0.quote")]


@pytest.mark.parametrize(
    ("change", "item", "zero", "expected"),
    [
        ({}, Item(), False, []),
        ({"amount_fen": 3126}, Item(), False, [("amount_fen", "amount_mismatch")]),
        ({"quantity": "many"}, Item(), False, [("quantity", "amount_mismatch")]),
        ({"quantity": "-1", "amount_fen": -1250}, Item(), False, [("quantity", "amount_mismatch")]),
        ({"quantity": "NaN"}, Item(), False, [("quantity", "amount_mismatch")]),
        ({}, None, False, [("fee_item", "fee_not_published")]),
        ({}, Item(state="cancelled"), False, [("fee_item", "fee_cancelled")]),
        ({}, Item(price_fen=1249), False, [("unit_price_fen", "fee_not_published")]),
        ({}, Item(price_fen=1000, max_price_fen=1250), False, []),
        ({}, Item(price_fen=1000, max_price_fen=1249), False, [("unit_price_fen", "fee_not_published")]),
        ({}, Item(), True, [("amount_fen", "zero_investment")]),
        ({"payer": "provider"}, Item(), True, []),
        ({"boundary": "outside"}, Item(), True, []),
        ({"quantity": "0", "amount_fen": 0}, Item(), True, []),
        ({"amount_fen": 1}, None, True, ["amount_mismatch", "fee_not_published", "zero_investment"]),
    ],
)
def test_a_quote_line(change, item, zero, expected) -> None:
    found = codes({**LINE, **change}, item, zero)
    if expected and isinstance(expected[0], str):
        assert [code for _, code in found] == expected
    else:
        assert found == [(f"options.0.quote.0.{field}", code) for field, code in expected]


@given(st.decimals(0, 10_000, places=3), st.integers(0, 1_000_000))
def test_only_the_amount_rounded_half_up_passes(quantity, price: int) -> None:
    exact = quantity * price
    amount = int(exact) + (exact - int(exact) >= 0.5)
    line = {**LINE, "quantity": str(quantity), "unit_price_fen": price, "amount_fen": amount}
    item = Item(price_fen=price)
    assert codes(line, item) == []
    assert codes({**line, "amount_fen": amount + 1}, item) == [("options.0.quote.0.amount_fen", "amount_mismatch")]


# ---- allocation

lines_strategy = st.lists(
    st.builds(
        OpenLine,
        id=st.uuids().map(str),
        provider=st.sampled_from(["gas", "heat", "net", "power", "water"]),
        remaining_fen=fen,
        due_on=st.sampled_from([None, dt.date(2026, 1, 1), dt.date(2026, 2, 1)]),
    ),
    max_size=8,
    unique_by=lambda line: line.id,
)


@given(fen, lines_strategy, st.randoms())
def test_shares_and_surplus_are_the_payment_and_the_order_of_lines_does_not_matter(amount, lines, chance) -> None:
    result = allocate_payment(amount, lines)
    remaining = {line.id: line.remaining_fen for line in lines}
    assert sum(s.amount_fen for s in result.shares) + result.surplus_fen == amount
    assert all(0 < s.amount_fen <= remaining[s.line_id] for s in result.shares)
    assert result.surplus_fen == max(0, amount - sum(remaining.values()))
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert allocate_payment(amount, shuffled) == result


@given(lines_strategy, st.lists(st.integers(1, 10**9), max_size=6))
def test_instalments_never_overpay_and_end_in_full(lines, payments) -> None:
    open_lines, paid = list(lines), Counter()
    total = sum(line.remaining_fen for line in lines)
    for amount in [*payments, total]:
        for share in allocate_payment(amount, open_lines).shares:
            paid[share.line_id] += share.amount_fen
        open_lines = [
            replace(x, remaining_fen=y.remaining_fen - paid[x.id]) for x, y in zip(open_lines, lines, strict=True)
        ]
        assert all(line.remaining_fen >= 0 for line in open_lines)
    assert all(line.remaining_fen == 0 for line in open_lines)


@pytest.mark.parametrize(
    ("amount", "lines", "chosen", "expected"),
    [
        (1, [("a", "power", 5, None), ("b", "gas", 5, None)], None, {"b": 1}),
        (0, [("a", "power", 5, None)], None, {}),
        (7, [], None, {}),
        (7, [("a", "power", 0, None)], None, {}),
        (6, [("a", "power", 5, 2), ("b", "gas", 5, 1)], None, {"b": 5, "a": 1}),
        (6, [("a", "power", 5, None), ("b", "gas", 5, 1)], None, {"b": 5, "a": 1}),
        (6, [("a", "power", 5, None), ("b", "gas", 5, None)], ["a"], {"a": 5}),
        (3, [("a", "power", 1, None), ("b", "gas", 1, None), ("c", "heat", 4, None)], None, {"c": 2, "b": 1}),
    ],
)
def test_allocation_table(amount, lines, chosen, expected) -> None:
    made = [OpenLine(i, p, r, d and dt.date(2026, d, 1)) for i, p, r, d in lines]
    result = allocate_payment(amount, made, chosen=chosen)
    assert {s.line_id: s.amount_fen for s in result.shares} == expected


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        allocate_payment(-1, [])
    with pytest.raises(ValueError, match="negative"):
        allocate_payment(1, [OpenLine("a", "p", -1)])


# ---- postings


def test_each_event_moves_between_known_accounts() -> None:
    movement = postings.Movement(5, customer="c", provider="p")
    expected = {
        "captured": ("GW_CLEARING:wechat", "UNALLOCATED:c"),
        "allocated": ("UNALLOCATED:c", "PAYABLE:p"),
        "paid_direct": ("PAYABLE:p", "GW_CLEARING:wechat"),
        "long": ("GW_CLEARING:wechat", "SUSPENSE_LONG:wechat"),
        "short": ("SUSPENSE_SHORT:wechat", "GW_CLEARING:wechat"),
    }
    assert set(expected) == set(postings.POSTINGS)
    for event, (dr, cr) in expected.items():
        assert postings.build(event, [movement], channel="wechat") == (postings.Transfer(dr, cr, 5),)


def test_what_cannot_be_posted() -> None:
    assert postings.build("captured", [postings.Movement(0, customer="c")], channel="w") == ()
    with pytest.raises(ValueError, match="never negative"):
        postings.build("captured", [postings.Movement(-1, customer="c")], channel="w")
    with pytest.raises(ValueError, match="needs a name"):
        postings.build("allocated", [postings.Movement(1, customer="c")], channel="w")
    with pytest.raises(KeyError):
        postings.build("refunded", [], channel="w")


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_a_captured_direct_payment_leaves_nothing_behind(parts: list[int]) -> None:
    moves = [postings.Movement(amount, "c", f"p{i}") for i, amount in enumerate(parts)]
    rows = [
        *postings.build("captured", [postings.Movement(sum(parts), "c")], channel="w"),
        *postings.build("allocated", moves, channel="w"),
        *postings.build("paid_direct", moves, channel="w"),
    ]
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.dr] += row.amount_fen
        totals[row.cr] -= row.amount_fen
    assert not any(totals.values())
    assert postings.reverse(postings.reverse(rows)) == tuple(rows)


# ---- orders at the gateway


def payable(line: str, provider: str, amount: int, *, merged: bool = True) -> rails.Payable:
    return rails.Payable(line, provider, f"m-{provider}", amount, merged)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([payable("1", "water", 0)], []),
        ([payable("1", "water", 5), payable("2", "water", 6)], [("PLAIN", [("water", 11)])]),
        ([payable("1", "water", 5), payable("2", "gas", 6)], [("COMBINE", [("gas", 6), ("water", 5)])]),
        (
            [payable("1", "water", 5), payable("2", "gas", 6, merged=False)],
            [("PLAIN", [("water", 5)]), ("PLAIN", [("gas", 6)])],
        ),
        (
            [
                payable("1", "a", 5),
                payable("2", "b", 6),
                payable("3", "c", 1, merged=False),
                payable("4", "d", 2, merged=False),
            ],
            [("COMBINE", [("a", 5), ("b", 6)]), ("PLAIN", [("c", 1)]), ("PLAIN", [("d", 2)])],
        ),
        ([payable("1", "a", 10**9), payable("2", "b", 1)], [("COMBINE", [("a", 10**9), ("b", 1)])]),
    ],
)
def test_plan_orders(lines, expected) -> None:
    plans = rails.plan_orders(lines)
    assert [(p.rail, [(s.provider, s.amount_fen) for s in p.subs]) for p in plans] == expected


def test_what_the_gateway_could_not_take_is_said_before_asking() -> None:
    with pytest.raises(Conflict) as too_much:
        rails.plan_orders([payable("1", "a", 10**9 + 1)])
    assert too_much.value.code == "over_gateway_limit"
    assert "10,000,000.00" in too_much.value.message
    with pytest.raises(Conflict) as too_many:
        rails.plan_orders([payable(str(i), f"p{i}", 1) for i in range(51)])
    assert too_many.value.code == "too_many_payees"
    assert len(rails.plan_orders([payable(str(i), f"p{i}", 1) for i in range(50)])[0].subs) == 50


# ---- matching

DAY, NEXT = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
THEIRS = Theirs(1, "m", "t1", "n1", "SUCCESS", 500, 3, DAY)
OURS = matching.Ours("s1", "m", "n1", "t1", 500, 3, DAY)


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ([THEIRS], [OURS], [("MATCHED", 0)]),
        ([], [OURS], [("SHORT", -500)]),
        ([THEIRS], [], [("LONG", 500)]),
        ([THEIRS], [replace(OURS, booked_on=None, transaction_id=None)], [("LONG", 500)]),
        ([replace(THEIRS, amount_fen=501)], [OURS], [("AMOUNT", 1)]),
        ([replace(THEIRS, amount_fen=50_000)], [OURS], [("AMOUNT", 49_500)]),
        ([replace(THEIRS, fee_fen=2)], [OURS], [("FEE", -1)]),
        ([replace(THEIRS, trade_state="REFUND")], [OURS], [("STATUS", 0)]),
        ([replace(THEIRS, merchant_id="x")], [OURS], [("STATUS", 0)]),
        ([THEIRS, replace(THEIRS, line_no=2)], [OURS], [("MATCHED", 0), ("DUPLICATE", 500)]),
        ([THEIRS, replace(THEIRS, line_no=2, transaction_id="t2")], [OURS], [("MATCHED", 0), ("DUPLICATE", 500)]),
        ([replace(THEIRS, transaction_id="t9")], [OURS], [("DUPLICATE", 500)]),
        ([THEIRS], [replace(OURS, booked_on=NEXT)], [("CUTOFF", 0)]),
        ([], [replace(OURS, booked_on=NEXT)], []),
        ([], [], []),
    ],
)
def test_match_table(theirs, ours, expected) -> None:
    assert [(f.class_, f.diff_fen) for f in matching.match_day(DAY, theirs, ours)] == expected


def test_what_an_earlier_statement_had_is_not_missing_and_not_there_twice() -> None:
    seen = frozenset({"s1"})
    assert matching.match_day(DAY, [], [OURS], settled_before=seen) == ()
    assert [f.class_ for f in matching.match_day(DAY, [THEIRS], [OURS], settled_before=seen)] == ["DUPLICATE"]


@given(st.lists(st.sampled_from(["ok", "missing", "extra", "altered", "duplicate"]), max_size=12), st.randoms())
def test_every_line_and_every_order_is_explained_once(kinds, chance) -> None:
    theirs, ours, expected = [], [], Counter()
    for i, kind in enumerate(kinds):
        line = replace(THEIRS, line_no=2 * i, transaction_id=f"t{i}", out_trade_no=f"n{i}")
        own = replace(OURS, id=f"s{i}", transaction_id=f"t{i}", out_trade_no=f"n{i}")
        if kind != "extra":
            ours.append(own)
        if kind != "missing":
            theirs.append(replace(line, amount_fen=499) if kind == "altered" else line)
        if kind == "duplicate":
            theirs.append(replace(line, line_no=2 * i + 1))
            expected["MATCHED"] += 1
        expected[
            {"ok": "MATCHED", "missing": "SHORT", "extra": "LONG", "altered": "AMOUNT", "duplicate": "DUPLICATE"}[kind]
        ] += 1
    chance.shuffle(theirs)
    chance.shuffle(ours)
    found = matching.match_day(DAY, theirs, ours)
    assert Counter(f.class_ for f in found) == expected
    assert len({f.theirs.line_no for f in found if f.theirs}) == len(theirs)
