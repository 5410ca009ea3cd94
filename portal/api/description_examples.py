"""Examples of the description: one application, one report of each kind, the task document of an event.

Tests hold each of them against its schema and against the model that validates the real thing.
"""

from __future__ import annotations

from typing import Any

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_BASE = {"occurred_at": "2026-11-24T15:20:00+08:00", "revision": 1, "operator": "李工"}

APPLICATION: dict[str, Any] = {
    "kind": "new",
    "applicant": {
        "kind": "enterprise",
        "name": "五原县葵丰籽仁加工有限公司",
        "uscc": "91150821MA0N12340W",
        "legal_representative": {"name": "孙某", "id_no": "152826198802140020", "mobile": "13704780021"},
        "contact": {"name": "周某", "id_no": "150823197609301528", "mobile": "13704780022"},
    },
    "project": {"name": "葵花籽仁精选车间", "code": "2608-150821-04-01-507731"},
    "site": {
        "division": "150821",
        "street": "150821100",
        "address": "隆兴昌镇工业园区创业路6号",
        "location": {"lon": 108.2679, "lat": 41.0923},
        "outside_line_estimate_m": 140,
    },
    "utilities": {
        "water": {
            "use": "industrial",
            "daily_m3": 40,
            "pipe_dn_mm": 100,
            "drainage": "municipal_sewer",
            "wanted_on": "2027-04-10",
        },
        "network": {"service": "broadband", "operators": ["telecom"], "bandwidth_mbps": 200, "wanted_on": "2027-04-20"},
    },
    "materials": [
        {"kind": "business_licence", "source": "licence_store"},
        {"kind": "id_card", "source": "licence_store"},
        {"kind": "property_right", "source": "upload", "file": "property_right.pdf"},
    ],
    "notice_version": "2026-11",
    "consents": {"reuse_licences": ["business_licence", "id_card"], "promise_terms": True},
}

_QUOTE = {
    "fee_item": "W-IN-PIPE",
    "quantity": "12.5",
    "unit_price_fen": 18000,
    "amount_fen": 225000,
    "payer": "user",
    "payee": "water-linhe",
    "boundary": "inside",
    "vat_rate": "9",
    "basis": "用户红线内工程，用户可自行选择设计、施工和材料单位",
}
_OPTION = {
    "code": "A",
    "title": "就近接入",
    "summary": "自纬三路现状管道接入，管径 DN100。",
    "works_days": 12,
    "quote": [_QUOTE],
    "recommended_why": "线路最短，工期最短",
}
_TRENCH = {
    "route": {"type": "LineString", "coordinates": [[107.381, 40.751], [107.3822, 40.7514]]},
    "depth_m": 1.8,
    "width_m": 0.8,
    "clearance_m": 1.0,
}
_FIELDS: dict[str, dict[str, Any]] = {
    "received": {},
    "declined": {
        "reason_code": "outside_area",
        "basis": "供水经营范围以城区为界",
        "would_change": "配水管网延伸至该地块后即可受理",
        "alternative": "可申请自备水源",
    },
    "question": {
        "items": [
            {
                "code": "red_line_map",
                "text": "请补充带坐标的红线图。",
                "material_kind": "red_line_map",
                "why": "用于定位",
            }
        ]
    },
    "line_check": {"outside_line_m": 0, "note": "门口已有管线，无需外线"},
    "pause": {"reason_code": "applicant_works", "evidence": "场地平整通知单", "note": "等待场地平整"},
    "resume": {"reason_code": "applicant_works", "evidence": "场地移交单"},
    "extension": {"until_on": "2026-12-10", "reason": "穿越河道需补充勘察", "evidence": "勘察委托书"},
    "availability": {
        "slots": [{"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T11:30:00+08:00"}],
        "people": ["李工"],
    },
    "findings": {
        "conclusion": "ready",
        "outside_line_m": 120,
        "access_point": {"location": {"lon": 107.381, "lat": 40.751}, "description": "路北 3 号检查井"},
        "line_length_m": 132,
        "pipe_dn_mm": 100,
        "trench": _TRENCH,
    },
    "reply": {
        "verdict": "approve",
        "options": [_OPTION],
        "investment_boundary": "红线外由供水单位投资建设",
        "valid_until_on": "2027-05-23",
    },
    "quote_final": {"quote": [_QUOTE], "reason": "审图后管径变化"},
    "review": {"verdict": "pass", "round": 1, "drawings": [{"sha256": _SHA256, "version": 1}]},
    "works": {
        "status": "planned",
        "window": {"start_on": "2027-04-01", "end_on": "2027-04-20"},
        "needs_road_opening": True,
    },
    "acceptance": {
        "verdict": "pass",
        "mode": "site",
        "items": [{"code": "pressure_test", "measured": "1.0 MPa，30 分钟无渗漏", "ok": True}],
    },
    "connected": {
        "connected_at": "2027-06-20T10:00:00+08:00",
        "points": [{"account_no": "1508020017", "meter_no": "202706200001", "opening_reading": "0", "multiplier": "1"}],
    },
    "permit": {
        "permit_kind": "road_opening",
        "verdict": "granted",
        "permit_no": "临占〔2027〕18号",
        "valid_from_on": "2027-03-20",
        "valid_until_on": "2027-05-20",
    },
}
REPORTS: dict[str, list[dict[str, Any]]] = {
    kind: [{"kind": kind, **_BASE, **fields}] for kind, fields in _FIELDS.items()
}

_TASK: dict[str, Any] = {
    "task_id": "5f0f3c1e9a7b4d2c8e6f1a2b3c4d5e6f",
    "revision": 1,
    "case_no": "LB261123-7QK2MX",
    "stage": "survey",
    "provider": "water-wuyuan",
    "utility": "water",
    "state": "issued",
    "issued_at": "2026-11-23T10:05:00+08:00",
    "due_at": "2026-11-26T17:30:00+08:00",
    "light": "green",
    "paused": None,
    "applicant": {
        "name": "五原县葵丰籽仁加工有限公司",
        "kind": "enterprise",
        "contact": {"name": "周某", "mobile": "13704780022"},
        "site_contact": {"name": "周某", "mobile": "13704780022"},
    },
    "project": {"name": "葵花籽仁精选车间", "code": "2608-150821-04-01-507731"},
    "site": {
        "division": "150821",
        "address": "隆兴昌镇工业园区创业路6号",
        "location": {"lon": 108.2679, "lat": 41.0923},
        "boundary": None,
    },
    "part": {"kind": "new", "use": "industrial", "daily_m3": 40},
    "shared_facts": {"utilities": ["water", "network"], "visit": None, "trench": None},
    "materials": [],
    "expects": ["received", "declined", "availability", "question", "pause"],
}


def task_event(type_: str) -> dict[str, Any]:
    """An event of this type about a task."""
    return {"type": type_, "id": "e2a5d7c4b1", "occurred_at": "2026-11-23T10:05:00+08:00", "data": _TASK}
