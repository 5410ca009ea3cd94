"""The mapping pages: which dialect a provider's system speaks, what nobody has mapped yet, and the missing row."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.cases.workflow import TRACK_STAGES
from portal.exchange.wire import REPORT_MODELS
from portal.journey import mappings
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.routes import action, current_actor

bp = Blueprint("mappings", __name__)


@bp.get("/hand-overs/mappings/<provider>")
@action("exchange.map")
def show(provider: str) -> str:
    """One provider's dialect."""
    name, mapping, versions = mappings.mapping_page(current_actor(), provider)
    session = db.session()
    return render_template(
        "hand_overs/mapping.html",
        provider=provider,
        name=name,
        mapping=mapping,
        versions=versions,
        dialects=mappings.dialects(session),
        unmapped=mappings.unmapped_of(session, provider),
        stages=TRACK_STAGES,
        kinds=("noted", *REPORT_MODELS),
    )


@bp.post("/hand-overs/mappings/<provider>/use")
@action("exchange.map")
def use(provider: str) -> Response:
    """Start from one of the city's dialects."""
    offered = mappings.dialects(db.session())
    name = request.form.get("dialect", "")
    if name not in offered:
        raise NotFound
    mappings.put_mapping(current_actor(), provider=provider, mapping=offered[name], note=name, at=g.at)
    flash("对应表已启用。", "success")
    return redirect(f"/hand-overs/mappings/{provider}")


@bp.post("/hand-overs/mappings/<provider>/codes")
@action("exchange.map")
def add(provider: str) -> Response:
    """One row more: a code, in one stage or in all, and the report it stands for."""
    form = request.form
    rule = {name: form.get(name, "").strip() for name in ("code", "stage", "title", "report")}
    values = {"reason_code": form.get("reason_code", "").strip()}
    copies = {"evidence": form.get("evidence", "").strip()}
    filled = {"values": {k: v for k, v in values.items() if v}, "copies": {k: v for k, v in copies.items() if v}}
    try:
        version = mappings.add_status_rule(current_actor(), provider=provider, rule={**rule, **filled}, at=g.at)
    except Invalid as refused:
        flash(refused.errors[0].message, "error")
    else:
        flash(f"已保存为第 {version} 版。请到“未能办理的来件”中重新处理。", "success")
    return redirect(f"/hand-overs/mappings/{provider}")


@bp.post("/hand-overs/messages/<message_id>/remap")
@action("exchange.map")
def remap(message_id: str) -> Response:
    """Make a message again under the mapping in force and send it."""
    try:
        mappings.remap_and_replay(current_actor(), message_id=message_id, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        flash(refused.message, "error")
    else:
        flash("已按现行对应表重新生成并排入投递。", "success")
    return redirect(f"/hand-overs/messages/{message_id}")
