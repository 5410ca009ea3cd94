"""Tasks for a provider's own system: the list as it changes (with long poll), one task, and its papers."""

from __future__ import annotations

import time
from functools import partial

from flask import Blueprint, Response, current_app, g, jsonify, request

from portal.api.problems import register_problem_handlers
from portal.api.waiting import WaitingRoom
from portal.cases.workflow import TRACK_STAGES
from portal.journey import provider_reads
from portal.journey.change_feed import has_news
from portal.kernel.database import db
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.routes import action, current_actor

MAX_WAIT_S = 30
room = WaitingRoom()
STATES = (
    "issued",
    "received",
    "working",
    "waiting_applicant",
    "paused",
    "done",
    "declined",
    "withdrawn",
    "failed",
)
STAGES = (*TRACK_STAGES, "permits")

bp = Blueprint("api_tasks", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.get("/tasks")
@action("api.tasks")
def get_tasks() -> Response:
    """{"items": [task document], "next": cursor}; `wait` seconds (≤ 30) for something new when there is nothing."""
    after = _number("after", 0, 10**15)
    wait = _number("wait", 0, MAX_WAIT_S)
    states, stages = _choices("state", STATES), _choices("stage", STAGES)
    begun = time.monotonic()
    page = _wait_for_page(after, states, stages, wait)
    answer = jsonify(items=page.items, next=str(page.next))
    if wait and not page.items and time.monotonic() - begun < wait:
        answer.headers["Retry-After"] = "1"  # no seat was free, or a newer call took it
    return answer


@bp.get("/tasks/<task_id>")
@action("api.tasks")
def get_task(task_id: str) -> Response:
    """The task document; 404 for another provider's."""
    return jsonify(provider_reads.own_task(current_actor(), task_id, at=g.at))


@bp.get("/materials/<material_id>")
@action("api.material_read")
def get_material(material_id: str) -> Response:
    """The bytes of a paper named in one of the provider's own task documents."""
    paper = provider_reads.own_paper(current_actor(), material_id)
    response = current_app.response_class(paper.content, mimetype=paper.media_type)
    response.headers["Content-Disposition"] = "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["ETag"] = f'"{paper.sha256}"'
    return response


def _wait_for_page(
    after: int, states: tuple[str, ...], stages: tuple[str, ...], wait_s: int
) -> provider_reads.TaskPage:
    """The page behind the cursor; where it is empty, again whenever something is said, until the time is up.

    What is said may be filtered out by `state` and `stage`: then the wait goes on behind it.
    """
    actor, begun = current_actor(), time.monotonic()
    provider = actor.provider_code or ""
    while True:
        page = provider_reads.changed_tasks(actor, after=after, states=states, stages=stages, at=g.at)
        left = wait_s - (time.monotonic() - begun)
        look = partial(has_news, provider, max(after, page.seen))
        db.session.remove()
        if page.items or left <= 0 or not room.wait(provider, left, look):
            return page


def _number(name: str, least: int, most: int) -> int:
    text = request.args.get(name, str(least)) or str(least)
    if not text.isascii() or not text.isdigit() or len(text) > 15 or not least <= int(text) <= most:
        raise Invalid([FieldError(name, f"应当是 {least} 到 {most} 之间的整数。", "number")])
    return int(text)


def _choices(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    given = tuple(part for text in request.args.getlist(name) for part in text.split(",") if part)
    wrong = [part for part in given if part not in known]
    if wrong:
        raise Invalid([FieldError(name, f"可用的值：{'、'.join(known)}。", "choice")])
    return given
