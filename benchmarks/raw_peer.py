"""The physical limit of `split payment batched`: the same rows handed to the driver by executemany, nothing checked.

Everything is known beforehand (no reading, no allocation, no digest): only the database's own work is left, with the
same tables, keys, checks and triggers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

from benchmarks.paid_orders import AT, CHANNEL, LINE_FEN, PROVIDERS
from portal.billing.port import OrderState
from portal.billing.postings import kind_of
from portal.billing.tables import (
    Account,
    Allocation,
    Bill,
    BillLine,
    BookDay,
    Entry,
    Payment,
    PaymentLine,
    PaymentOrder,
    PaymentSubOrder,
    Split,
    TransferRow,
)
from portal.kernel.clock import local_date
from portal.kernel.database import db, transaction
from portal.kernel.ids import new_id
from portal.kernel.statements import Prepared, table_of

Row = dict[str, Any]
DAY = local_date(AT)
CUSTOMER = "UNALLOCATED:org-1"


def post(paid: Sequence[tuple[str, OrderState]]) -> None:
    """One transaction of executemany calls for these orders."""
    rows = _prepare([order_id for order_id, _ in paid])
    with transaction() as session:
        for statement, values in rows:
            statement.run(session, values)


def _prepare(order_ids: Sequence[str]) -> list[tuple[Prepared, list[Row]]]:
    lines = (
        db.session.query(PaymentSubOrder, PaymentLine, Bill.id)
        .join(PaymentLine, PaymentLine.sub_order_id == PaymentSubOrder.id)
        .join(BillLine, BillLine.id == PaymentLine.line_id)
        .join(Bill, Bill.id == BillLine.bill_id)
        .join(Payment, Payment.id == PaymentLine.payment_id)
        .filter(PaymentSubOrder.order_id.in_(order_ids))
        .all()
    )
    subs, allocations, splits, pays = [], [], [], []
    for sub, line, _bill in lines:
        subs.append({"key": sub.id, "transaction": f"42-{sub.id}", "day": DAY})
        pays.append({"key": line.line_id, "fen": line.amount_fen})
        allocations.append(_allocation(sub, line))
        splits.append(_split(sub, line))
    entries, transfers = _entries(order_ids)
    codes = sorted({row[side] for row in transfers for side in ("dr", "cr")})
    return [
        (_CLAIM, [{"key": order_id, "at": AT} for order_id in order_ids]),
        (_DAY, [{"new_day": DAY}]),
        (_SUB, subs),
        (_PAY, pays),
        (_ALLOCATION, allocations),
        (_SPLIT, splits),
        (_BILL, [{"key": bill, "at": AT} for bill in sorted({bill for _, _, bill in lines})]),
        (_ACCOUNT, [{"new_code": code, "new_kind": kind_of(code)} for code in codes]),
        (_ENTRY, entries),
        (_TRANSFER, transfers),
    ]


def _allocation(sub: PaymentSubOrder, line: PaymentLine) -> Row:
    return {
        "id": new_id(),
        "payment_id": line.payment_id,
        "order_id": sub.order_id,
        "sub_order_id": sub.id,
        "line_id": line.line_id,
        "provider": sub.provider,
        "rail": "COMBINE",
        "amount_fen": line.amount_fen,
        "booked_on": DAY,
    }


def _split(sub: PaymentSubOrder, line: PaymentLine) -> Row:
    return {
        "id": new_id(),
        "payment_id": line.payment_id,
        "order_id": sub.order_id,
        "provider": sub.provider,
        "amount_fen": sub.amount_fen,
        "split_at": AT,
    }


def _entries(order_ids: Sequence[str]) -> tuple[list[Row], list[Row]]:
    entries, transfers = [], []
    clearing = f"GW_CLEARING:{CHANNEL}"
    for order_id in order_ids:
        for kind, pairs in (
            ("captured", [(clearing, CUSTOMER, LINE_FEN * len(PROVIDERS))]),
            ("allocated", [(CUSTOMER, f"PAYABLE:{name}", LINE_FEN) for name in PROVIDERS]),
            ("paid_direct", [(f"PAYABLE:{name}", clearing, LINE_FEN) for name in PROVIDERS]),
        ):
            entry = _entry(order_id, kind, len(pairs))
            entries.append(entry)
            transfers += [
                {"entry_id": entry["id"], "seq": seq, "dr": dr, "cr": cr, "amount_fen": fen}
                for seq, (dr, cr, fen) in enumerate(pairs, start=1)
            ]
    return entries, transfers


def _entry(order_id: str, kind: str, count: int) -> Row:
    return {
        "id": new_id(),
        "source_type": "order",
        "source_id": order_id,
        "kind": kind,
        "accounting_day": DAY,
        "value_time": AT,
        "posted_at": AT,
        "n": count,
        "total_fen": LINE_FEN * len(PROVIDERS),
        "digest": "0" * 64,
        "reverses_id": None,
    }


def _change(model: Any, **columns: Any) -> Prepared:
    table = table_of(model)
    return Prepared(lambda _: update(table).where(table.c.id == bindparam("key")).values(**columns))


def _absent(model: Any, **columns: Any) -> Prepared:
    def make(dialect: str) -> ClauseElement:
        into = postgresql.insert if dialect == "postgresql" else sqlite.insert
        return into(table_of(model)).values(**columns).on_conflict_do_nothing()

    return Prepared(make)


_CLAIM = _change(PaymentOrder, state="SUCCESS", success_at=bindparam("at"))
_DAY = _absent(BookDay, day=bindparam("new_day"), state="open")
_SUB = _change(PaymentSubOrder, transaction_id=bindparam("transaction"), booked_on=bindparam("day"))
_PAY = _change(BillLine, paid_fen=table_of(BillLine).c.paid_fen + bindparam("fen"), held_by=None)
_BILL = _change(Bill, state="paid", paid_at=bindparam("at"))
_ACCOUNT = _absent(Account, code=bindparam("new_code"), kind=bindparam("new_kind"))
_ALLOCATION = Prepared(lambda _: insert(table_of(Allocation)))
_SPLIT = Prepared(lambda _: insert(table_of(Split)))
_ENTRY = Prepared(lambda _: insert(table_of(Entry)))
_TRANSFER = Prepared(lambda _: insert(table_of(TransferRow)))
