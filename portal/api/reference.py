"""What a provider's system looks up: that the line works, the codes, its own published fees and settlements."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, g, jsonify, request
from sqlalchemy import select

from portal.api import answers
from portal.api.problems import register_problem_handlers
from portal.billing.tables import Settlement
from portal.catalog import fees
from portal.catalog.queries import current_catalog
from portal.journey.settlement import settlement_values
from portal.kernel.clock import format_instant, local_date
from portal.kernel.database import db
from portal.kernel.errors import FieldError, Invalid, NotFound
from portal.kernel.routes import action, current_actor

_ITEM_FIELDS = tuple(answers.FeeItemAnswer.model_fields)
_PAGE = 200

bp = Blueprint("api_reference", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.get("/ping")
@action("api.ping")
def get_ping() -> Response:
    """That the key is good, and both of the portal's times."""
    actor = current_actor()
    answer = answers.Ping(holder=actor.id, name=actor.name, at=format_instant(g.at), wire_at=format_instant(g.wire_at))
    return jsonify(answer.plain())


@bp.get("/codes")
@action("api.codes")
def get_codes() -> Response:
    """Reason, question, pause, condition, permit and inspection codes, each with its group and its texts."""
    groups = current_catalog(db.session()).codes.model_dump(mode="json")
    rows = [{"group": name.removesuffix("s"), **row} for name, own in groups.items() for row in own]
    return jsonify(answers.Codes(items=[answers.Code.model_validate(row) for row in rows]).plain())


@bp.get("/fee-items")
@action("api.fee_items")
def get_fee_items() -> Response:
    """The published items of this provider on a day (`on`, default today)."""
    code = current_actor().provider_code
    on = _day(request.args.get("on"))
    items = fees.published_items(current_catalog(db.session()), code, on) if code else ()
    rows = [{name: _plain(getattr(item, name)) for name in _ITEM_FIELDS} for item in items]
    answer = answers.FeeItems(on=on.isoformat(), items=[answers.FeeItemAnswer.model_validate(row) for row in rows])
    return jsonify(answer.plain())


@bp.get("/settlements")
@action("api.settlements")
def get_settlements() -> Response:
    """This provider's settlements, newest day first."""
    query = select(Settlement).where(Settlement.provider == current_actor().provider_code)
    rows = db.session.scalars(query.order_by(Settlement.day.desc(), Settlement.number).limit(_PAGE))
    found = [answers.SettlementAnswer.model_validate(settlement_values(row)) for row in rows]
    return jsonify(answers.Settlements(items=found).plain())


@bp.get("/settlements/<settlement_id>")
@action("api.settlements")
def get_settlement(settlement_id: str) -> Response:
    """One settlement of this provider."""
    row = db.session.get(Settlement, settlement_id)
    if row is None or row.provider != current_actor().provider_code:
        raise NotFound
    return jsonify(answers.SettlementAnswer.model_validate(settlement_values(row)).plain())


def _day(text: str | None) -> dt.date:
    if text is None:
        return local_date(g.at)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid([FieldError("on", "应当是日期，例如 2026-11-23。", "date")]) from None


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool) or value is None else str(value)
