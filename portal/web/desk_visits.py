"""The desk and its visits: calling a time off, the calendar file, crews with standing hours, the day's route."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.journey import conflict_decisions, crews, visit_choices, visit_files
from portal.journey.pages_staff_visits import day_plans
from portal.kernel.clock import local_date
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.routes import action, current_actor

bp = Blueprint("desk_visits", __name__)


@bp.post("/desk/tasks/<task_id>/veto")
@action("desk.report", check=False)
def veto(task_id: str) -> Response:
    """Call one time off; the next round begins by itself."""
    try:
        visit_choices.veto_time(
            current_actor(),
            task_id=task_id,
            start_at=request.form.get("start_at", ""),
            reason=request.form.get("reason", ""),
            at=g.at,
            wire_at=g.wire_at,
        )
    except (Invalid, Conflict) as refused:
        text = refused.errors[0].message if isinstance(refused, Invalid) else refused.message
        flash(text, "notice")
        return redirect(f"/desk/tasks/{task_id}")
    flash("已取消这个时间，正在重新安排。请补报其他可以上门的时间。", "success")
    return redirect(f"/desk/tasks/{task_id}")


@bp.get("/desk/tasks/<task_id>/visit.ics")
@action("desk.task", check=False)
def calendar(task_id: str) -> Response:
    """The visit for one's own calendar."""
    content = visit_files.task_calendar(current_actor(), task_id=task_id, at=g.at)
    answer = Response(content, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = "attachment; filename=visit.ics"
    return answer


@bp.post("/desk/conflicts/<conflict_id>")
@action("desk.report", check=False)
def agree(conflict_id: str) -> Response:
    """Propose how to settle a conflict with other providers."""
    try:
        is_settled = conflict_decisions.agree_conflict(
            current_actor(),
            conflict_id=conflict_id,
            resolution=request.form.get("resolution", ""),
            note=request.form.get("note", "")[:400],
            at=g.at,
            wire_at=g.wire_at,
        )
        flash("已与有关单位商定。" if is_settled else "已提交，等其他单位提出意见。", "success")
    except (Invalid, Conflict) as refused:
        flash(refused.errors[0].message if isinstance(refused, Invalid) else refused.message, "notice")
    return redirect(f"/desk/tasks/{task_id}" if (task_id := _task_id()) else "/desk")


def _task_id() -> str:
    task_id = request.args.get("task", "")
    return task_id if task_id.isalnum() else ""


@bp.get("/desk/crews")
@action("desk.crews")
def list_crews() -> str:
    """Crews, their standing hours, and a day's visits in a good order."""
    return _show({}, "")


@bp.post("/desk/crews")
@action("desk.crews")
def save_crew() -> Response | tuple[str, int]:
    """Add or change a crew."""
    form = request.form
    crew_id = form.get("crew_id") or None
    try:
        crews.save_crew(
            current_actor(),
            crew_id=crew_id,
            entry=crews.CrewEntry(
                name=form.get("name", ""),
                people=_names(form.get("people", "")),
                skills=_names(form.get("skills", "")),
                hours={n: (form.get(f"day-{n}-start", ""), form.get(f"day-{n}-end", "")) for n in range(7)},
                is_active="is_active" in form,
            ),
            version=form.get("version", 1, type=int),
            at=g.at,
        )
    except Invalid as refused:
        return _show({error.field: error.message for error in refused.errors}, crew_id or "new"), refused.status
    except Conflict as refused:
        return _show({"name": refused.message}, crew_id or "new"), refused.status
    flash("班组已保存。", "success")
    return redirect("/desk/crews")


def _names(text: str) -> tuple[str, ...]:
    for mark in ("，", ",", "；", ";", " "):
        text = text.replace(mark, "、")
    return tuple(text[:400].split("、"))


def _show(errors: dict[str, str], tried: str) -> str:
    try:
        on = dt.date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        on = local_date(g.at) + dt.timedelta(days=1)
    actor = current_actor()
    return render_template(
        "desk/crews.html",
        crews=crews.own_crews(actor),
        days=day_plans(actor, on=on),
        on=on,
        weekdays=crews.WEEKDAYS,
        errors=errors,
        summary=[(f"{field}-{tried}", message) for field, message in errors.items()],
        tried=tried,
        given=request.form,
    )
