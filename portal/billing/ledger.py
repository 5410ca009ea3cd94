"""Writing the ledger: one entry, its balanced transfers, its accounting day. Steps only; nothing here commits."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.billing.postings import Transfer, is_guarded, kind_of, reverse, signed
from portal.billing.tables import Account, AccountGuard, BookDay, Entry, TransferRow
from portal.kernel.clock import local_date
from portal.kernel.database import Base
from portal.kernel.errors import Conflict
from portal.kernel.ids import new_id


def stamp_day(session: Session, at: dt.datetime) -> dt.date:
    """The accounting day for a posting made at business time `at`: its Shanghai day, or the next one still open.

    The row stays share-locked until the transaction ends, so a day cannot close under a posting.
    """
    day = local_date(at)
    while True:
        insert_absent(session, BookDay, [{"day": day, "state": "open"}])
        row = session.execute(select(BookDay.state).where(BookDay.day == day).with_for_update(read=True)).scalar_one()
        if row == "open":
            return day
        day += dt.timedelta(days=1)


def post_entry(
    session: Session,
    *,
    source: tuple[str, str],
    kind: str,
    transfers: Sequence[Transfer],
    day: dt.date,
    value_time: dt.datetime,
    at: dt.datetime,
    reverses_id: str | None = None,
) -> str | None:
    """Write one entry for `source` = (type, id); None where there is nothing to write. Answers the entry's id.

    The same (source, kind) a second time violates a unique key. Raises Conflict (`payable_below_zero`) if a guarded
    balance would fall below 0.
    """
    if not transfers:
        return None
    codes = sorted({code for t in transfers for code in (t.dr, t.cr)})
    insert_absent(session, Account, [{"code": code, "kind": kind_of(code)} for code in codes])
    entry = Entry(
        id=new_id(),
        source_type=source[0],
        source_id=source[1],
        kind=kind,
        accounting_day=day,
        value_time=value_time,
        posted_at=at,
        n=len(transfers),
        total_fen=sum(t.amount_fen for t in transfers),
        digest=digest(source, kind, day, transfers),
        reverses_id=reverses_id,
    )
    session.add(entry)
    session.flush()
    _add_transfers(session, entry.id, transfers)
    _move_guards(session, transfers)
    return entry.id


def _add_transfers(session: Session, entry_id: str, transfers: Sequence[Transfer]) -> None:
    session.add_all(
        TransferRow(entry_id=entry_id, seq=seq, dr=t.dr, cr=t.cr, amount_fen=t.amount_fen)
        for seq, t in enumerate(transfers, start=1)
    )
    session.flush()


def reverse_entry(session: Session, entry_id: str, *, at: dt.datetime) -> str | None:
    """Undo an entry by its mirror image, on the accounting day of `at`. A second reversal violates a unique key."""
    entry = session.get_one(Entry, entry_id)
    return post_entry(
        session,
        source=("entry", entry_id),
        kind="reversal",
        transfers=reverse(transfers_of(session, entry_id)),
        day=stamp_day(session, at),
        value_time=entry.value_time,
        at=at,
        reverses_id=entry_id,
    )


def transfers_of(session: Session, entry_id: str) -> tuple[Transfer, ...]:
    """The transfers of an entry, in order."""
    rows = session.scalars(select(TransferRow).where(TransferRow.entry_id == entry_id).order_by(TransferRow.seq))
    return tuple(Transfer(row.dr, row.cr, row.amount_fen) for row in rows)


def digest(source: tuple[str, str], kind: str, day: dt.date, transfers: Sequence[Transfer]) -> str:
    """The fingerprint an entry keeps of itself; a changed, added or removed row shows."""
    lines = [f"{source[0]}|{source[1]}|{kind}|{day.isoformat()}"]
    lines += [f"{t.dr}|{t.cr}|{t.amount_fen}" for t in transfers]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def insert_absent(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """INSERT … ON CONFLICT DO NOTHING, in the order given (sort first, so that two writers cannot deadlock)."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    for row in rows:
        session.execute(make(model).values(**row).on_conflict_do_nothing())


def _move_guards(session: Session, transfers: Sequence[Transfer]) -> None:
    changes: dict[str, int] = defaultdict(int)
    for t in transfers:
        changes[t.dr] += signed(t.dr, t.amount_fen, 0)
        changes[t.cr] += signed(t.cr, 0, t.amount_fen)
    for account in sorted(code for code, fen in changes.items() if fen and is_guarded(code)):
        insert_absent(session, AccountGuard, [{"account": account, "balance_fen": 0}])
        balance = AccountGuard.balance_fen + changes[account]
        result = session.execute(
            update(AccountGuard)
            .where(AccountGuard.account == account, balance >= 0)
            .values(balance_fen=balance)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)
        if result.rowcount != 1:
            raise Conflict("应付余额不足，不能记账。", code="payable_below_zero", facts={"account": account})
