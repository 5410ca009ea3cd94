"""Settlement per provider and day, and reconciliation with the gateway's statement, on both databases."""

# ruff: noqa: F811 - pytest fixtures come in by name

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter

import pytest
from sqlalchemy import select

from portal.billing.ledger_check import balances, verify_ledger
from portal.billing.queries import case_money
from portal.billing.tables import BookDay, ReconItem, Settlement, SettlementItem, StatementFile, StatementLine
from portal.exchange.tables import OutboxMessage
from portal.journey import payment
from portal.journey.reconciliation import fetch_statement, import_statement, reconcile_day
from portal.journey.settlement import days_to_reconcile, days_to_settle, settle_day
from portal.kernel.clock import local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, Invalid, Unavailable
from tests.conftest import AT
from tests.journey.payment_fixtures import gateway_keys, town  # noqa: F401 - fixtures
from tests.journey.payment_world import ALONE, AMOUNTS, DRAFTS, Town, draft
from tests.payment.gateway_world import wire_now

DAY = local_date(AT)
NEXT = DAY + dt.timedelta(days=1)
MORNING = AT + dt.timedelta(days=1, hours=1)  # 10:00 on the next day
LATER = MORNING + dt.timedelta(days=1)


def settle(day: dt.date = DAY, at: dt.datetime = MORNING) -> list[str]:
    return settle_day(day, at=at, wire_at=wire_now())


def reconcile(day: dt.date = DAY, at: dt.datetime = MORNING):
    return reconcile_day(day, at=at, wire_at=wire_now())


def settlements() -> dict[str, str]:
    found = {row.provider: row.state for row in db.session.scalars(select(Settlement))}
    db.session.remove()
    return found


def items(state: str) -> list[str]:
    found = sorted(db.session.scalars(select(ReconItem.class_).where(ReconItem.state == state)))
    db.session.remove()
    return found


def all_is_well() -> None:
    broken = verify_ledger(db.session())
    assert broken is None, broken


def test_a_day_is_settled_reconciled_and_told(town: Town) -> None:
    town.pay_bill()
    assert days_to_settle(db.session(), DAY) == []
    assert days_to_settle(db.session(), NEXT) == [DAY]
    assert days_to_reconcile(db.session(), NEXT) == [DAY]
    db.session.remove()
    assert len(settle()) == 5
    assert days_to_settle(db.session(), NEXT) == []
    db.session.remove()
    result = reconcile()
    assert result.counts == (("MATCHED", 5),)
    assert result.broken is None
    assert set(settlements().values()) == {"RECONCILED"}
    assert days_to_reconcile(db.session(), NEXT) == []
    assert db.session.get_one(BookDay, DAY).state == "reconciled"
    record = case_money(db.session(), town.case.id)
    assert {s["provider"]: s["net_fen"] for s in record["settlements"]} == {**AMOUNTS, **ALONE}
    told = db.session.scalars(select(OutboxMessage.destination).where(OutboxMessage.kind == "settlement.paid")).all()
    assert sorted(told) == sorted(f"provider:{code}" for code in {**AMOUNTS, **ALONE})
    all_is_well()


def test_settling_again_or_eight_times_at_once_adds_nothing(town: Town) -> None:
    town.pay_bill()
    results = town.race([settle] * 8)
    assert sorted(len(r) for r in results) == [0] * 7 + [5]
    assert settle() == []
    assert db.session.query(SettlementItem).count() == 5


def test_reconciling_again_changes_nothing_and_another_file_is_refused(town: Town) -> None:
    town.pay_bill()
    assert reconcile().is_new
    lines = db.session.query(StatementLine).count()
    assert not reconcile().is_new
    assert (db.session.query(StatementFile).count(), db.session.query(StatementLine).count()) == (1, lines)
    assert db.session.query(OutboxMessage).filter_by(kind="settlement.paid").count() == 5
    db.session.remove()
    town.gateway.sim.faults.set({"statement": ["missing"]})
    with pytest.raises(Conflict) as refused:
        reconcile()
    assert refused.value.code == "statement_changed"


def test_eight_imports_at_once_store_one_file(town: Town) -> None:
    town.pay_bill()
    settle()
    statement = fetch_statement(DAY)
    results = town.race(
        [lambda: import_statement(DAY, statement.content, statement.sha1, at=MORNING, wire_at=wire_now())] * 8
    )
    assert [r for r in results if isinstance(r, Exception)] == []
    assert sum(r.is_new for r in results) == 1
    assert db.session.query(OutboxMessage).filter_by(kind="settlement.paid").count() == 5
    all_is_well()


def test_a_file_that_is_not_what_was_signed_for_is_refused(town: Town) -> None:
    town.pay_bill()
    statement = fetch_statement(DAY)
    with pytest.raises(Conflict) as refused:
        import_statement(DAY, statement.content + b"\n", statement.sha1, at=MORNING, wire_at=wire_now())
    assert refused.value.code == "bad_hash"
    garbage = b"not a statement"
    sha1 = hashlib.sha1(garbage, usedforsecurity=False).hexdigest()
    with pytest.raises(Invalid):
        import_statement(DAY, garbage, sha1, at=MORNING, wire_at=wire_now())
    assert db.session.query(StatementFile).count() == 0


def test_no_gateway_no_statement_and_it_is_tried_again(town: Town) -> None:
    town.pay_bill()
    town.gateway.sim.faults.set({"error_500_every": 1})
    with pytest.raises(Unavailable):
        reconcile()
    town.gateway.sim.faults.set({"reset": True})
    assert reconcile().counts == (("MATCHED", 5),)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("missing", {"MATCHED": 4, "SHORT": 1}),
        ("extra", {"MATCHED": 5, "LONG": 1}),
        ("altered", {"MATCHED": 4, "AMOUNT": 1}),
        ("duplicate", {"MATCHED": 5, "DUPLICATE": 1}),
        ("fee", {"MATCHED": 4, "FEE": 1}),
        ("status", {"MATCHED": 4, "STATUS": 1}),
    ],
)
def test_every_difference_has_its_class_and_holds_only_its_own_settlement(town: Town, fault: str, expected) -> None:
    town.pay_bill()
    town.gateway.sim.faults.set({"statement": [fault]})
    result = reconcile()
    assert dict(result.counts) == expected
    states = Counter(settlements().values())
    assert states == ({"RECONCILED": 5} if fault == "extra" else {"RECONCILED": 4, "HELD": 1})
    assert items("rolled") == [c for c in expected if c in ("LONG", "SHORT")]
    all_is_well()


def test_what_stays_missing_goes_into_suspense_and_what_turns_up_comes_out(town: Town) -> None:
    town.pay_bill()
    town.gateway.sim.faults.set({"statement": ["missing", "extra"]})
    reconcile()
    assert items("rolled") == ["LONG", "SHORT"]
    assert days_to_reconcile(db.session(), NEXT + dt.timedelta(days=1)) == [NEXT]
    db.session.remove()
    town.gateway.sim.faults.set({"reset": True})
    result = reconcile(NEXT, LATER)
    assert items("open") == ["LONG", "SHORT"]
    found = balances(db.session())
    assert found["SUSPENSE_LONG:wechat"] == 100
    assert found["SUSPENSE_SHORT:wechat"] == ALONE["net-mobile"] or found["SUSPENSE_SHORT:wechat"] in AMOUNTS.values()
    assert result.broken is None
    all_is_well()


def test_paid_before_midnight_told_after_it_is_a_cutoff(town: Town) -> None:
    # 23:59:59 in Shanghai at the gateway; we hear of it on the next day, after that day's statement was fetched.
    late = dt.datetime(2026, 11, 23, 15, 59, 59, tzinfo=dt.UTC)
    town.issue([draft("gas-linhe", 5_00), draft("water-linhe", 7_00)])
    started = town.start()
    town.deliver()
    town.move_to(late)
    town.gateway.sim.faults.set({"drop_notify_every": 1})
    town.pay(started)
    town.move_to(MORNING)
    first = reconcile(DAY, MORNING)
    assert first.counts == (("LONG", 2),)
    assert items("rolled") == ["LONG", "LONG"]
    town.work("query_payment")  # a long item with our number is asked about at once
    assert settlements() == {}
    settle(NEXT, LATER)
    second = reconcile(NEXT, LATER)
    assert second.counts == ()
    assert items("closed") == ["CUTOFF", "CUTOFF"]
    assert settlements() == {"gas-linhe": "RECONCILED", "water-linhe": "RECONCILED"}
    all_is_well()


def test_told_just_after_midnight_is_a_cutoff_at_once(town: Town) -> None:
    town.issue([draft("gas-linhe", 5_00)])
    started = town.start()
    town.deliver()
    town.move_to(dt.datetime(2026, 11, 23, 15, 59, 59, tzinfo=dt.UTC))
    town.pay(started)
    town.move_to(dt.datetime(2026, 11, 23, 16, 0, 1, tzinfo=dt.UTC))
    town.hear(1)
    town.work("apply_notice")
    assert reconcile(DAY, MORNING).counts == (("CUTOFF", 1),)
    settle(NEXT, LATER)
    assert reconcile(NEXT, LATER).counts == ()
    assert settlements() == {"gas-linhe": "RECONCILED"}
    all_is_well()


def test_a_long_item_in_suspense_comes_out_by_reversal(town: Town) -> None:
    town.issue([draft("gas-linhe", 5_00)])
    started = town.start()
    town.deliver()
    town.gateway.sim.faults.set({"drop_notify_every": 1})
    town.pay(started)
    reconcile(DAY, MORNING)
    reconcile(NEXT, LATER)  # nobody asked in between: it counts now
    assert items("open") == ["LONG"]
    assert balances(db.session())["SUSPENSE_LONG:wechat"] == 500
    all_is_well()
    db.session.remove()
    town.move_to(LATER)
    payment.query_order(started.orders[0].order_id, at=LATER, wire_at=wire_now())
    third = NEXT + dt.timedelta(days=1)
    reconcile(third, LATER + dt.timedelta(days=1))
    assert items("closed") == ["CUTOFF"]
    assert balances(db.session())["SUSPENSE_LONG:wechat"] == 0
    assert settlements() == {"gas-linhe": "RECONCILED"}
    all_is_well()


def test_the_fee_of_the_statement_is_what_the_settlement_shows(town: Town) -> None:
    town.pay_bill()
    town.gateway.sim.book.fee_ppm = 6_000
    with transaction() as session:
        for sub in session.query(payment.PaymentSubOrder):
            sub.expected_fee_fen = town.gateway.sim.book.fee_of(sub.amount_fen)
    assert reconcile().counts == (("MATCHED", 5),)
    gas = db.session.scalars(select(Settlement).where(Settlement.provider == "gas-linhe")).one()
    assert (gas.gross_fen, gas.fee_fen, gas.net_fen) == (3_300_00, 19_80, 3_280_20)
    shares = {s["provider"]: s["fee_fen"] for s in case_money(db.session(), town.case.id)["settlements"]}
    assert shares["gas-linhe"] == 19_80
    assert len(DRAFTS) == len(shares)
    all_is_well()


def test_books_that_do_not_agree_keep_the_day_from_being_reconciled(town: Town) -> None:
    town.pay_bill()
    with transaction() as session:
        session.query(payment.PaymentOrder).filter_by(rail="PLAIN").update({"state": "CLOSED"})
    result = reconcile()
    assert result.broken is not None
    assert result.broken.invariant == "I3"
    assert db.session.get_one(BookDay, DAY).state == "closed"
