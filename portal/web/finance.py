"""Finance: settlements, reconciliation and the ledger."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from portal.journey.pages_staff_finance import finance_board
from portal.kernel.routes import action, current_actor

bp = Blueprint("finance", __name__)


@bp.get("/finance")
@action("finance.view")
def index() -> str:
    """The state of the money."""
    board = finance_board(current_actor(), page=request.args.get("page", 1, type=int))
    return render_template("finance/board.html", board=board)
