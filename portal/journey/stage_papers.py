"""The papers a joint stage leaves behind when its last provider has ended it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.tables import Drawing, Task
from portal.journey import case_files
from portal.journey.case_files import CaseFile
from portal.journey.notices import common_values, party
from portal.journey.papers import order_document
from portal.kernel.clock import parse_instant

_PARAMETERS = {
    "pipe_dn_mm": ("管径", "DN{}"),
    "capacity_kva": ("容量", "{} kVA"),
    "voltage": ("电压", "{}"),
    "pressure": ("压力", "{}"),
    "peak_m3_h": ("高峰流量", "{} m³/h"),
    "heat_load_kw": ("热负荷", "{} kW"),
    "fibre_cores": ("光缆芯数", "{} 芯"),
}
# The classes of GB 50028; anything else is shown as the provider wrote it.
_PRESSURES = {"low": "低压", "medium_b": "中压 B", "medium_a": "中压 A", "high": "高压"}
# What the catalog of codes does not name is shown as the provider wrote it.
_SEVERITY = {"must": "must", "high": "must", "major": "must", "should": "should", "medium": "should"}


def _order(
    session: Session,
    file: CaseFile,
    kind: str,
    suffix: str,
    values: dict[str, Any],
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    number = f"{file.case.case_no}-{suffix}"
    order_document(
        session,
        kind=kind,
        case_id=file.case.id,
        subject_id=file.case.subject_id,
        number=number,
        values={**common_values(file, number=number, at=at), **values},
        at=at,
        wire_at=wire_at,
    )


def order_survey_record(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """联合踏勘记录: who came, what each found. Nothing to write where nobody had to come."""
    visits = case_files.visits_of(session, file.case.id)
    tasks = [task for task in file.stage_tasks("survey") if "findings" in task.result]
    if not visits or not tasks:
        return
    found = {task.provider for task in tasks}
    contact = file.body["site"].get("contact") or file.body["applicant"]["contact"]
    values = {
        "start_at": visits[0].start_at,
        "end_at": visits[-1].end_at,
        "site_contact": contact["name"],
        "attendees": [_attendee(file, task) for task in tasks],
        "absent": [
            {"provider_name": party(file, code)["provider_name"]}
            for visit in visits
            for code in visit.providers
            if code not in found
        ],
        "findings": [_finding(file, task) for task in tasks],
    }
    _order(session, file, "survey_record", "TK", values, at, wire_at)


def _attendee(file: CaseFile, task: Task) -> dict[str, Any]:
    report = task.result["findings"]
    return {
        "name": report.get("operator") or "踏勘人员",
        "organisation": party(file, task.provider)["provider_name"],
        "signed_at": parse_instant(report["occurred_at"]),
    }


def _finding(file: CaseFile, task: Task) -> dict[str, Any]:
    report = task.result["findings"]
    trench = report.get("trench")
    return {
        **party(file, task.provider),
        "conclusion": report["conclusion"],
        "access_point": (report.get("access_point") or {}).get("description"),
        "outside_line_m": report.get("outside_line_m"),
        "line_length_m": report.get("line_length_m"),
        "parameters": [
            {"label": label, "value": form.format(_PRESSURES.get(report[name], report[name]))}
            for name, (label, form) in _PARAMETERS.items()
            if report.get(name) is not None
        ],
        "trench": {name: trench[name] for name in ("depth_m", "width_m", "clearance_m")} if trench else None,
        "obstacles": "；".join(report.get("obstacles", ())) or None,
        "conditions": report.get("note"),
        "surveyor": report.get("operator"),
        "photos": len(report.get("photos", ())),
    }


def order_review_opinion(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """联合审图意见: the drawings by hash and version, and every provider's verdict."""
    tasks = [task for task in file.stage_tasks("review") if "review" in task.result]
    if not tasks:
        return
    drawings = session.scalars(
        select(Drawing).where(Drawing.case_id == file.case.id).order_by(Drawing.provider, Drawing.version)
    ).all()
    values = {
        "round": max(task.result["review"]["round"] for task in tasks),
        "drawings": [
            {
                "title": "设计图纸",
                "version": row.version,
                "sha256": row.sha256,
                "provider_name": party(file, row.provider)["provider_name"],
            }
            for row in drawings
        ],
        "opinions": [_opinion(file, task) for task in tasks],
    }
    _order(session, file, "review_opinion", "ST", values, at, wire_at)


def _opinion(file: CaseFile, task: Task) -> dict[str, Any]:
    report = task.result["review"]
    return {
        **party(file, task.provider),
        "verdict": report["verdict"],
        "comments": [
            {
                "location": comment["location"],
                "clause": comment["clause"],
                "severity": _SEVERITY.get(comment["severity"], "note"),
                "text": comment["text"],
            }
            for comment in report.get("comments", ())
        ],
    }


def order_acceptance_opinion(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """联合验收意见: what was measured, per provider, and every rectification passed since."""
    tasks = [task for task in file.stage_tasks("acceptance") if "acceptance" in task.result]
    if not tasks:
        return
    latest = max(parse_instant(task.result["acceptance"]["occurred_at"]) for task in tasks)
    values = {"inspected_at": latest, "inspections": [_inspection(file, task) for task in tasks]}
    _order(session, file, "acceptance_opinion", "YS", values, at, wire_at)


def _inspection(file: CaseFile, task: Task) -> dict[str, Any]:
    report = task.result["acceptance"]
    return {
        **party(file, task.provider),
        "verdict": report["verdict"],
        "mode": report["mode"],
        "inspector": report.get("operator"),
        "items": [
            {
                "title": file.catalog.code_text(item["code"]),
                "measured": None if item.get("measured") is None else str(item["measured"]),
                "ok": item["ok"],
                "note": item.get("note"),
            }
            for item in report["items"]
        ],
        "recheck": f"第 {task.revision} 次验收通过" if task.revision > 1 else None,
    }
