"""Throwing away what nobody will ask for again: uploads never handed in, and answers kept for repeated calls.

All ages are business time, as the rows carry it. In the demo that time jumps, so answers are kept longer than any case
lasts: a signed call can be repeated for five minutes of real time, and must find its first answer then.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from portal.cases.tables import Drawing, MaterialFile, Question
from portal.journey.materials import STORED_SCOPE
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.idempotency import IdempotencyRecord
from portal.kernel.policy import SYSTEM

UPLOADS_KEPT = dt.timedelta(days=30)
ANSWERS_KEPT = dt.timedelta(days=400)
AT_ONCE = 500  # rows a turn: the writer's lock is held only for a moment


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows of each kind went."""

    uploads: int
    answers: int


def sweep(at: dt.datetime, *, at_once: int = AT_ONCE) -> Swept:
    """Use case: remove at most `at_once` rows of each kind that are past their age; what is in use stays."""
    with transaction() as session:
        answers = _sweep_answers(session, at, at_once)
        uploads = _sweep_uploads(session, at, at_once)
        swept = Swept(uploads=len(uploads), answers=answers)
        if uploads or answers:
            detail = {**asdict(swept), "upload_ids": uploads}
            audit.record(session, actor=SYSTEM, action="store.swept", subject="store", detail=detail, at=at)
        return swept


def _sweep_uploads(session: Session, at: dt.datetime, at_once: int) -> list[str]:
    is_orphan = _is_orphan(at)
    oldest = select(MaterialFile.id).where(*is_orphan).order_by(MaterialFile.uploaded_at)
    ids = list(session.scalars(oldest.limit(at_once)))
    if not ids:
        return []
    # Asked again in the deletion: a filing at the same moment may have taken one of them.
    gone = delete(MaterialFile).where(MaterialFile.id.in_(ids), *is_orphan).returning(MaterialFile.id)
    return sorted(session.scalars(gone.execution_options(synchronize_session=False)))


def _is_orphan(at: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        MaterialFile.application_id.is_(None),
        MaterialFile.uploaded_at <= at - UPLOADS_KEPT,
        ~select(Drawing.id).where(Drawing.material_id == MaterialFile.id).exists(),
        ~select(Question.id).where(Question.material_id == MaterialFile.id).exists(),
    )


def _sweep_answers(session: Session, at: dt.datetime, at_once: int) -> int:
    # The key of an upload goes no later than the file: a repeated call must not be told an id that is gone.
    is_upload = IdempotencyRecord.scope.startswith(STORED_SCOPE, autoescape=True)
    is_old = (IdempotencyRecord.recorded_at <= at - ANSWERS_KEPT) | (
        is_upload & (IdempotencyRecord.recorded_at <= at - UPLOADS_KEPT)
    )
    ids = list(session.scalars(select(IdempotencyRecord.id).where(is_old).limit(at_once)))
    if ids:
        session.execute(
            delete(IdempotencyRecord).where(IdempotencyRecord.id.in_(ids)).execution_options(synchronize_session=False)
        )
    return len(ids)
