"""The desk of a provider without its own system: its tasks, and reports entered by hand."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from forms.application_summary import part_rows
from forms.desk_report_fields import CHOICES, FORMS
from forms.desk_reports import Facts, defaults_of, fields_of, report_of
from portal.cases.workflow import TRACK_STAGES
from portal.journey import reports
from portal.journey.pages_staff_conflicts import conflicts_at_desk
from portal.journey.pages_staff_desk import STATE_GROUPS, DeskTask, desk_task, inbox, task_paper
from portal.journey.pages_staff_visits import planned_times
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.money import format_yuan
from portal.kernel.routes import action, current_actor

bp = Blueprint("desk", __name__)


@bp.get("/desk")
@action("desk.list")
def index() -> str:
    """The provider's own tasks."""
    group = request.args.get("state", "todo")
    group = group if group in STATE_GROUPS else "all"
    stage = request.args.get("stage", "")
    stage = stage if stage in TRACK_STAGES else ""
    page = request.args.get("page", 1, type=int)
    found = inbox(current_actor(), group=group, stage=stage, page=page, at=g.at)
    return render_template("desk/inbox.html", found=found, group=group, stage=stage, stages=TRACK_STAGES)


@bp.get("/desk/tasks/<task_id>")
@action("desk.task", check=False)
def show(task_id: str) -> str:
    """One task: only the provider's own part of the case."""
    return _show(desk_task(current_actor(), task_id=task_id, at=g.at), "", {})


@bp.get("/desk/tasks/<task_id>/materials/<material_id>")
@action("desk.task", check=False)
def paper(task_id: str, material_id: str) -> Response:
    """A paper named in the task."""
    content = task_paper(current_actor(), task_id=task_id, material_id=material_id, at=g.at)
    answer = Response(content.content, mimetype=content.media_type)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(content.name)}"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@bp.post("/desk/tasks/<task_id>/reports")
@action("desk.report", check=False)
def report(task_id: str) -> Response | tuple[str, int]:
    """One report. What is wrong with it is shown at its field, with everything entered kept."""
    actor = current_actor()
    task = desk_task(actor, task_id=task_id, at=g.at)
    kind = request.form.get("kind", "")
    if kind not in FORMS:
        return _show(task, "", {"": "请从页面上选择要填报的内容。"}), 422
    entered = report_of(kind, request.form, _facts(task))
    try:
        reports.submit_desk_report(actor, task_id=task_id, report=entered.report, at=g.at, wire_at=g.wire_at)
    except Invalid as refused:
        task = desk_task(actor, task_id=task_id, at=g.at)
        return _show(task, kind, entered.field_errors(refused.errors)), refused.status
    except Conflict as refused:
        task = desk_task(actor, task_id=task_id, at=g.at)
        return _show(task, kind, {"": refused.message}), refused.status
    flash(f"“{FORMS[kind].title}”已提交。", "success")
    return redirect(f"/desk/tasks/{task_id}")


def _facts(task: DeskTask) -> Facts:
    revision = request.form.get("revision", type=int)
    return Facts(
        revision=task.document["revision"] if revision is None else revision,
        operator=current_actor().name,
        at=g.at,
        payee=task.provider,
        document=task.document,
        items={item.code: item for item in task.items},
    )


def _show(task: DeskTask, tried: str, errors: dict[str, str]) -> str:
    """The page; `tried` is the kind whose entries are kept, `errors` by name of field, `""` for the whole."""
    document = task.document
    kinds = [kind for kind in document["expects"] if kind in FORMS]
    priced = tuple((i.code, f"{i.title}，{format_yuan(i.price_fen)} 元/{i.unit}") for i in task.items)
    values = {kind: defaults_of(kind, document, g.at) for kind in kinds}
    if tried in values:
        values[tried] = request.form.to_dict()
    return render_template(
        "desk/task.html",
        conflicts=conflicts_at_desk(current_actor(), task_id=document["task_id"], at=g.at),
        times=planned_times(current_actor(), task_id=document["task_id"]) if document["stage"] == "survey" else (),
        task=document,
        provider=task.provider,
        names=task.names,
        part=part_rows(document["part"], document["utility"] or "", task.names),
        kinds=_own_first(kinds),
        forms=FORMS,
        choices={**task.choices, **CHOICES, "fee_items": priced},
        values=values,
        tried=tried,
        errors=errors,
        summary=_summary(tried, errors),
    )


def _own_first(kinds: list[str]) -> list[str]:
    """The report the task is for stands first, refusing it last."""
    last = ("quote_final", "question", "pause", "extension", "declined")
    return [kind for kind in kinds if kind not in last] + [kind for kind in last if kind in kinds]


def _summary(kind: str, errors: dict[str, str]) -> list[tuple[str, str]]:
    """Each error with the field it leads to: the field itself, else the first of its group, else the form."""
    names = [name for _, name in fields_of(kind)] if kind else []
    found = []
    for name, message in errors.items():
        near = [n for n in names if n == name or (name and n.startswith(f"{name}."))]
        label = next((entry.label for entry, n in fields_of(kind) if n == name), "") if kind else ""
        found.append((f"{kind}-{near[0]}" if near else "reports", f"{label}：{message}" if label else message))
    return found
