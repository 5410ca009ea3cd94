"""The sandbox of a provider's engineer: open it, see each test case, run the checks, take the badge. And the badge."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, g, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from portal.journey import badges, sandbox
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.routes import action, current_actor

bp = Blueprint("sandbox", __name__)


@bp.get("/desk/sandbox")
@action("sandbox.manage")
def show() -> str:
    """The test cases and what was seen of each; or the form that opens a sandbox."""
    return _page()


@bp.post("/desk/sandbox")
@action("sandbox.manage")
def open_() -> Response | tuple[str, int]:
    """Open (or open anew) at a level. Key and secret stand on the page that answers, this once."""
    entered = {name: request.form.get(name, "") for name in ("level", "push_url")}
    try:
        made = sandbox.open_sandbox(current_actor(), **entered, at=g.at, wire_at=g.wire_at)
    except Invalid as refused:
        errors = {error.field: error.message for error in refused.errors}
        return _page(entered=entered, errors=errors), refused.status
    answer = make_response(_page(made=made))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/desk/sandbox/checks")
@action("sandbox.manage")
def check() -> Redirect:
    """Let the portal send its test messages."""
    sandbox.start_checks(current_actor(), wire_at=g.wire_at)
    flash("检查已开始，结果会逐项显示在下面，请稍候刷新。", "success")
    return redirect("/desk/sandbox")


@bp.post("/desk/sandbox/restart")
@action("sandbox.manage")
def restart() -> Redirect:
    """Everything from the beginning, under the same key and secret."""
    sandbox.restart_sandbox(current_actor(), wire_at=g.wire_at)
    flash("沙箱已清空，任务重新下发，密钥不变。", "success")
    return redirect("/desk/sandbox")


@bp.post("/desk/sandbox/badge")
@action("sandbox.manage")
def give() -> Redirect | tuple[str, int]:
    """The badge, once every case that must pass has passed."""
    base_url = current_app.config["PORTAL"].base_url
    try:
        code = badges.give_badge(current_actor(), base_url=base_url, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        return _page(errors={"": refused.message}), refused.status
    return redirect(f"/badges/{code}")


@bp.get("/badges/<code>")
@action("public.badge")
def badge(code: str) -> str:
    """The badge for anybody."""
    return render_template("public/badge.html", badge=badges.read_badge(code))


@bp.get("/badges/<code>.json")
@action("public.badge")
def badge_document(code: str) -> Response:
    """The same as data, with the portal's signature over it."""
    return jsonify(badges.read_badge(code))


def _page(
    *,
    made: sandbox.Credentials | None = None,
    entered: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> str:
    actor = current_actor()
    view = badges.view_sandbox(actor, wire_at=g.wire_at)
    kept = {"level": view.level, "push_url": view.push_url or ""} if view else {"level": "push", "push_url": ""}
    return render_template(
        "desk/sandbox.html",
        view=view,
        made=made,
        entered=entered or kept,
        errors=errors or {},
        badges=badges.list_badges(actor),
        address=f"{current_app.config['PORTAL'].base_url}/sandbox",
    )
