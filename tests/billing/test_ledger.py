"""Capture, allocation and the ledger on both databases: exactly once, insert-only, and tampering is found."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from portal.billing import capture as capture_module
from portal.billing.capture_check import find_difference
from portal.billing.ledger import post_entry, reverse_entry, stamp_day
from portal.billing.ledger_check import balances, verify_ledger
from portal.billing.postings import Movement, Transfer, build
from portal.billing.tables import (
    Allocation,
    Bill,
    BillLine,
    BookDay,
    Entry,
    PaymentOrder,
    PaymentSubOrder,
    Split,
)
from portal.kernel.clock import local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict
from tests.billing.billing_world import capture, make_bill, make_order, paid_state, with_sub
from tests.conftest import AT

FIVE = {"gas": 1, "heating": 99_999_999_99, "network": 1_00, "power": 250_000_00, "water": 1_234_56}


@pytest.fixture
def paid(bare_app: Flask):
    with transaction() as session:
        order = make_order(session, make_bill(session, FIVE))
        order_id, state = order.id, paid_state(session, order)
    return order_id, state


def test_a_captured_order_is_allocated_split_and_booked(paid) -> None:
    order_id, state = paid
    captured = capture(order_id, state)
    assert captured is not None
    assert captured.by_provider == tuple(sorted(FIVE.items()))
    assert (captured.unallocated_fen, captured.is_late, len(captured.paid_bills)) == (0, False, 1)
    assert db.session.query(Split.provider, Split.amount_fen).order_by(Split.provider).all() == sorted(FIVE.items())
    assert {line.paid_fen == line.due_fen for line in db.session.query(BillLine)} == {True}
    assert db.session.query(Bill.state).scalar() == "paid"
    assert not any(balances(db.session()).values())
    assert sorted(kind for (kind,) in db.session.query(Entry.kind)) == ["allocated", "captured", "paid_direct"]
    assert verify_ledger(db.session()) is None


def test_the_second_capture_changes_nothing(paid) -> None:
    assert capture(*paid) is not None
    assert capture(*paid) is None
    assert db.session.query(Allocation).count() == 5


@pytest.mark.parametrize("state", ["CLOSED", "EXPIRED"])
def test_money_that_comes_after_we_closed_is_kept_unallocated(bare_app: Flask, state: str) -> None:
    with transaction() as session:
        order = make_order(session, make_bill(session, FIVE), state=state)
        order_id, word = order.id, paid_state(session, order)
    captured = capture(order_id, word)
    assert captured is not None
    assert captured.is_late
    assert captured.unallocated_fen == sum(FIVE.values())
    assert balances(db.session())["UNALLOCATED:org-1"] == sum(FIVE.values())
    assert db.session.query(Allocation).count() == 0
    assert db.session.query(Bill.state).scalar() == "issued"
    assert verify_ledger(db.session()) is None


def test_two_orders_for_the_same_lines_pay_them_once(bare_app: Flask) -> None:
    with transaction() as session:
        bill = make_bill(session, FIVE)
        orders = [make_order(session, bill) for _ in range(2)]
        words = [(order.id, paid_state(session, order)) for order in orders]
    first, second = (capture(*word) for word in words)
    assert first is not None
    assert second is not None
    assert second.unallocated_fen == sum(FIVE.values())
    assert verify_ledger(db.session()) is None


def _race(app: Flask, jobs) -> list[object]:
    gate, results = threading.Barrier(len(jobs)), []

    def run(job) -> None:
        with app.app_context():
            gate.wait()
            try:
                results.append(job())
            except Exception as error:
                results.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_eight_captures_at_once_book_once(bare_app: Flask, paid) -> None:
    results = _race(bare_app, [lambda: capture(*paid)] * 8)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert sum(r is not None for r in results) == 1
    assert verify_ledger(db.session()) is None
    assert db.session.query(Allocation).count() == 5


def test_eight_orders_for_one_bill_at_once_never_overpay_it(bare_app: Flask) -> None:
    with transaction() as session:
        bill = make_bill(session, FIVE)
        words = [(o.id, paid_state(session, o)) for o in (make_order(session, bill) for _ in range(8))]
    results = _race(bare_app, [lambda word=word: capture(*word) for word in words])
    assert [r for r in results if isinstance(r, Exception)] == []
    assert sum(r.unallocated_fen for r in results) == 7 * sum(FIVE.values())
    assert {line.paid_fen == line.due_fen for line in db.session.query(BillLine)} == {True}
    assert verify_ledger(db.session()) is None


def test_without_the_guard_the_race_is_stopped_by_the_unique_key_alone(
    bare_app: Flask, paid, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The negative control: with the guarded UPDATE off, the race shows (as errors), so the tests above can fail.
    monkeypatch.setattr(capture_module, "_claim", lambda _session, found: {order.id: False for order, _ in found})
    results = _race(bare_app, [lambda: capture(*paid)] * 4)
    assert sum(isinstance(r, IntegrityError) for r in results) == 3
    assert db.session.query(Allocation).count() == 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount_fen": 2}, "amount"),
        ({"merchant_id": "other"}, "merchant"),
        ({"currency": "USD"}, "currency"),
        ({"transaction_id": None}, "transaction_id"),
        ({"success_at": None}, "success_time"),
        ({"out_trade_no": "alien"}, "sub_orders"),
    ],
)
def test_a_word_that_is_not_about_our_order_is_named(paid, change, reason: str) -> None:
    order_id, state = paid
    session = db.session()
    order = session.get_one(PaymentOrder, order_id)
    subs = session.query(PaymentSubOrder).filter_by(order_id=order_id).all()
    assert find_difference(order, subs, state) is None
    assert reason in str(find_difference(order, subs, with_sub(state, **change)))


# ---- the ledger itself

TABLES = ("transfer", "entry", "allocation", "split", "payment", "payment_line", "account")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_the_database_refuses_to_change_what_is_booked(paid, table: str, verb: str) -> None:
    capture(*paid)
    column = {"account": "code", "transfer": "entry_id"}.get(table, "id")
    statement = f"UPDATE {table} SET {column} = {column}" if verb == "UPDATE" else f"DELETE FROM {table}"
    with pytest.raises(DatabaseError, match="insert-only"), transaction() as session:
        session.execute(text(statement))


def _loosen(session, table: str) -> None:
    """What somebody with the database's own rights could do."""
    if session.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            session.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
    else:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


@pytest.mark.parametrize(
    ("table", "statement", "invariant"),
    [
        ("transfer", "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE seq = 1", "I2"),
        ("transfer", "UPDATE transfer SET dr = 'SUSPENSE_SHORT:wechat' WHERE seq = 1 AND dr LIKE 'GW%'", "I2"),
        ("transfer", "DELETE FROM transfer WHERE seq = 5", "I2"),
        ("entry", "UPDATE entry SET accounting_day = '2026-11-22'", "I2"),
        ("entry", "UPDATE entry SET kind = 'other' WHERE kind = 'captured'", "I2"),
        ("allocation", "UPDATE allocation SET amount_fen = amount_fen + 1 WHERE provider = 'gas'", "I3"),
        ("split", "UPDATE split SET amount_fen = amount_fen + 1 WHERE provider = 'gas'", "I3"),
        ("split", "DELETE FROM split WHERE provider = 'water'", "I3"),
        (None, "UPDATE payment_order SET state = 'CLOSED'", "I3"),
        (None, "UPDATE payment_sub_order SET amount_fen = amount_fen + 1 WHERE provider = 'gas'", "I3"),
        (None, "UPDATE bill_line SET paid_fen = 0 WHERE provider = 'gas'", "I4"),
        (None, "UPDATE bill SET state = 'issued'", "I4"),
        (None, "INSERT INTO account_guard (account, balance_fen) VALUES ('PAYABLE:gas', 7)", "I8"),
    ],
)
def test_tampering_is_found_and_named(paid, table, statement: str, invariant: str) -> None:
    capture(*paid)
    assert verify_ledger(db.session()) is None
    with transaction() as session:
        session.execute(text("INSERT INTO account (code, kind) VALUES ('SUSPENSE_SHORT:wechat', 'A')"))
        if table:
            _loosen(session, table)
        session.execute(text(statement))
    broken = verify_ledger(db.session())
    assert broken is not None
    assert broken.invariant == invariant


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bill_line SET paid_fen = due_fen + 1",
        "UPDATE bill_line SET paid_fen = -1",
        "INSERT INTO transfer (entry_id, seq, dr, cr, amount_fen) "
        "SELECT id, 99, 'PAYABLE:gas', 'PAYABLE:gas', 1 FROM entry",
        "INSERT INTO transfer (entry_id, seq, dr, cr, amount_fen) "
        "SELECT id, 99, 'PAYABLE:gas', 'PAYABLE:water', 0 FROM entry",
        "INSERT INTO account_guard (account, balance_fen) VALUES ('PAYABLE:gas', -1)",
    ],
)
def test_the_checks_of_the_database_bite(paid, statement: str) -> None:
    capture(*paid)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(statement))


def _post(kind: str, transfers: tuple[Transfer, ...], source: str = "x") -> str | None:
    with transaction() as session:
        return post_entry(
            session,
            source=("test", source),
            kind=kind,
            transfers=transfers,
            day=stamp_day(session, AT),
            value_time=AT,
            at=AT,
        )


def test_a_payable_cannot_fall_below_zero(bare_app: Flask) -> None:
    rows = build("paid_direct", [Movement(1, provider="gas")], channel="wechat")
    with pytest.raises(Conflict) as refused:
        _post("paid_direct", rows)
    assert refused.value.code == "payable_below_zero"
    assert db.session.query(Entry).count() == 0


def test_the_same_source_and_kind_is_booked_once_and_nothing_is_no_entry(bare_app: Flask) -> None:
    rows = build("captured", [Movement(5, customer="c")], channel="wechat")
    assert _post("captured", ()) is None
    assert _post("captured", rows)
    with pytest.raises(IntegrityError):
        _post("captured", rows)


def test_a_correction_is_a_reversal_and_there_is_one(bare_app: Flask) -> None:
    entry_id = _post("captured", build("captured", [Movement(5, customer="c")], channel="wechat"))
    assert entry_id
    with transaction() as session:
        reverse_entry(session, entry_id, at=AT)
    assert not any(balances(db.session()).values())
    with pytest.raises(IntegrityError), transaction() as session:
        reverse_entry(session, entry_id, at=AT)


def test_nothing_is_booked_on_a_closed_day(bare_app: Flask) -> None:
    with transaction() as session:
        session.add(BookDay(day=local_date(AT), state="closed"))
    with transaction() as session:
        assert stamp_day(session, AT) == local_date(AT) + dt.timedelta(days=1)
    with transaction() as session:
        assert stamp_day(session, AT - dt.timedelta(days=1)) == local_date(AT) - dt.timedelta(days=1)
