"""The agency: deciding on what providers refused, and granting permits."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.journey import conflict_decisions, decisions
from portal.journey.pages_staff_agency import agency_board
from portal.journey.pages_staff_conflicts import open_conflicts
from portal.kernel.errors import Invalid
from portal.kernel.routes import action, current_actor

bp = Blueprint("agency", __name__)


@bp.get("/agency")
@action("agency.list")
def index() -> str:
    """What waits for a decision."""
    return _show([])


@bp.post("/agency/decisions/<decision_id>")
@action("agency.decide")
def decide(decision_id: str) -> Response | tuple[str, int]:
    """Confirm what the provider refused, or send it back with a reason."""
    verdict = request.form.get("verdict", "")
    try:
        decisions.decide(
            current_actor(),
            decision_id=decision_id,
            verdict=verdict,
            note=request.form.get("note", "")[:1000],
            at=g.at,
            wire_at=g.wire_at,
        )
    except Invalid as refused:
        return _show([(f"{e.field}-{decision_id}", e.message) for e in refused.errors], decision_id), refused.status
    flash("已核定。" if verdict == "confirm" else "已退回，供应单位将重新办理。", "success")
    return redirect("/agency")


@bp.post("/agency/conflicts/<conflict_id>")
@action("agency.decide")
def settle(conflict_id: str) -> Response | tuple[str, int]:
    """Decide how a conflict between providers is settled."""
    try:
        conflict_decisions.settle_conflict(
            current_actor(),
            conflict_id=conflict_id,
            resolution=request.form.get("resolution", ""),
            note=request.form.get("note", "")[:400],
            at=g.at,
            wire_at=g.wire_at,
        )
    except Invalid as refused:
        return _show([(f"{e.field}-{conflict_id}", e.message) for e in refused.errors], conflict_id), refused.status
    flash("已核定，答复按核定意见出具。", "success")
    return redirect("/agency")


@bp.post("/agency/permits/<task_id>")
@action("agency.decide")
def permit(task_id: str) -> Response | tuple[str, int]:
    """Grant a permit under its number."""
    number = request.form.get("permit_no", "")[:200]
    try:
        approval = request.form.get("approval_no", "")[:200]
        decisions.grant_permit(
            current_actor(), task_id=task_id, permit_no=number, approval_no=approval, at=g.at, wire_at=g.wire_at
        )
    except Invalid as refused:
        return _show([(f"{e.field}-{task_id}", e.message) for e in refused.errors], task_id), refused.status
    flash(f"许可已办结，编号 {number.strip()}。", "success")
    return redirect("/agency")


def _show(errors: list[tuple[str, str]], about: str = "") -> str:
    """The board; `about` is the id whose entries are kept."""
    board = agency_board(current_actor(), at=g.at)
    conflicts = open_conflicts(current_actor(), at=g.at)
    given = request.form if about else {}
    return render_template(
        "agency/board.html", board=board, conflicts=conflicts, errors=errors, about=about, given=given
    )
