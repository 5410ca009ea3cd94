"""The counter: what came in, what a clerk checks, accepting it, and the one correction notice."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from forms.application_summary import sections_of
from portal.journey import filing, intake
from portal.journey.filing import Correction
from portal.journey.pages_staff_counter import STATES, counter_application, list_applications
from portal.kernel.errors import DomainError, Invalid
from portal.kernel.routes import action, current_actor

# An override of a failing credit code belongs to the moment of filing (see web/applications.py): an application that
# fails the check is never stored, so there is nothing here to override later.
bp = Blueprint("counter", __name__)
CORRECTION_ROWS = 6
SOURCES = {"upload": "已上传", "licence_store": "调用电子证照", "promised": "承诺补交"}
CHANNELS = {"web": "网上", "counter": "窗口", "gov_portal": "政务平台", "portal": "政务平台", "app": "手机端"}


@bp.get("/counter")
@action("counter.list")
def index() -> str:
    """Applications by state; a search looks through all of them."""
    wanted = request.args.get("q", "").strip()[:100]
    state = request.args.get("state", "all" if wanted else "filed")
    state = state if state in STATES else "all"
    page = request.args.get("page", 1, type=int)
    found = list_applications(current_actor(), state=state, wanted=wanted, page=page)
    return render_template("counter/list.html", found=found, state=state, wanted=wanted, channels=CHANNELS)


@bp.get("/counter/applications/<application_no>")
@action("counter.list")
def show(application_no: str) -> str:
    """One application as it was filed, with what to look at before deciding."""
    return _show(application_no, [])


@bp.post("/counter/applications/<application_no>/accept")
@action("counter.accept")
def accept(application_no: str) -> Response:
    """Accept: the case opens and the providers are told."""
    case_no = intake.accept_application(current_actor(), application_no=application_no, at=g.at, wire_at=g.wire_at)
    flash(f"申请已受理，办件编号 {case_no}。", "success")
    return redirect(f"/counter/applications/{application_no}")


@bp.post("/counter/applications/<application_no>/return")
@action("counter.accept")
def give_back(application_no: str) -> Response | tuple[str, int]:
    """Send it back with everything to mend, in one notice."""
    given = zip(request.form.getlist("field"), request.form.getlist("message"), strict=False)
    corrections = [Correction(field.strip()[:100], text.strip()[:500]) for field, text in given if text.strip()]
    try:
        filing.return_application(
            current_actor(),
            application_no=application_no,
            corrections=corrections,
            at=g.at,
            why_again=request.form.get("why_again", "")[:500],
        )
    except Invalid as refused:
        return _show(application_no, [("message-0", error.message) for error in refused.errors]), refused.status
    except DomainError as refused:
        if refused.code != "asked_already":
            raise
        return _show(application_no, [("why_again", refused.message)]), refused.status
    flash("补正通知已发出，申请人会一次看到全部内容。", "success")
    return redirect(f"/counter/applications/{application_no}")


def _show(application_no: str, errors: list[tuple[str, str]]) -> str:
    actor = current_actor()
    application = counter_application(actor, application_no=application_no)
    is_clerk = "clerk" in actor.roles
    return render_template(
        "counter/application.html",
        application=application,
        sections=sections_of(application.body, application.names, masked=not is_clerk),
        is_clerk=is_clerk,
        errors=errors,
        sources=SOURCES,
        channels=CHANNELS,
        correction_rows=CORRECTION_ROWS,
        fields=request.form.getlist("field"),
        messages=request.form.getlist("message"),
    )
