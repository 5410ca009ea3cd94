"""Filing by form: for an applicant on the web, for a clerk on somebody's behalf; and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from forms import application as page
from forms.application_body import Entered, forgotten_ticks, read_entries
from forms.application_fields import MATERIALS, material_kinds
from forms.application_labels import HINTS
from portal.cases.application_document import subject_of
from portal.journey import filing, filing_preview, materials
from portal.journey.filing import Override
from portal.journey.pages_public import open_catalog
from portal.kernel.errors import DomainError, FieldError, Invalid, NotSignedIn
from portal.kernel.policy import Actor, require
from portal.kernel.routes import action, current_actor
from portal.web import errors

bp = Blueprint("applications", __name__)
Answer = str | Response | tuple[str, int]
NOTICE_VERSION = "2026-11"
OVERRIDABLE = ("applicant.uscc", "previous_holder.uscc")
SIGN_IN_AGAIN = (
    "登录已失效，尚未提交。您填写的内容都在本页：请在新窗口登录后，回到本页再次提交（已选的文件需重新选择）。"
)
SEND_AGAIN = "页面已过期，尚未提交。您填写的内容都在本页，请核对后再次提交（已选的文件需重新选择）。"


@bp.get("/applications/new")
@action("application.start")
def show_form() -> str:
    """An empty form with a fresh idempotency key, so that pressing send twice files once."""
    form = page.form_class()()
    form[page.KEY_FIELD].data = secrets.token_hex(16)
    return _show(form)


@bp.post("/applications/new")
@action("application.file")
def file() -> Answer:
    """File what was entered, or add a row. With errors the form comes back as it was filled in, papers included."""
    actor, form = current_actor(), page.form_class()()
    entered = read_entries(request.form.items(multi=True))
    found = _store_papers(actor, form, entered)
    if request.form.get(page.ADD_FIELD):
        return _show(form, entered.on_form(found))
    found += forgotten_ticks(request.form.items(multi=True))
    try:
        filed = _file(actor, entered.body, found)
    except Invalid as refused:
        return _show(form, entered.on_form(refused.errors) or [FieldError("", refused.message)]), 422
    flash(f"申请已提交，申请编号 {filed.application_no}。", "success")
    return redirect(f"/applications/{filed.application_no}")


@bp.errorhandler(NotSignedIn)
@bp.errorhandler(CSRFError)
def keep_entries(error: DomainError | CSRFError) -> Answer:
    """A long form outlives its session: what was entered comes back, and nothing was done."""
    if request.method != "POST" and isinstance(error, DomainError):
        return errors.refused(error)
    is_signed_out = current_actor().kind == "anonymous"
    form = page.form_class()()
    return _show(form, [FieldError("", SIGN_IN_AGAIN if is_signed_out else SEND_AGAIN)]), 400


def _file(actor: Actor, body: dict[str, Any], found: list[FieldError]) -> filing.Filed:
    """File it. Raises Invalid; `found` is what is wrong with the form itself, told together with all else."""
    channel = "counter" if "clerk" in actor.roles else "web"
    subject_id = subject_of(body)
    overrides = _overrides(actor)
    is_theirs = "clerk" in actor.roles or subject_id in actor.subject_ids
    if found or not is_theirs:
        preview = filing_preview.errors_of if is_theirs else filing_preview.errors_for_another
        accepted = frozenset(override.field for override in overrides)
        raise Invalid([*preview(body, channel=channel, overrides=accepted, at=g.at), *found])
    return filing.file_application(
        actor,
        body=body,
        channel=channel,
        subject_id=subject_id,
        idempotency_key=request.form.get(page.KEY_FIELD, "")[:64] or secrets.token_hex(16),
        at=g.at,
        overrides=overrides,
    )


def _overrides(actor: Actor) -> tuple[Override, ...]:
    """A clerk may let a failing check character pass on evidence it names."""
    if "clerk" not in actor.roles:
        return ()
    given = ((field, request.form.get(f"override.{field}", "").strip()) for field in OVERRIDABLE)
    return tuple(Override(field, evidence) for field, evidence in given if evidence)


def _store_papers(actor: Actor, form: Any, entered: Entered) -> list[FieldError]:
    """Store uploaded bytes and put their ids into the body, and into the form, should it be shown again."""
    found: list[FieldError] = []
    for index, material in enumerate(entered.body.get(MATERIALS, [])):
        row = entered.field_of(f"{MATERIALS}.{index}")
        upload = request.files.get(f"{row}.bytes")
        if upload is None or not upload.filename or not isinstance(material, dict):
            continue
        try:
            stored = materials.store_material(
                actor, name=upload.filename, content=upload.read(), kind=material.get("kind"), at=g.at
            )
        except Invalid as refused:
            found += [FieldError(f"{MATERIALS}.{index}.bytes", e.message, e.code) for e in refused.errors]
        else:
            material["file"] = stored.material_id
            if f"{row}.file" in form:
                form[f"{row}.file"].data = stored.material_id
    return found


def _show(form: Any, found: Iterable[FieldError] = ()) -> str:
    catalog, shown = open_catalog(), page.show_errors(form, found)
    return render_template(
        "applicant/application_form.html",
        form=form,
        errors=shown.summary,
        extra_anchors=shown.extra_anchors,
        part=lambda *prefixes: page.part_of(form, *prefixes),
        row_count=lambda path: page.shown_rows(form, path, added=request.form.get(page.ADD_FIELD, "")),
        attributes=page.input_attributes,
        carried=page.carried(form, request.form.items(multi=True)),
        hints=HINTS,
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
    require(
        current_actor(), "application.list"
    )  # to somebody unknown, one that exists and one that does not look the same
    status = filing.read_status(current_actor(), application_no=application_no)
    return render_template("applicant/application.html", status=status)
