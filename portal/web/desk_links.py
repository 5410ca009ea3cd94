"""The link from a mail: checked, then on to the task, where the reader signs in as at any other time."""

from __future__ import annotations

from flask import Blueprint, current_app, g, redirect
from werkzeug.wrappers import Response

from portal.exchange.desk_links import read_link
from portal.kernel.errors import NotFound
from portal.kernel.routes import action

bp = Blueprint("desk_links", __name__)


@bp.get("/desk/links/<token>")
@action("desk.link")
def follow(token: str) -> Response:
    """To the task it was made for."""
    key = current_app.config["SECRET_KEY"]
    task_id = read_link(key, token, g.wire_at)
    if task_id is None:
        raise NotFound("链接不完整或已过期。请直接登录供应单位工作台，在“我的任务”里查看。", code="bad_link")
    return redirect(f"/desk/tasks/{task_id}")
