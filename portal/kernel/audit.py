"""The audit chain: who did what to which subject, in rows nobody changes unseen.

`record` writes a row in the use case's own transaction. Sealing (a use case of its own) links the rows not yet sealed
into a block that carries the digest of the block before. Membership is a row of its own, because on PostgreSQL a
transaction that took a lower number may commit after a higher one was sealed: it joins the next block.
The chain shows every change inside it. That its newest blocks were cut off altogether shows only to somebody who kept
an earlier head: pass it to `verify_audit`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Select, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.kernel.database import Json, Model, insert_only
from portal.kernel.policy import Actor

GENESIS = "0" * 64


@insert_only
class AuditRecord(Model):
    """One act. `digest` is the SHA-256 of the other columns but `seq`, which the block binds."""

    __tablename__ = "audit_record"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it from the class

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(100), index=True)
    actor_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(100), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(String(64))


@insert_only
class AuditBlock(Model):
    """A sealed run of rows; `previous` is the digest of block `no` - 1, GENESIS for the first."""

    __tablename__ = "audit_block"

    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_at: Mapped[dt.datetime]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    count: Mapped[int]
    rows_digest: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)


@insert_only
class AuditMembership(Model):
    """Which block sealed which row; a row is sealed once."""

    __tablename__ = "audit_membership"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_no: Mapped[int] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block: keep it elsewhere, and a chain that was cut short later shows."""

    no: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify_audit` found. `first_bad`: seq of the first wrong row, or of the row a wrong block begins with."""

    ok: bool
    first_bad: int | None
    reason: str
    sealed: int
    unsealed_tail: int
    head: Head | None


def record(
    session: Session, *, actor: Actor, action: str, subject: str, detail: Mapping[str, object], at: dt.datetime
) -> None:
    """Write one act into the caller's transaction. `detail` becomes plain JSON; decimals and floats become text."""
    row = AuditRecord(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        subject=subject,
        detail=_plain(detail),
    )
    row.digest = _digest_of(row)
    session.add(row)


def seal_rows(session: Session, *, at: dt.datetime) -> int:
    """A step: link all rows not yet sealed into the next block; answers how many. No rows, no block.

    Two sealers at a time cannot both succeed: block number and membership are primary keys.
    """
    session.flush()
    query = select(AuditRecord.seq, AuditRecord.digest).order_by(AuditRecord.seq)
    fresh = query.outerjoin(AuditMembership, AuditMembership.seq == AuditRecord.seq).where(
        AuditMembership.seq.is_(None)
    )
    rows = [(row.seq, row.digest) for row in session.execute(fresh)]
    if not rows:
        return 0
    last = session.scalars(select(AuditBlock).order_by(AuditBlock.no.desc()).limit(1)).first()
    block = AuditBlock(
        no=last.no + 1 if last else 1,
        sealed_at=at,
        first_seq=rows[0][0],
        last_seq=rows[-1][0],
        count=len(rows),
        rows_digest=_rows_digest(rows),
        previous=last.digest if last else GENESIS,
    )
    block.digest = _block_digest(block)
    session.add(block)
    session.add_all(AuditMembership(seq=seq, block_no=block.no) for seq, _ in rows)
    session.flush()
    return len(rows)


def verify_audit(session: Session, *, kept_head: Head | None = None) -> Verdict:
    """Recompute the whole chain. The first thing wrong is named; `kept_head` is a head seen earlier."""
    blocks = session.scalars(select(AuditBlock).order_by(AuditBlock.no)).all()
    bad = next(_faults(session, blocks, kept_head), None)
    sealed = session.scalar(select(func.count()).select_from(AuditMembership)) or 0
    total = session.scalar(select(func.count()).select_from(AuditRecord)) or 0
    return Verdict(
        ok=bad is None,
        first_bad=bad[0] if bad else None,
        reason=bad[1] if bad else "",
        sealed=sealed,
        unsealed_tail=max(total - sealed, 0),
        head=Head(blocks[-1].no, blocks[-1].digest) if blocks else None,
    )


Fault = tuple[int | None, str]


def _faults(session: Session, blocks: Sequence[AuditBlock], kept_head: Head | None) -> Iterator[Fault]:
    yield from _chain_faults(blocks)
    stray = session.scalars(
        select(AuditMembership.seq)
        .outerjoin(AuditBlock, AuditBlock.no == AuditMembership.block_no)
        .where(AuditBlock.no.is_(None))
        .order_by(AuditMembership.seq)
    ).first()
    if stray is not None:
        yield stray, "the block that sealed this row is missing"
    for block in blocks:
        yield from _block_faults(session, block)
    if kept_head is not None and (kept_head.no, kept_head.digest) not in {(b.no, b.digest) for b in blocks}:
        yield None, f"block {kept_head.no} seen earlier is no longer there: the chain was cut or written anew"
    yield from _row_faults(session.scalars(_unsealed(select(AuditRecord))))


def _unsealed(query: Select[Any]) -> Select[Any]:
    joined = query.outerjoin(AuditMembership, AuditMembership.seq == AuditRecord.seq)
    return joined.where(AuditMembership.seq.is_(None)).order_by(AuditRecord.seq)


def _chain_faults(blocks: Sequence[AuditBlock]) -> Iterator[Fault]:
    previous = GENESIS
    for no, block in enumerate(blocks, start=1):
        if block.no != no:
            yield block.first_seq, f"block {no} is missing"
        if block.previous != previous:
            yield block.first_seq, f"block {block.no} does not follow the block before it"
        if block.digest != _block_digest(block):
            yield block.first_seq, f"block {block.no} was changed"
        previous = block.digest


def _block_faults(session: Session, block: AuditBlock) -> Iterator[Fault]:
    members = session.scalars(
        select(AuditMembership.seq).where(AuditMembership.block_no == block.no).order_by(AuditMembership.seq)
    ).all()
    query = select(AuditRecord).join(AuditMembership, AuditMembership.seq == AuditRecord.seq)
    rows = session.scalars(query.where(AuditMembership.block_no == block.no).order_by(AuditRecord.seq)).all()
    if missing := sorted(set(members) - {row.seq for row in rows}):
        yield missing[0], "a sealed row was deleted"
    yield from _row_faults(rows)
    if len(rows) != block.count:
        yield block.first_seq, f"block {block.no} sealed {block.count} rows and holds {len(rows)}"
    if _rows_digest((row.seq, row.digest) for row in rows) != block.rows_digest:
        yield block.first_seq, f"rows of block {block.no} were exchanged or renumbered"


def _row_faults(rows: Iterable[AuditRecord]) -> Iterator[Fault]:
    for row in rows:
        if row.digest != _digest_of(row):
            yield row.seq, "the content of this row was changed"


def _plain(value: object) -> Any:
    """Plain JSON that every database gives back as it was: numbers other than integers become text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(inner) for inner in value)
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)


def _sha256(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest_of(row: AuditRecord) -> str:
    moment = row.at.astimezone(dt.UTC).isoformat()
    return _sha256([moment, row.actor_kind, row.actor_id, row.actor_name, row.action, row.subject, row.detail])


def _rows_digest(rows: Iterable[tuple[int, str]]) -> str:
    return _sha256([[seq, digest] for seq, digest in rows])


def _block_digest(block: AuditBlock) -> str:
    moment = block.sealed_at.astimezone(dt.UTC).isoformat()
    numbers = [block.no, moment, block.first_seq, block.last_seq, block.count]
    return _sha256([*numbers, block.rows_digest, block.previous])
