"""Status messages of a provider's system in its own dialect; which one it speaks is data (see the mapping page)."""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, g, request

from portal.api.auth import signed_message_id
from portal.api.problems import register_problem_handlers
from portal.exchange.wire.parsing import MAX_BYTES
from portal.journey import statuses
from portal.kernel.database import db
from portal.kernel.routes import action, current_actor

bp = Blueprint("api_statuses", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.post("/statuses")
@action("api.report")
def post_status() -> Response:
    """A status message in your own dialect; signed, unless your mapping says that your system cannot sign."""
    request.max_content_length = MAX_BYTES
    raw, actor = request.get_data(cache=False), current_actor()
    if not statuses.mapping_of_sender(db.session(), actor).unsigned:
        signed_message_id(actor, dict(request.headers), raw)
    answer = statuses.receive_status(actor, raw=raw, wire_at=g.wire_at)
    return current_app.response_class(json.dumps(answer, ensure_ascii=False), content_type="application/json")
