"""What every gateway must do, run against the simulator over real HTTP."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from portal.billing.port import Answer, Closed, Created, OrderState, Rejected, Request, Statement, Unknown
from portal.kernel.clock import local_date
from providers.simulator.gateway import start_gateway
from providers.simulator.gateway.book import PAYER
from tests.conftest import AT
from tests.payment.gateway_world import World, combined, make_world, plain, wire_now


def wait_for(check, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("order", [combined("aaa", 100, 1, 999_999), plain("bbb", 4200)], ids=["combine", "plain"])
def test_an_order_is_created_paid_and_told(world: World, order) -> None:
    token = world.create(order)
    before = world.client.query_order(order)
    assert isinstance(before, OrderState)
    assert before.trade_state == "NOTPAY"
    assert world.sim.pay(token)
    after = world.client.query_order(order)
    assert isinstance(after, OrderState)
    assert after.trade_state == "SUCCESS"
    assert {(s.out_trade_no, s.merchant_id, s.amount_fen) for s in after.subs} == {
        (s.out_trade_no, s.merchant_id, s.amount_fen) for s in order.subs
    }
    assert all(sub.success_at == AT and sub.transaction_id for sub in after.subs)
    wait_for(lambda: world.ear.heard)
    headers, raw = world.ear.heard[0]
    notice = world.client.verify_notice(headers, raw, wire_now())
    assert world.client.read_order(notice.content) == after
    assert world.client.is_our_account(after)
    assert sum(world.sim.book.balances.values()) == 0
    assert world.sim.book.balances[PAYER] == -sum(sub.amount_fen for sub in order.subs)


def test_the_same_bytes_again_make_no_second_order_and_other_bytes_are_refused(world: World) -> None:
    order = combined("ccc", 5, 6)
    assert world.create(order) == world.create(order)
    changed = world.client.send(world.client.render_order(combined("ccc", 5, 7)))
    assert world.client.read_order_answer(changed) == Rejected(
        "OUT_TRADE_NO_USED", "the number stands for another order"
    )
    assert [effect["effect"] for effect in world.sim.book.effects] == ["order"]


def test_paying_twice_moves_money_once(world: World) -> None:
    token = world.create(combined("ddd", 5, 6))
    assert world.sim.pay(token)
    assert not world.sim.pay(token)
    assert world.sim.book.balances[PAYER] == -11


def test_a_closed_order_cannot_be_paid_and_a_paid_one_not_closed(world: World) -> None:
    order, paid = combined("eee", 5, 6), plain("fff", 7)
    world.create(order)
    assert world.client.close_order(order) == Closed()
    state = world.client.query_order(order)
    assert isinstance(state, OrderState)
    assert state.trade_state == "CLOSED"
    world.sim.pay(world.create(paid))
    outcome = world.client.close_order(paid)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "ORDERPAID"


def test_an_order_that_never_arrived_is_named(world: World) -> None:
    outcome = world.client.query_order(combined("ggg", 5, 6))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "ORDER_NOT_EXIST"


def test_500_after_commit_is_unknown_and_the_retry_finds_the_one_order(world: World) -> None:
    world.sim.faults.set({"fail_after_commit_every": 1})
    order = combined("hhh", 5, 6)
    request = world.client.render_order(order)
    assert isinstance(world.client.read_order_answer(world.client.send(request)), Unknown)
    world.sim.faults.set({"reset": True})
    assert isinstance(world.client.read_order_answer(world.client.send(request)), Created)
    assert world.sim.book.activity["order"] == 1


def test_nobody_at_home_is_unknown(world: World) -> None:
    order = combined("iii", 5, 6)
    request = world.client.render_order(order)
    world.sim.stop()
    answer = world.client.send(request)
    assert answer.status == 0
    assert isinstance(world.client.read_order_answer(answer), Unknown)
    assert isinstance(world.client.query_order(order), Unknown)
    world.sim.stop = lambda: None  # type: ignore[method-assign] - the fixture's second stop


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 401])
def test_what_may_have_happened_is_unknown(world: World, status: int) -> None:
    assert isinstance(world.client.read_order_answer(Answer(status, b"<html>")), Unknown)


def test_the_gateway_refuses_a_request_it_cannot_verify(world: World) -> None:
    # Signed for one body, sent with another: what a meddler between us would do.
    order = world.client.render_order(combined("jjj", 5, 6))
    key = world.client._contract.keys
    object.__setattr__(world.client._contract, "keys", world_keys_with_other_private(world))
    assert world.client.send(order).status == 401
    object.__setattr__(world.client._contract, "keys", key)
    assert world.sim.book.activity["order"] == 0


def world_keys_with_other_private(world: World):
    from dataclasses import replace

    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return replace(world.client._contract.keys, private_key=other)


def test_an_answer_signed_by_somebody_else_is_unknown(world: World) -> None:
    from dataclasses import replace

    contract = world.client._contract
    impostor = {
        serial: world_keys_with_other_private(world).private_key.public_key() for serial in contract.keys.platform_keys
    }
    object.__setattr__(contract, "keys", replace(contract.keys, platform_keys=impostor))
    assert world.client.send(Request("/v3/combine-transactions/native", b"{}")).status == 0


def test_statement_of_a_day(keys_folder) -> None:
    world = make_world(keys_folder, fee_ppm=6000)
    try:
        order = combined("kkk", 10_000, 12_345)
        world.sim.pay(world.create(order))
        outcome = world.client.statement(local_date(AT))
        assert isinstance(outcome, Statement)
        lines = world.client.read_statement(outcome.content)
        assert [(line.amount_fen, line.fee_fen) for line in lines] == [(10_000, 60), (12_345, 74)]
        assert {line.out_trade_no for line in lines} == {sub.out_trade_no for sub in order.subs}
        assert {line.success_on for line in lines} == {local_date(AT)}
        nothing = world.client.statement(local_date(AT) + dt.timedelta(days=1))
        assert isinstance(nothing, Rejected)
        assert nothing.code == "NO_STATEMENT_EXIST"
    finally:
        world.close()


def test_lost_doubled_delayed_and_reordered_notices(world: World) -> None:
    world.sim.faults.set({"drop_notify_every": 1})
    world.sim.pay(world.create(plain("lll", 1)))
    world.sim.faults.set({"reset": True, "duplicate_notify": True})
    world.sim.pay(world.create(plain("mmm", 2)))
    wait_for(lambda: len(world.ear.heard) == 2)
    world.sim.faults.set({"reset": True, "reorder_notify": True})
    world.sim.pay(world.create(plain("nnn", 3)))
    world.sim.pay(world.create(plain("ooo", 4)))
    wait_for(lambda: len(world.ear.heard) == 4)
    numbers = [
        world.client.read_order(world.client.verify_notice(headers, raw, wire_now()).content).out_trade_no
        for headers, raw in world.ear.heard
    ]
    assert numbers == ["mmmorder", "mmmorder", "oooorder", "nnnorder"]


def test_a_notice_is_repeated_until_it_is_answered(world: World) -> None:
    world.ear.status = 500
    world.sim.pay(world.create(plain("ppp", 1)))
    wait_for(lambda: len(world.ear.heard) >= 3)
    world.ear.status = 200
    wait_for(lambda: world.sim.notifier.busy == 0)


def test_it_starts_only_as_a_simulator(keys_folder) -> None:
    with pytest.raises(RuntimeError, match="GATEWAY_MODE=sim"):
        start_gateway(keys_folder, environ={})
