"""Steps of filing inside its transaction: check, link the files handed in, build the row and the answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.cases.application import Checked, check_application
from portal.cases.application_texts import TEXTS
from portal.cases.tables import Application, MaterialFile
from portal.cases.uploads import is_material_id
from portal.catalog.model import Catalog
from portal.kernel.clock import local_date
from portal.kernel.errors import FieldError, Invalid, NotAllowed
from portal.kernel.guard import try_change
from portal.kernel.ids import new_id, new_number, new_secret_code
from portal.kernel.policy import Actor, require


@dataclass(frozen=True, slots=True)
class Override:
    """A wrong check character a clerk has seen proven: the dotted field and what was seen (licence no., photo)."""

    field: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Filed:
    """What the filer is told. `created` is false when the answer is a replay of an earlier one.

    `notes` [{field, code, message}], `not_served` [{utility, reason, nearest_m, planned_year, alternative}],
    `owed` [{kinds, title, due_stage, reason}] are plain JSON; `owed_bytes` are file names.
    """

    application_no: str
    application_id: str
    case_no: str | None
    query_code: str
    notes: tuple[dict[str, Any], ...]
    not_served: tuple[dict[str, Any], ...]
    owed: tuple[dict[str, Any], ...]
    owed_bytes: tuple[str, ...]
    created: bool


def require_filer(actor: Actor, subject_id: str, overrides: Sequence[Override]) -> None:
    """A key files for anybody, a clerk at the counter too, an applicant only for whom it may act.

    Raises NotSignedIn or NotAllowed, and Invalid for an override without evidence.
    """
    is_key = actor.kind in ("provider", "portal")
    require(actor, "api.file" if is_key else "application.file")
    if not is_key and "clerk" not in actor.roles and subject_id not in actor.subject_ids:
        raise NotAllowed("您只能为本人或已获授权的单位办理。")
    if overrides:
        require(actor, "counter.override")
    missing = [override.field for override in overrides if not override.evidence.strip()]
    if missing:
        raise Invalid([FieldError(field, "请写明核实所凭的证照。", "evidence_needed") for field in missing])


def check_filing(
    session: Session,
    actor: Actor,
    body: object,
    *,
    catalog: Catalog,
    channel: str,
    overrides: Sequence[Override],
    at: dt.datetime,
    application_id: str | None = None,
) -> Checked:
    """All checks, those of the files named included. Raises Invalid with every error.

    `application_id`: the application filed again, which may keep the files it has.
    """
    fields = frozenset(override.field for override in overrides)
    checked = check_application(body, catalog=catalog, on=local_date(at), overrides=fields, channel=channel)
    errors = (*checked.errors, *_file_errors(session, actor, body, application_id))
    if errors:
        raise Invalid(errors)
    return replace(checked, notes=tuple(dict.fromkeys(checked.notes)))


def new_row(
    actor: Actor, checked: Checked, catalog: Catalog, *, channel: str, subject_id: str, at: dt.datetime
) -> Application:
    """The row of an application that passed all checks."""
    assert checked.document is not None
    return Application(
        id=new_id(),
        application_no=new_number("SQ", local_date(at).strftime("%y%m%d")),
        state="filed",
        channel=channel,
        subject_id=subject_id,
        filed_by=actor.id,
        origin_ref=checked.document.get("origin_ref"),
        body=checked.document,
        notes=[asdict(note) for note in checked.notes],
        not_served=[asdict(item) for item in checked.not_served],
        overrides=[],
        catalog_version=catalog.version,
        query_code=new_secret_code(),
        filed_at=at,
        version=1,
    )


def link_files(session: Session, actor: Actor, application_id: str, checked: Checked) -> None:
    """Bind the stored files named in the materials to the application, each to one only (guarded).

    Raises Invalid when another application took a file in between.
    """
    assert checked.application is not None
    for index, material in enumerate(checked.application.materials):
        if not is_material_id(material.file or ""):
            continue
        free = {"owner_id": actor.id, "application_id": None}
        values = {"application_id": application_id, "kind": material.kind}
        if try_change(session, MaterialFile, material.file, free, values):
            continue
        kept = {"application_id": application_id}
        if not try_change(session, MaterialFile, material.file, kept, {"kind": material.kind}):
            raise Invalid([_file_error(index, "already_used")])


def answer(row: Application, checked: Checked) -> Filed:
    """What the filer is told about a stored application."""
    return Filed(
        application_no=row.application_no,
        application_id=row.id,
        case_no=None,
        query_code=row.query_code,
        notes=tuple(asdict(note) for note in checked.notes),
        not_served=tuple(asdict(item) for item in checked.not_served),
        owed=tuple(asdict(item) for item in checked.owed),
        owed_bytes=checked.owed_bytes,
        created=True,
    )


def replayed(known: dict[str, Any]) -> Filed:
    """The first answer again, marked as such."""
    lists = {name: tuple(known[name]) for name in ("notes", "not_served", "owed", "owed_bytes")}
    return Filed(**{**known, **lists, "created": False})


def _file_errors(session: Session, actor: Actor, body: object, application_id: str | None) -> list[FieldError]:
    named = _named_files(body)
    if not named:
        return []
    theirs = MaterialFile.owner_id == actor.id
    if application_id is not None:  # an equality with None would mean every file not yet used
        theirs = or_(theirs, MaterialFile.application_id == application_id)
    columns = select(MaterialFile.id, MaterialFile.application_id)
    found = columns.where(MaterialFile.id.in_(set(named.values())), theirs)
    used_by = {row.id: row.application_id for row in session.execute(found)}
    errors = []
    for index, name in named.items():
        if name not in used_by:
            errors.append(_file_error(index, "file_unknown"))
        elif used_by[name] not in (None, application_id):
            errors.append(_file_error(index, "already_used"))
    return errors


def _named_files(body: object) -> dict[int, str]:
    """The ids of stored files by their place in `materials`, read from a body that may yet be wrong."""
    materials = body.get("materials") if isinstance(body, dict) else None
    named = {}
    for index, material in enumerate(materials if isinstance(materials, list) else ()):
        name = material.get("file") if isinstance(material, dict) else None
        if isinstance(name, str) and is_material_id(name):
            named[index] = name
    return named


def _file_error(index: int, code: str) -> FieldError:
    return FieldError(f"materials.{index}.file", TEXTS[code], code)
