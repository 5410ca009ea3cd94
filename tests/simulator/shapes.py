"""The protocol page's report kinds as plain shapes, written for these tests from the page alone.

A shape is a dict of field → check; a field whose name ends in `?` may be missing. Unknown fields are wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

CODE = re.compile(r"[A-Za-z0-9_.\-]{1,40}")
STAGES = {"survey", "reply", "review", "permits", "works", "acceptance", "connection"}


def text(value):
    return isinstance(value, str) and value != ""


def code(value):
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def fen(value):
    return type(value) is int and value >= 0


def flag(value):
    return isinstance(value, bool)


def instant(value):
    return dt.datetime.fromisoformat(value).tzinfo is not None


def day(value):
    return dt.date.fromisoformat(value) is not None and len(value) == 10


def decimal_string(value):
    return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value) is not None


def one_of(*choices):
    return lambda value: value in choices


def each(shape, at_least=0):
    return lambda value: isinstance(value, list) and len(value) >= at_least and all(fits(one, shape) for one in value)


def fits(value, shape):
    """Whether `value` has exactly the fields of `shape` and every check holds; a callable shape is the check."""
    if callable(shape):
        return bool(shape(value))
    names = {name.rstrip("?") for name in shape}
    needed = {name for name in shape if not name.endswith("?")}
    if not isinstance(value, dict) or not needed <= set(value) <= names:
        return False
    checks = {name.rstrip("?"): check for name, check in shape.items()}
    return all(fits(inner, checks[name]) for name, inner in value.items())


def position(value):
    return len(value) == 2 and 73 <= value[0] <= 136 and 3 <= value[1] <= 54


LINE = {"type": one_of("LineString"), "coordinates": lambda v: len(v) >= 2 and all(position(p) for p in v)}
PLACE = {"location?": {"lon": number, "lat": number}, "description": text}
TRENCH = {"route": LINE, "depth_m": number, "width_m": number, "clearance_m": number}
QUOTE = {
    "fee_item": code,
    "quantity": decimal_string,
    "unit_price_fen": fen,
    "amount_fen": fen,
    "payer": one_of("user", "provider", "government"),
    "payee": text,
    "boundary": one_of("inside", "outside"),
    "vat_rate": lambda v: number(v) or decimal_string(v),
    "basis": text,
}
OPTION = {
    "code": code,
    "title": text,
    "summary": text,
    "access_point": PLACE,
    "works_days": fen,
    "quote": each(QUOTE),
    "recommended_why?": text,
}
POINT = {
    "account_no": text,
    "meter_no": text,
    "supply_point?": text,
    "opening_reading?": decimal_string,
    "multiplier?": decimal_string,
    "seal_no?": text,
}
QUESTION = {"code": code, "text": text, "material_kind?": code, "field?": text, "why": text, "reason_if_late?": text}
COMMENT = {"drawing_sha256": text, "location": text, "clause": text, "severity": code, "text": text}
BASE = {"kind": text, "occurred_at": instant, "provider_ref": text, "operator": text, "revision": fen}
KINDS = {
    "received": {},
    "line_check": {"outside_line_m": number, "note": text},
    "question": {"items": each(QUESTION, 1)},
    "availability": {"slots": each({"start_at": instant, "end_at": instant}, 1), "people": each(text, 1)},
    "findings": {
        "conclusion": one_of("ready", "ready_with_conditions", "not_ready"),
        "outside_line_m": number,
        "access_point": PLACE,
        "line_length_m": number,
        "pipe_dn_mm?": fen,
        "capacity_kva?": number,
        "pressure?": text,
        "trench": lambda v: v is None or fits(v, TRENCH),
        "obstacles": each(text),
        "photos": each(text),
    },
    "reply": {
        "verdict": one_of("approve", "conditional"),
        "options": each(OPTION, 1),
        "conditions": each({"code": code, "text": text, "before_stage": one_of(*STAGES)}),
        "investment_boundary": text,
        "valid_until_on": day,
    },
    "review": {
        "verdict": one_of("pass", "rework"),
        "round": fen,
        "drawings": each({"sha256": text, "version": fen}, 1),
        "comments": each(COMMENT),
    },
    "works": {
        "status": one_of("planned", "started", "finished"),
        "window": {"start_on": day, "end_on": day},
        "needs_road_opening": flag,
    },
    "acceptance": {
        "verdict": one_of("pass", "rectify"),
        "mode": one_of("site", "remote"),
        "items": each({"code": code, "measured": text, "ok": flag, "note": text, "photo?": text}, 1),
        "rectify_by_on?": day,
    },
    "connected": {"connected_at": instant, "points": each(POINT, 1)},
}


def check_report(report, fees):
    """All that is wrong with a report by the protocol page; `fees` maps published codes to unit prices."""
    if not fits(report, BASE | KINDS[report["kind"]]):
        return [f"{report['kind']}: wrong shape: {report}"]
    wrong = []
    for option in report.get("options", ()):
        for line in option["quote"]:
            due = (Decimal(line["quantity"]) * line["unit_price_fen"]).quantize(Decimal(1), rounding=ROUND_HALF_UP)
            if line["amount_fen"] != int(due):
                wrong.append(f"amount_mismatch: {line}")
            if fees.get(line["fee_item"]) != line["unit_price_fen"]:
                wrong.append(f"fee_not_published: {line}")
    if report["kind"] == "acceptance" and report["verdict"] == "pass" and not all(i["ok"] for i in report["items"]):
        wrong.append("pass with a failed item")
    return wrong
