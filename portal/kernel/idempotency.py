"""Answers kept by the caller's key: the same request again gets the first answer, another one under it a refusal.

Both functions run inside the use case's transaction, so the record and the effect stand or fall together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from sqlalchemy import Executable, String, UniqueConstraint, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.kernel.database import Id, Json, Model
from portal.kernel.errors import Conflict, FieldError, Invalid
from portal.kernel.ids import new_id

MAX_KEY_LENGTH = 200


class IdempotencyRecord(Model):
    """One key of one caller. `answer` is empty only inside the transaction that is working on it."""

    __tablename__ = "idempotency_record"
    __table_args__ = (UniqueConstraint("scope", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    scope: Mapped[str] = mapped_column(String(200))  # who asks for what, as in `application.filed:<actor id>`
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH))
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any] | None] = mapped_column(Json)
    recorded_at: Mapped[dt.datetime] = mapped_column(index=True)


def fingerprint_of(body: object) -> str:
    """SHA-256 (hex) of the canonical JSON of `body`: sorted keys, no spaces, UTF-8."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def recall(session: Session, scope: str, key: str, fingerprint: str, *, at: dt.datetime) -> dict[str, Any] | None:
    """The answer stored under (scope, key), or None when this transaction is now the one to find it.

    Claims the key by inserting it first, so that of callers at the same time one works and the others wait for its
    commit. Raises Invalid(`idempotency_mismatch`) when the key stands for another body, Invalid on a key that is
    empty or over 200 characters, and Conflict when a claim was left without an answer.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Invalid([FieldError("Idempotency-Key", "幂等键应为 1 至 200 个可见字符。", "idempotency_key")])
    row = {"id": new_id(), "scope": scope, "key": key, "fingerprint": fingerprint, "recorded_at": at}
    if _claim(session, row):
        return None
    kept = session.execute(
        select(IdempotencyRecord.fingerprint, IdempotencyRecord.answer).where(
            IdempotencyRecord.scope == scope, IdempotencyRecord.key == key
        )
    ).one()
    if kept.fingerprint != fingerprint:
        raise Invalid([], message="这个幂等键已用于另一份内容，请换一个新的键。", code="idempotency_mismatch")
    if kept.answer is None:
        raise Conflict("同一请求正在处理，请稍后再试。", code="in_flight")
    return dict(kept.answer)


def _claim(session: Session, row: dict[str, Any]) -> bool:
    # RETURNING tells an insert from a conflict on both databases; a row count does not on PostgreSQL.
    on, done = ["scope", "key"], IdempotencyRecord.id
    statement: Executable
    if session.get_bind().dialect.name == "postgresql":
        statement = (
            postgresql.insert(IdempotencyRecord).values(**row).on_conflict_do_nothing(index_elements=on).returning(done)
        )
    else:
        statement = (
            sqlite.insert(IdempotencyRecord).values(**row).on_conflict_do_nothing(index_elements=on).returning(done)
        )
    return session.execute(statement).scalar_one_or_none() is not None


def remember(session: Session, scope: str, key: str, answer: dict[str, Any]) -> None:
    """Store the answer (plain JSON) under a key this transaction has claimed through `recall`."""
    session.execute(
        update(IdempotencyRecord)
        .where(IdempotencyRecord.scope == scope, IdempotencyRecord.key == key, IdempotencyRecord.answer.is_(None))
        .values(answer=answer)
        .execution_options(synchronize_session=False)
    )
