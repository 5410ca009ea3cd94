"""A provider's report: read bounded, verified over the raw bytes, applied once, answered the same way ever after."""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, g, request

from portal.api.auth import signed_message_id
from portal.api.problems import register_problem_handlers
from portal.exchange.wire.parsing import MAX_BYTES
from portal.journey.reports import submit_report
from portal.kernel.problems import MEDIA_TYPE
from portal.kernel.routes import action, current_actor

bp = Blueprint("api_reports", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.post("/tasks/<task_id>/reports")
@action("api.report")
def post_report(task_id: str) -> Response:
    """200 {report_id, task}; 401 bad key or signature, 404, 409, 413, 422 as problems."""
    request.max_content_length = MAX_BYTES
    raw = request.get_data(cache=False)
    actor = current_actor()
    message_id = signed_message_id(actor, dict(request.headers), raw)
    answer = submit_report(
        actor, task_id=task_id, message_id=message_id, path=request.path, raw=raw, at=g.at, wire_at=g.wire_at
    )
    return current_app.response_class(
        json.dumps(answer.body, ensure_ascii=False),
        status=answer.status,
        content_type="application/json" if answer.status < 400 else MEDIA_TYPE,
        headers={"Cache-Control": "no-store"},
    )
