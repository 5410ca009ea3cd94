"""Oversight: which cases need attention, and the record of one case."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, render_template, request

from portal.journey import records
from portal.journey.pages_staff_oversight import oversight_board
from portal.kernel.policy import may
from portal.kernel.routes import action, current_actor

bp = Blueprint("oversight", __name__)


@bp.get("/oversight")
@action("oversight.view")
def index() -> str:
    """Open cases, the reddest first, and providers."""
    actor = current_actor()
    board = oversight_board(actor, at=g.at, page=request.args.get("page", 1, type=int))
    return render_template("oversight/board.html", board=board, may_read_record=may(actor, "oversight.record"))


@bp.get("/oversight/cases/<case_no>.json")
@action("oversight.record")
def record(case_no: str) -> Response:
    """Everything about one case, for programs and auditors."""
    return jsonify(records.case_record(current_actor(), case_no=case_no))
