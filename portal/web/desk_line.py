"""连通测试: whether the provider's live address answers."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template
from werkzeug.wrappers import Response

from portal.journey import line_tests
from portal.kernel.errors import Conflict
from portal.kernel.routes import action, current_actor

bp = Blueprint("desk_line", __name__)


@bp.get("/desk/line")
@action("desk.line")
def show() -> str:
    """How the provider is reached, and its latest tests."""
    return render_template("desk/line.html", line=line_tests.view_line(current_actor()))


@bp.post("/desk/line")
@action("desk.line")
def send() -> Response:
    """Post one `test.ping` to the live address."""
    try:
        line_tests.send_ping(current_actor(), at=g.at, wire_at=g.wire_at)
        flash("连通测试已发出，结果会显示在下面，请稍候刷新。", "success")
    except Conflict as refused:
        flash(refused.message)
    return redirect("/desk/line")
