"""Health: deliveries, jobs, documents and the audit chain."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from portal.journey.pages_staff_health import health_board
from portal.kernel.routes import action, current_actor
from portal.web.hand_over_words import OWNERS, REASONS

bp = Blueprint("health", __name__)


@bp.get("/health")
@action("health.view")
def index() -> str:
    """How the portal runs now."""
    board = health_board(current_actor(), at=g.at, wire_at=g.wire_at)
    return render_template("health/board.html", board=board, reasons=REASONS, owners=OWNERS)
