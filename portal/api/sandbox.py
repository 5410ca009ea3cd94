"""`/sandbox/api/v1`: the sandbox's address. A system under trial calls it exactly as it would call `/api/v1`."""

from __future__ import annotations

import json
import threading
import time

from flask import Blueprint, Response, current_app, g, request

from portal.api.problems import register_problem_handlers
from portal.exchange.conformance.stand_in import Call
from portal.journey.sandbox import take_call
from portal.kernel.errors import NotSignedIn
from portal.kernel.problems import MEDIA_TYPE
from portal.kernel.routes import action

MAX_BODY = 1_048_576
_MAX_HEADER = 400
_slow = threading.BoundedSemaphore(3)  # slow answers hold a web thread each: more at once are not made to wait

bp = Blueprint("api_sandbox", __name__, url_prefix="/sandbox/api/v1")
register_problem_handlers(bp)


@bp.route("/<path:path>", methods=["GET", "POST"])
@action("sandbox.call")
def call(path: str) -> Response:
    """Whatever the stand-in portal answers; 401 for a key that is not the sandbox's."""
    request.max_content_length = MAX_BODY
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or len(key) > _MAX_HEADER:
        raise NotSignedIn("请在 Authorization 请求头中提供沙箱的访问密钥。", code="bad_key")
    made = Call(request.method, f"/{path}", request.args.to_dict(), dict(request.headers), request.get_data())
    answer = take_call(key.strip(), made, wire_at=g.wire_at)
    _take_time(answer.delay_s)
    return current_app.response_class(
        json.dumps(answer.body, ensure_ascii=False),
        status=answer.status,
        content_type="application/json" if answer.status < 400 else MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **answer.headers},
    )


def _take_time(seconds: float) -> None:
    if seconds and _slow.acquire(blocking=False):
        try:
            time.sleep(seconds)
        finally:
            _slow.release()
