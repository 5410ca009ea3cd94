"""Filing: an application comes in, is checked as a whole, and is stored or refused; and its one correction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.application import Checked
from portal.cases.tables import Application, Case
from portal.catalog.queries import current_catalog
from portal.journey import filing_steps as steps
from portal.journey.filing_steps import Filed, Override
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.idempotency import fingerprint_of, recall, remember
from portal.kernel.policy import Actor, require

__all__ = [
    "Correction",
    "Filed",
    "FilingStatus",
    "Override",
    "file_application",
    "read_status",
    "refile",
    "return_application",
]


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing the applicant is asked to mend: the dotted field and a sentence."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class FilingStatus:
    """Where an application stands, for its filer. `corrections` are the open ones, [{field, message}]."""

    application_no: str
    state: str
    case_no: str | None
    stage: str | None
    filed_at: dt.datetime
    corrections: tuple[Correction, ...]
    not_served: tuple[dict[str, Any], ...]


def file_application(
    actor: Actor,
    *,
    body: object,
    channel: str,
    subject_id: str,
    idempotency_key: str,
    at: dt.datetime,
    overrides: Sequence[Override] = (),
) -> Filed:
    """Check and store one application for `subject_id` (the person or organisation it belongs to).

    The same key and body give the first answer again. Raises Invalid with every error found (then nothing is
    stored), Invalid(`idempotency_mismatch`), NotSignedIn or NotAllowed.
    """
    steps.require_filer(actor, subject_id, overrides)
    scope, print_ = f"application.file:{actor.id}", _fingerprint(body, subject_id, overrides)
    with transaction() as session:
        known = recall(session, scope, idempotency_key, print_, at=at)
        if known is not None:
            return steps.replayed(known)
        catalog = current_catalog(session)
        checked = steps.check_filing(session, actor, body, catalog=catalog, channel=channel, overrides=overrides, at=at)
        row = steps.new_row(actor, checked, catalog, channel=channel, subject_id=subject_id, at=at)
        row.overrides = [asdict(override) for override in overrides]
        session.add(row)
        session.flush()
        steps.link_files(session, actor, row.id, checked)
        detail = {"channel": channel, "subject": subject_id, "overrides": row.overrides}
        audit.record(session, actor=actor, action="application.filed", subject=row.application_no, detail=detail, at=at)
        filed = steps.answer(row, checked)
        remember(session, scope, idempotency_key, asdict(filed))
        return filed


def return_application(
    actor: Actor, *, application_no: str, corrections: Sequence[Correction], at: dt.datetime, why_again: str = ""
) -> None:
    """Send a filed application back once with everything to mend (一次性告知).

    A second time needs `why_again`: what could not be seen the first time. Raises NotAllowed, NotFound, Invalid
    without corrections, Conflict when it is not waiting at the counter or was returned before without a reason.
    """
    require(actor, "counter.accept")
    if not corrections or not all(item.message.strip() for item in corrections):
        raise Invalid([FieldError("corrections", "请逐条写明需要补正的内容。", "corrections_needed")])
    with transaction() as session:
        row = _row(session, application_no)
        if _asked(row) and not why_again.strip():
            raise Conflict("补正已一次性告知过；如需再次补正，请写明原因。", code="asked_already")
        asked = [{"field": c.field, "code": "correction", "message": c.message} for c in corrections]
        if why_again.strip():
            asked.append({"field": "", "code": "asked_again", "message": why_again.strip()})
        kept = [note if note["code"] != "correction" else {**note, "code": "corrected"} for note in row.notes]
        _move(session, row, "filed", {"state": "returned", "notes": [*kept, *asked], "decided_at": at})
        audit.record(
            session,
            actor=actor,
            action="application.returned",
            subject=application_no,
            detail={"corrections": asked},
            at=at,
        )


def refile(
    actor: Actor,
    *,
    application_no: str,
    body: object,
    idempotency_key: str,
    at: dt.datetime,
    overrides: Sequence[Override] = (),
) -> Filed:
    """File a returned application again, mended, under its number and in its channel.

    Raises as `file_application`, NotFound for a foreign one, Conflict when it was not returned.
    """
    with transaction() as session:
        row = _row(session, application_no)
        _require_owner(actor, row)
        steps.require_filer(actor, row.subject_id, overrides)
        scope = f"application.refile:{row.id}"
        known = recall(session, scope, idempotency_key, _fingerprint(body, row.subject_id, overrides), at=at)
        if known is not None:
            return steps.replayed(known)
        catalog = current_catalog(session)
        checked = steps.check_filing(
            session,
            actor,
            body,
            catalog=catalog,
            channel=row.channel,
            overrides=overrides,
            at=at,
            application_id=row.id,
        )
        steps.link_files(session, actor, row.id, checked)
        _move(session, row, "returned", _refiled(row, checked, catalog.version, overrides))
        detail = {"overrides": [asdict(override) for override in overrides]}
        audit.record(session, actor=actor, action="application.refiled", subject=application_no, detail=detail, at=at)
        filed = steps.answer(row, checked)
        remember(session, scope, idempotency_key, asdict(filed))
        return filed


def read_status(actor: Actor, *, application_no: str) -> FilingStatus:
    """Where an application stands. Raises NotFound when it is absent or not this actor's."""
    if actor.kind in ("provider", "portal"):
        require(actor, "api.status")
    row = _row(db.session(), application_no)
    _require_owner(actor, row)
    case = db.session.scalar(select(Case).where(Case.application_id == row.id))
    return FilingStatus(
        application_no=row.application_no,
        state=row.state,
        case_no=case.case_no if case else None,
        stage=case.stage if case else None,
        filed_at=row.filed_at,
        corrections=_open_corrections(row),
        not_served=tuple(row.not_served),
    )


def _row(session: Session, application_no: str) -> Application:
    row = session.scalar(select(Application).where(Application.application_no == application_no))
    if row is None:
        raise NotFound
    return row


def _require_owner(actor: Actor, row: Application) -> None:
    if actor.kind in ("provider", "portal"):
        if row.filed_by != actor.id:
            raise NotFound
        return
    require(actor, "application.view", {"applicant_ids": frozenset({row.subject_id})})


def _move(session: Session, row: Application, state: str, values: dict[str, Any]) -> None:
    expected = {"state": state, "version": row.version}
    change(session, Application, row.id, expected, {**values, "version": row.version + 1})


def _refiled(row: Application, checked: Checked, version: str, overrides: Sequence[Override]) -> dict[str, Any]:
    mended = [{**note, "code": "corrected"} for note in row.notes if note["code"] in ("correction", "corrected")]
    return {
        "state": "filed",
        "body": checked.document,
        "notes": [*(asdict(note) for note in checked.notes), *mended],
        "not_served": [asdict(item) for item in checked.not_served],
        "overrides": [asdict(override) for override in overrides],
        "catalog_version": version,
        "decided_at": None,
    }


def _asked(row: Application) -> bool:
    return any(note["code"] in ("correction", "corrected") for note in row.notes)


def _open_corrections(row: Application) -> tuple[Correction, ...]:
    return tuple(Correction(n["field"], n["message"]) for n in row.notes if n["code"] == "correction")


def _fingerprint(body: object, subject_id: str, overrides: Sequence[Override]) -> str:
    return fingerprint_of({"body": body, "subject": subject_id, "overrides": [asdict(item) for item in overrides]})
