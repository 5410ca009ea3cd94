"""Filing by JSON, for government portals and providers' halls: one document in, one number out."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from portal.api import answers
from portal.api.auth import caller_key
from portal.api.problems import BadRequest, register_problem_handlers
from portal.cases.application_document import subject_of
from portal.journey.filing import Filed, file_application, read_status
from portal.kernel.clock import format_instant
from portal.kernel.policy import Actor
from portal.kernel.routes import action, current_actor

MAX_BODY = 1024 * 1024
CHANNEL_SCOPE = "channel:"

bp = Blueprint("api_applications", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.post("/applications")
@action("api.file")
def post_application() -> tuple[Response, int]:
    """201 with the number; the same key and body again answer the same. 400, 401, 403, 413, 422 as problems."""
    request.max_content_length = MAX_BODY
    actor = current_actor()
    key = caller_key(actor)
    if not key:
        raise BadRequest("请在请求头 Idempotency-Key 中提供幂等键。", code="idempotency_key_missing")
    body = read_json(MAX_BODY)
    filed = file_application(
        actor, body=body, channel=channel_of(actor), subject_id=subject_of(body), idempotency_key=key, at=g.at
    )
    response = jsonify(_answer(filed))
    response.headers["Location"] = _status_url(filed.application_no)
    return response, 201


@bp.get("/applications/<application_no>")
@action("api.status")
def get_application(application_no: str) -> Response:
    """Where an application of this key stands; others' look absent (404)."""
    status = read_status(current_actor(), application_no=application_no)
    answer = answers.ApplicationStatus(
        application_no=status.application_no,
        state=status.state,
        case_no=status.case_no,
        stage=status.stage,
        filed_at=format_instant(status.filed_at),
        corrections=[answers.CorrectionAsked(field=item.field, message=item.message) for item in status.corrections],
        not_served=[answers.NotServed.model_validate(row) for row in status.not_served],
    )
    return jsonify(answer.plain())


def read_json(limit: int) -> Any:
    """The body as JSON, parsed once. Raises BadRequest, and 413 beyond `limit` bytes."""
    request.max_content_length = limit
    if not request.is_json:
        raise BadRequest("请以 application/json 提交。", code="not_json")
    try:
        return json.loads(request.get_data(cache=False), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest("提交的内容不是有效的 JSON。", code="not_json") from None


def channel_of(actor: Actor) -> str:
    """The channel a key files through: its scope `channel:<name>`, else by the kind of its holder."""
    named = sorted(scope for scope in actor.scopes if scope.startswith(CHANNEL_SCOPE))
    if named:
        return named[0].removeprefix(CHANNEL_SCOPE)
    return "provider_hall" if actor.kind == "provider" else "gov_portal"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _status_url(application_no: str) -> str:
    return f"/api/v1/applications/{application_no}"


def _answer(filed: Filed) -> dict[str, Any]:
    answer = answers.Filed(
        application_no=filed.application_no,
        case_no=filed.case_no,
        status_url=_status_url(filed.application_no),
        query_code=filed.query_code,
        not_served=[answers.NotServed.model_validate(row) for row in filed.not_served],
        notes=[answers.FilingNote.model_validate(row) for row in filed.notes],
        owed=[answers.OwedPaper.model_validate(row) for row in filed.owed],
        owed_bytes=list(filed.owed_bytes),
    )
    return answer.plain()
