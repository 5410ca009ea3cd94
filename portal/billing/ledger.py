"""Writing the ledger: entries, their balanced transfers, their accounting day. Steps only; nothing here commits.

One function posts, however many entries: what one payment brings is written in a handful of statements.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import ClauseElement

from portal.billing.postings import Transfer, is_guarded, kind_of, reverse, signed
from portal.billing.tables import Account, AccountGuard, BookDay, Entry, TransferRow
from portal.kernel.clock import local_date
from portal.kernel.database import Base
from portal.kernel.errors import Conflict
from portal.kernel.ids import new_id
from portal.kernel.statements import Prepared, table_of


@dataclass(frozen=True, slots=True)
class Posting:
    """What one entry says: its `source` (type, id) and kind, which together are posted once, and its transfers."""

    source: tuple[str, str]
    kind: str
    transfers: Sequence[Transfer]
    day: dt.date
    value_time: dt.datetime
    reverses_id: str | None = None


def stamp_day(session: Session, at: dt.datetime) -> dt.date:
    """The accounting day for a posting made at business time `at`: its Shanghai day, or the next one still open.

    The row stays share-locked until the transaction ends, so a day cannot close under a posting.
    """
    day = local_date(at)
    while True:
        state = _day_state(session, day)
        if state is None:
            insert_absent(session, BookDay, [{"day": day, "state": "open"}])
            state = _day_state(session, day)
        if state == "open":
            return day
        day += dt.timedelta(days=1)


def _day_state(session: Session, day: dt.date) -> str | None:
    found = _DAY_STATE.fetch(session, {"wanted": day})
    return found[0].state if found else None


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
    """Post one entry; None where there is nothing to write, else its id. Errors as in `post_entries`."""
    ids = post_entries(session, [Posting(source, kind, transfers, day, value_time, reverses_id)], at=at)
    return ids[0] if ids else None


def post_entries(session: Session, postings: Iterable[Posting], *, at: dt.datetime) -> list[str]:
    """Write these entries, those without transfers left out; answers their ids in order.

    The same (source, kind) a second time violates a unique key. Raises Conflict (`payable_below_zero`) if a guarded
    balance would fall below 0 by all of them together.
    """
    entries, transfers = [], []
    for posting in postings:
        if posting.transfers:
            entries.append(_entry_row(posting, at))
            transfers += _transfer_rows(entries[-1]["id"], posting.transfers)
    if not entries:
        return []
    codes = sorted({row[side] for row in transfers for side in ("dr", "cr")})
    _ADD_ACCOUNT.run(session, [{"code": code, "kind": kind_of(code)} for code in codes])
    _ADD_ENTRY.run(session, entries)
    _ADD_TRANSFER.run(session, transfers)
    _move_guards(session, transfers)
    return [str(row["id"]) for row in entries]


def _entry_row(posting: Posting, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "source_type": posting.source[0],
        "source_id": posting.source[1],
        "kind": posting.kind,
        "accounting_day": posting.day,
        "value_time": posting.value_time,
        "posted_at": at,
        "n": len(posting.transfers),
        "total_fen": sum(t.amount_fen for t in posting.transfers),
        "digest": digest(posting.source, posting.kind, posting.day, posting.transfers),
        "reverses_id": posting.reverses_id,
    }


def _transfer_rows(entry_id: str, transfers: Sequence[Transfer]) -> list[dict[str, Any]]:
    return [
        {"entry_id": entry_id, "seq": seq, "dr": t.dr, "cr": t.cr, "amount_fen": t.amount_fen}
        for seq, t in enumerate(transfers, start=1)
    ]


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


def _move_guards(session: Session, transfers: Iterable[Mapping[str, Any]]) -> None:
    changes: dict[str, int] = defaultdict(int)
    for row in transfers:
        changes[row["dr"]] += signed(row["dr"], row["amount_fen"], 0)
        changes[row["cr"]] += signed(row["cr"], 0, row["amount_fen"])
    moved = [{"code": code, "delta": fen} for code, fen in sorted(changes.items()) if fen and is_guarded(code)]
    if not moved:
        return
    _ADD_GUARD.run(session, moved)
    for row in moved:  # one by one, in order: whoever cannot pay is named, and two writers cannot deadlock
        if _MOVE_GUARD.run(session, [row]) != 1:
            raise Conflict("应付余额不足，不能记账。", code="payable_below_zero", facts={"account": row["code"]})


def _add_absent(model: type[Base], **columns: Any) -> Prepared:
    """INSERT … ON CONFLICT DO NOTHING of these columns."""

    def make(dialect: str) -> ClauseElement:
        into = postgresql.insert if dialect == "postgresql" else sqlite.insert
        return into(table_of(model)).values(**columns).on_conflict_do_nothing()

    return Prepared(make)


def _move_guard(_dialect: str) -> ClauseElement:
    table = table_of(AccountGuard)
    balance = table.c.balance_fen + bindparam("delta", type_=table.c.balance_fen.type)
    row = table.c.account == bindparam("code", type_=table.c.account.type)
    return update(table).where(row, balance >= 0).values(balance_fen=balance)


def _state_of_day(_dialect: str) -> ClauseElement:
    table = table_of(BookDay)
    return select(table.c.state).where(table.c.day == bindparam("wanted")).with_for_update(read=True)


_DAY_STATE = Prepared(_state_of_day)
_ADD_ACCOUNT = _add_absent(Account, code=bindparam("code"), kind=bindparam("kind"))
_ADD_GUARD = _add_absent(AccountGuard, account=bindparam("code"), balance_fen=0)
_ADD_ENTRY = Prepared(lambda _: insert(table_of(Entry)))
_ADD_TRANSFER = Prepared(lambda _: insert(table_of(TransferRow)))
_MOVE_GUARD = Prepared(_move_guard)
