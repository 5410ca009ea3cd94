"""Where the payment gateway sends its notices: the raw message is stored before it is answered."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from portal.journey import payment
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.routes import action

bp = Blueprint("gateway", __name__)
MAX_NOTICE = 65_536


@bp.post("/gateway/notify")
@action("gateway.notify")
def notify() -> Response:
    """Signature, freshness and shape decide; applying it is a job of its own."""
    if (request.content_length or 0) > MAX_NOTICE:
        raise Invalid([FieldError("", "通知过大。", "too_large")])
    status = payment.receive_notice(dict(request.headers), request.get_data(cache=False), wire_at=g.wire_at)
    return Response(status=status)
