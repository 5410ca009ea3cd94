"""Settling a conflict: by the lead agency, or by its providers where all of them propose the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from portal.cases import conflict_words
from portal.cases.tables import AnswerConflict
from portal.journey import case_files, progress
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.policy import Actor, require

_GONE = "这项冲突已经处理，请刷新页面。"


def settle_conflict(
    actor: Actor, *, conflict_id: str, resolution: str, note: str, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """The lead agency decides. Raises Invalid naming `resolution`, Conflict when somebody was faster."""
    require(actor, "agency.decide")
    with transaction() as session:
        row, file = _load(session, conflict_id)
        _check(row, file, resolution)
        _settle(session, row, file, actor, resolution, note, at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)


def agree_conflict(
    actor: Actor, *, conflict_id: str, resolution: str, note: str, at: dt.datetime, wire_at: dt.datetime
) -> bool:
    """One provider proposes how to settle it; True when all its providers now propose the same and it is settled.

    Raises NotFound for a conflict of others, Invalid naming `resolution`, Conflict when it is settled already.
    """
    with transaction() as session:
        row, file = _load(session, conflict_id)
        if actor.provider_code not in row.providers:
            raise NotFound
        require(actor, "desk.report", {"provider": actor.provider_code})
        _check(row, file, resolution)
        said: dict[str, Any] = {"resolution": resolution, "note": note.strip()[:400], "by": actor.name or actor.id}
        row.agreed = {**row.agreed, str(actor.provider_code): said}
        facts = {"provider": actor.provider_code, "resolution": resolution}
        note_event(session, case_id=file.case.id, kind="conflict_proposed", actor=actor, at=at, facts=facts)
        audit.record(session, actor=actor, action="conflict.proposed", subject=row.id, detail=facts, at=at)
        session.flush()
        if {row.agreed.get(provider, {}).get("resolution") for provider in row.providers} != {resolution}:
            return False
        notes = "；".join(dict.fromkeys(one["note"] for one in row.agreed.values() if one["note"]))
        _settle(session, row, file, actor, resolution, notes, at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
        return True


def _load(session: Session, conflict_id: str) -> tuple[AnswerConflict, CaseFile]:
    row = session.get(AnswerConflict, conflict_id)
    if row is None:
        raise NotFound
    file = case_files.load_case(session, case_id=row.case_id)
    session.refresh(row)
    return row, file


def _check(row: AnswerConflict, file: CaseFile, resolution: str) -> None:
    if row.state != "open":
        raise Conflict(_GONE, code="already_settled")
    names: dict[str, str] = {utility.code: utility.title for utility in file.catalog.utilities}
    if resolution not in dict(conflict_words.choices_of(row.kind, row.utilities, names)):
        raise Invalid([FieldError("resolution", "请选择一种处理办法。", "choice")])


def _settle(
    session: Session, row: AnswerConflict, file: CaseFile, actor: Actor, resolution: str, note: str, at: dt.datetime
) -> None:
    values = {
        "state": "settled",
        "settled_at": at,
        "settled_by": actor.name or actor.id,
        "resolution": resolution,
        "note": note.strip()[:400] or None,
    }
    session.flush()
    change(session, AnswerConflict, row.id, {"state": "open"}, values)
    session.refresh(row)
    facts = {"conflict": row.kind, "utilities": row.utilities, "resolution": resolution}
    note_event(session, case_id=file.case.id, kind="conflict_settled", actor=actor, at=at, facts=facts)
    audit.record(session, actor=actor, action="conflict.settled", subject=row.id, detail=facts, at=at)
