"""What the gateway and its payers do wrong, late or twice, and that the money is booked once all the same."""

# ruff: noqa: F811 - pytest fixtures come in by name

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from sqlalchemy import select

from portal.billing.ledger_check import verify_ledger
from portal.billing.queries import is_bill_paid
from portal.billing.tables import Allocation, GatewayNotice, PaymentOrder
from portal.cases.tables import CaseEvent
from portal.documents.tables import Document
from portal.exchange.tables import OutboxMessage
from portal.journey import payment, payment_watch
from portal.kernel.database import db
from tests.conftest import AT
from tests.journey.payment_fixtures import gateway_keys, town  # noqa: F401 - fixtures
from tests.journey.payment_world import ALONE, AMOUNTS, DRAFTS, Town, draft
from tests.payment.gateway_world import wire_now

TOTAL = sum(AMOUNTS.values()) + sum(ALONE.values())


def states(model=PaymentOrder) -> list[str]:
    found = sorted(db.session.scalars(select(model.state)))
    db.session.remove()
    return found


def documents(kind: str) -> list[Document]:
    return list(db.session.scalars(select(Document).where(Document.kind == kind).order_by(Document.number)))


def events(type_: str) -> list[OutboxMessage]:
    return list(
        db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == type_).order_by(OutboxMessage.seq))
    )


def all_is_well() -> None:
    broken = verify_ledger(db.session())
    assert broken is None, broken


def test_a_lost_notice_is_made_good_by_asking(town: Town) -> None:
    town.gateway.sim.faults.set({"drop_notify_every": 1})
    town.issue()
    started = town.start()
    town.deliver()
    town.pay(started)
    assert states() == ["SUBMITTED", "SUBMITTED"]
    town.work("query_payment")
    assert states() == ["SUCCESS", "SUCCESS"]
    all_is_well()


def test_an_order_that_waits_for_its_payer_is_no_work_and_the_calendar_asks_again(town: Town) -> None:
    town.gateway.sim.faults.set({"drop_notify_every": 1})
    town.issue()
    started = town.start()
    town.deliver()
    town.work("query_payment")  # ends by itself: nobody has paid yet
    assert town.ran.count("query_payment") == 4 * len(started.orders)
    town.pay(started)
    assert payment_watch.queue_due_questions(at=AT, wire_at=wire_now()) == 0
    due = payment_watch.next_question_at(db.session())
    assert due == AT + dt.timedelta(minutes=15)
    assert payment_watch.queue_due_questions(at=due, wire_at=wire_now()) == 2
    assert payment_watch.queue_due_questions(at=due, wire_at=wire_now()) == 0
    town.work("query_payment")
    assert states() == ["SUCCESS", "SUCCESS"]
    assert payment_watch.next_question_at(db.session()) is None


def test_the_calendar_asks_ever_less_often_and_once_right_behind_expiry() -> None:
    over, at, asked = AT + dt.timedelta(hours=24), AT + dt.timedelta(minutes=15), []
    while at < over + dt.timedelta(hours=12):
        asked.append(at)
        at = payment_watch.following(AT, over, at)
    steps = [b - a for a, b in pairwise(asked)]
    assert over + dt.timedelta(seconds=1) in asked
    assert max(steps) == dt.timedelta(hours=6)
    assert len(asked) < 16


def test_no_answer_is_unknown_and_the_same_bytes_are_sent_again(town: Town) -> None:
    town.gateway.sim.faults.set({"fail_after_commit_every": 1})
    town.issue()
    started = town.start()
    town.deliver()
    assert states() == ["UNKNOWN", "UNKNOWN"]
    town.gateway.sim.faults.set({"reset": True})
    town.deliver()
    assert states() == ["SUBMITTED", "SUBMITTED"]
    assert town.gateway.sim.book.activity["order"] == 2
    town.pay(started)


def test_an_answer_that_comes_after_the_notice_changes_nothing(town: Town) -> None:
    town.issue()
    started = town.start()
    town.gateway.sim.faults.set({"fail_after_commit_every": 1})
    town.deliver()
    for order in list(town.gateway.sim.book.orders.values()):
        town.gateway.sim.pay(order.token)
    town.hear(2)
    town.work("apply_notice")
    assert states() == ["SUCCESS", "SUCCESS"]
    for order in started.orders:
        payment.apply_order_answer(order.order_id, 500, b"", at=AT, wire_at=wire_now())
        payment.apply_order_answer(order.order_id, 400, b'{"code":"ORDERPAID"}', at=AT, wire_at=wire_now())
    assert states() == ["SUCCESS", "SUCCESS"]
    all_is_well()


def test_already_paid_is_no_refusal(town: Town) -> None:
    town.issue([draft("gas-linhe", 5_00)])
    order_id = town.start().orders[0].order_id
    town.gateway.sim.faults.set({"fail_after_commit_every": 1, "drop_notify_every": 1})
    town.deliver()
    town.gateway.sim.pay(next(iter(town.gateway.sim.book.orders.values())).token)
    town.gateway.sim.faults.set({"reset": True})
    town.deliver()
    assert states() == ["UNKNOWN"]
    assert payment.query_order(order_id, at=AT, wire_at=wire_now()) == "SUCCESS"
    assert is_bill_paid(db.session(), town.case.id)


def test_a_refused_order_lets_the_lines_go(town: Town) -> None:
    town.issue()
    order = town.start().orders[0]
    payment.apply_order_answer(order.order_id, 400, b'{"code":"PARAM_ERROR"}', at=AT, wire_at=wire_now())
    again = town.start("again")
    assert again.payment_id != order.order_id
    assert {o.amount_fen for o in again.orders} == {order.amount_fen}
    assert "payment_refused" in set(db.session.scalars(select(CaseEvent.kind)))


def test_a_wrong_amount_is_refused_with_an_alarm_and_asking_puts_it_right(town: Town) -> None:
    town.gateway.sim.faults.set({"wrong_amount_every": 1})
    town.issue()
    started = town.start()
    town.deliver()
    town.pay(started)
    town.hear(2)
    town.work("apply_notice")
    assert states(GatewayNotice) == ["refused", "refused"]
    assert states() == ["SUBMITTED", "SUBMITTED"]
    assert list(db.session.scalars(select(CaseEvent.kind))).count("payment_mismatch") == 2
    payment.query_order(started.orders[0].order_id, at=AT, wire_at=wire_now())
    payment.query_order(started.orders[1].order_id, at=AT, wire_at=wire_now())
    assert states() == ["SUCCESS", "SUCCESS"]
    all_is_well()


def test_a_notice_of_another_merchants_contract_is_refused(town: Town) -> None:
    town.issue()
    started = town.start()
    town.deliver()
    town.pay(started)
    for order in town.gateway.sim.book.orders.values():
        order.app_id = "wx-other"
    town.hear(2)  # made before the change
    for order in started.orders:
        payment.query_order(order.order_id, at=AT, wire_at=wire_now())
    assert states() == ["SUBMITTED", "SUBMITTED"]


def test_forged_stale_and_oversized_notices_leave_nothing(town: Town) -> None:
    town.issue()
    started = town.start()
    town.deliver()
    town.pay(started)
    while len(town.gateway.ear.heard) < 2:
        pass
    headers, raw = town.gateway.ear.heard[0]
    late = wire_now() + dt.timedelta(minutes=6)
    assert payment.receive_notice(headers, raw, wire_at=late) == 401
    assert payment.receive_notice(headers, raw[:-2] + b" }", wire_at=wire_now()) == 401
    assert payment.receive_notice({}, b"{}", wire_at=wire_now()) == 401
    assert payment.receive_notice(headers, b"x" * 70_000, wire_at=wire_now()) == 413
    assert db.session.query(GatewayNotice).count() == 0
    assert town.hear(2) == [200, 200]
    assert payment.receive_notice(headers, raw, wire_at=wire_now()) == 200
    assert db.session.query(GatewayNotice).count() == 2


def test_an_order_nobody_pays_is_closed_at_its_time_and_can_be_started_again(town: Town) -> None:
    town.issue()
    started = town.start()
    town.deliver()
    town.move_to(AT + dt.timedelta(hours=25))
    for order in started.orders:
        assert payment.query_order(order.order_id, at=town.at, wire_at=wire_now()) == "EXPIRED"
    assert {order.state for order in town.gateway.sim.book.orders.values()} == {"CLOSED"}
    again = town.start("again")
    assert again.payment_id != started.payment_id
    town.deliver()
    town.pay(again)
    town.hear(2)
    town.work("apply_notice")
    assert is_bill_paid(db.session(), town.case.id)
    all_is_well()


def test_a_payer_faster_than_our_closing_is_booked(town: Town) -> None:
    town.gateway.sim.faults.set({"drop_notify_every": 1})
    town.issue([draft("gas-linhe", 5_00)])
    started = town.start()
    town.deliver()
    town.gateway.sim.pay(town.token(started.orders[0].order_id))
    town.move_to(AT + dt.timedelta(hours=25))
    assert payment.query_order(started.orders[0].order_id, at=town.at, wire_at=wire_now()) == "SUCCESS"
    assert is_bill_paid(db.session(), town.case.id)


def test_success_after_local_closed_is_booked_unallocated(town: Town) -> None:
    town.issue([draft("gas-linhe", 5_00)])
    order_id = town.start().orders[0].order_id
    town.deliver()
    town.gateway.sim.pay(town.token(order_id))
    payment.apply_order_answer(order_id, 200, b"{}", at=AT, wire_at=wire_now())
    from portal.kernel.database import transaction

    with transaction() as session:
        session.query(PaymentOrder).update({"state": "CLOSED"})
    town.hear(1)
    town.work("apply_notice")
    order = db.session.scalars(select(PaymentOrder)).one()
    assert (order.state, order.is_late) == ("SUCCESS", True)
    assert db.session.query(Allocation).count() == 0
    assert "payment_unallocated" in set(db.session.scalars(select(CaseEvent.kind)))
    all_is_well()


def test_the_order_rows_hold_the_exact_bytes(town: Town) -> None:
    town.issue()
    started = town.start()
    rows = {m.message_id: m for m in events("order")}
    assert set(rows) == {order.order_id for order in started.orders}
    before = {key: row.body for key, row in rows.items()}
    town.deliver()
    assert {m.message_id: m.body for m in events("order")} == before
    assert len(DRAFTS) == 5
