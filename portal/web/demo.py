"""The demo's calendar: read and moved by the demo driver, nudged by a button on every page."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, jsonify, redirect, request
from werkzeug.wrappers import Response as Redirect

from portal.journey import clocks, demo_clock
from portal.kernel.clock import parse_instant
from portal.kernel.database import db
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.routes import action
from portal.kernel.simulated_clock import BusinessClock
from portal.web.addresses import local_path

bp = Blueprint("demo", __name__)
clock_bp = Blueprint("demo_clock", __name__)  # JSON, used by the driver on loopback: no form, so no form token


@clock_bp.get("/demo/clock")
@action("demo.clock", check=False)
def show() -> Response:
    """Business time, how much is due now and, unless `brief` is asked for, when something is due next by itself."""
    session = db.session()
    pending = clocks.pending_work(session, wire_at=g.wire_at)
    # While something is under way the answer to "what comes next" would be out of date before it is read.
    next_at = None if pending or "brief" in request.args else clocks.next_due(session, at=g.at)
    row = session.get(BusinessClock, 1)
    return jsonify(
        now=g.at.isoformat(),
        pending=pending,
        next_at=next_at.isoformat() if next_at else None,
        advance_requested=bool(row and row.advance_requested),
    )


@clock_bp.post("/demo/clock")
@action("demo.clock", check=False)
def move() -> Response:
    """Move business time: `{"to": RFC 3339}`, or ask for it: `{"advance": true}`."""
    sent = request.get_json(silent=True)  # only as JSON: a form of another site cannot send that
    body = sent if isinstance(sent, dict) else {}
    if body.get("advance"):
        demo_clock.request_advance()
        return jsonify(ok=True)
    try:
        to = parse_instant(str(body.get("to", "")))
    except ValueError:
        raise Invalid([FieldError("to", "请提供带时区的时间，如 2026-11-23T09:00:00+08:00。", "format")]) from None
    demo_clock.move_clock(to)
    return jsonify(ok=True, now=to.isoformat())


@bp.post("/demo/advance")
@action("demo.clock", check=False)
def advance() -> Redirect:
    """The button on every page."""
    demo_clock.request_advance()
    flash("演示时间将在没有待办事项时前进到下一事件，请稍候刷新。")
    return redirect(local_path(request.form.get("back")) or "/")
