"""Filing by form: for an applicant on the web, for a clerk on somebody's behalf; and what became of it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from forms.application import KEY_FIELD, form_class, show_errors
from forms.application_fields import MATERIALS, body_of, field_specs, material_kinds
from portal.cases.application_document import subject_of
from portal.journey import filing, filing_preview, materials
from portal.journey.filing import Override
from portal.journey.pages_public import open_catalog
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.policy import Actor
from portal.kernel.routes import action, current_actor

bp = Blueprint("applications", __name__)
NOTICE_VERSION = "2026-11"
OVERRIDABLE = ("applicant.uscc", "previous_holder.uscc")


@bp.get("/applications/new")
@action("application.start")
def show_form() -> str:
    """An empty form with a fresh idempotency key, so that pressing send twice files once."""
    form = form_class()()
    form[KEY_FIELD].data = secrets.token_hex(16)
    return _show(form, [])


@bp.post("/applications/new")
@action("application.file")
def file() -> str | Response | tuple[str, int]:
    """File what was entered. With errors the form comes back as it was filled in."""
    actor, form = current_actor(), form_class()()
    body = body_of(request.form.items(multi=True))
    channel = "counter" if "clerk" in actor.roles else "web"
    try:
        subject_id = _subject(actor, body, channel)
        _store_papers(actor, body)
        filed = filing.file_application(
            actor,
            body=body,
            channel=channel,
            subject_id=subject_id,
            idempotency_key=request.form.get(KEY_FIELD) or secrets.token_hex(16),
            at=g.at,
            overrides=_overrides(actor),
        )
    except Invalid as refused:
        return _show(form, show_errors(form, refused.errors) or [("application", refused.message)]), 422
    flash(f"申请已提交，申请编号 {filed.application_no}。", "success")
    return redirect(f"/applications/{filed.application_no}")


def _subject(actor: Actor, body: dict[str, Any], channel: str) -> str:
    """Whom the application is for, as the document says. Raises Invalid where the actor may not act for it."""
    named = subject_of(body)
    if "clerk" in actor.roles or named in actor.subject_ids:
        return named
    raise Invalid(filing_preview.errors_for_another(body, channel=channel, at=g.at))


def _overrides(actor: Actor) -> tuple[Override, ...]:
    """A clerk may let a failing check character pass on evidence it names."""
    if "clerk" not in actor.roles:
        return ()
    given = ((field, request.form.get(f"override.{field}", "").strip()) for field in OVERRIDABLE)
    return tuple(Override(field, evidence) for field, evidence in given if evidence)


def _store_papers(actor: Actor, body: dict[str, Any]) -> None:
    """Store uploaded bytes first and put their ids into the body; all bad files are told at once."""
    errors: list[FieldError] = []
    for index, material in enumerate(body.get(MATERIALS, [])):
        upload = request.files.get(f"{MATERIALS}.{index}.bytes")
        if upload is None or not upload.filename or not isinstance(material, dict):
            continue
        try:
            stored = materials.store_material(
                actor, name=upload.filename, content=upload.read(), kind=material.get("kind"), at=g.at
            )
        except Invalid as refused:
            errors += [FieldError(f"{MATERIALS}.{index}.bytes", e.message, e.code) for e in refused.errors]
        else:
            material["file"] = stored.material_id
    if errors:
        raise Invalid(errors)


def _show(form: Any, errors: list[tuple[str, str]]) -> str:
    catalog = open_catalog()
    return render_template(
        "applicant/application_form.html",
        form=form,
        errors=errors,
        specs=field_specs(),
        material_kinds=material_kinds(),
        material_names=catalog.material_names,
        divisions=catalog.divisions,
        notice_version=NOTICE_VERSION,
        is_clerk="clerk" in current_actor().roles,
        overridable=OVERRIDABLE,
    )


@bp.get("/applications/<application_no>")
@action("application.view", check=False)
def show(application_no: str) -> str:
    """What became of an application: its state, what is owed, and the way to its case."""
    status = filing.read_status(current_actor(), application_no=application_no)
    return render_template("applicant/application.html", status=status)
