"""Files handed in: rewritten before they are stored, and read back only by whom the policy lets."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import asdict, dataclass
from typing import get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.application_parts import MaterialKind
from portal.cases.tables import Application, MaterialFile
from portal.cases.uploads import Upload, clean_upload
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import FieldError, Invalid, NotFound
from portal.kernel.idempotency import fingerprint_of, recall, remember
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

KINDS = frozenset(get_args(MaterialKind))
STORED_SCOPE = "material.stored:"  # of the idempotency keys of uploads; the owner's id follows


@dataclass(frozen=True, slots=True)
class Stored:
    """The id to name in `materials[].file`, and the SHA-256 (hex) of the bytes as stored."""

    material_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """A stored file as it is given out."""

    name: str
    media_type: str
    content: bytes
    sha256: str


def store_material(
    actor: Actor,
    *,
    name: str,
    content: bytes,
    kind: str | None = None,
    at: dt.datetime,
    idempotency_key: str | None = None,
) -> Stored:
    """Rewrite and store one PDF, JPEG or PNG of at most 20 MiB, owned by `actor`.

    The same `idempotency_key` with the same file answers the same again. Raises NotSignedIn, NotAllowed, and Invalid
    naming `file` or `kind`.
    """
    require(actor, "material.upload")
    if kind is not None and kind not in KINDS:
        raise Invalid([FieldError("kind", "没有这一类材料，请从列表中选择。", "kind")])
    upload = clean_upload(name, content)  # before the transaction: rewriting takes its time
    with transaction() as session:
        if idempotency_key is None:
            return _keep(session, actor, upload, kind, at)
        scope = f"{STORED_SCOPE}{actor.id}"
        given = fingerprint_of([name, kind, hashlib.sha256(content).hexdigest()])
        known = recall(session, scope, idempotency_key, given, at=at)
        if known is not None:
            return Stored(**known)
        stored = _keep(session, actor, upload, kind, at)
        remember(session, scope, idempotency_key, asdict(stored))
        return stored


def _keep(session: Session, actor: Actor, upload: Upload, kind: str | None, at: dt.datetime) -> Stored:
    row = MaterialFile(
        id=new_id(),
        owner_id=actor.id,
        application_id=None,
        kind=kind,
        name=upload.name,
        media_type=upload.media_type,
        sha256=upload.sha256,
        content=upload.content,
        uploaded_at=at,
    )
    session.add(row)
    detail = {"kind": kind, "sha256": upload.sha256, "bytes": len(upload.content)}
    audit.record(session, actor=actor, action="material.stored", subject=row.id, detail=detail, at=at)
    return Stored(row.id, upload.sha256)


def material_bytes(actor: Actor, material_id: str, *, provider: str | None = None) -> Content:
    """The stored file. Its uploader reads it, and whom `material.view` lets: the applicant, staff, own part.

    `provider`: the provider whose task refers to this file, as the caller has established from that task.
    Raises NotFound when it is absent or not this actor's.
    """
    row = db.session.execute(
        select(MaterialFile, Application.subject_id)
        .outerjoin(Application, Application.id == MaterialFile.application_id)
        .where(MaterialFile.id == material_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    file: MaterialFile = row[0]
    if not actor.id or file.owner_id != actor.id:
        subjects = frozenset({row[1]} if row[1] else ())
        require(actor, "material.view", {"applicant_ids": subjects, "provider": provider})
    return Content(file.name, file.media_type, file.content, file.sha256)
