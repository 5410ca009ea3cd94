"""受理通知书 and 办结通知书: the papers at both ends of a case, and the head all papers share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import deadlines
from portal.cases.application import Application
from portal.cases.application_findings import Context
from portal.cases.application_papers import owed_papers
from portal.cases.tables import ConnectionPoint, Track
from portal.catalog.queries import calendar_of
from portal.journey import case_files, task_documents
from portal.journey.case_files import CaseFile
from portal.journey.papers import order_document
from portal.kernel.clock import local_date

STAGE_NAMES = {
    "intake": "受理",
    "survey": "联合踏勘",
    "reply": "联合答复",
    "confirm": "确认答复",
    "review": "联合审图",
    "permits": "外线许可",
    "works": "联合施工",
    "acceptance": "联合验收",
    "connection": "装表接通",
    "closed": "办结",
}
SOURCES = {"upload": "上传", "licence_store": "电子证照", "promised": "承诺补交"}


def common_values(file: CaseFile, *, number: str, at: dt.datetime, issuer: str | None = None) -> dict[str, Any]:
    """The head of every paper of this case."""
    body = file.body
    return {
        "number": number,
        "issuer": issuer or file.catalog.lead_agency.name,
        "issued_on": local_date(at),
        "applicant": body["applicant"]["name"],
        "project_name": body["project"]["name"],
        "project_code": body["project"].get("code"),
        "address": body["site"]["address"],
        "application_no": file.application.application_no,
        "case_no": file.case.case_no,
    }


def party(file: CaseFile, provider: str) -> dict[str, str]:
    """How a provider is named on a paper."""
    row = file.catalog.provider(provider)
    return {"utility_name": file.catalog.utility(row.utility).name, "provider_name": row.name}


def order_acceptance_notice(
    session: Session, *, case_id: str, clerk: str, at: dt.datetime, wire_at: dt.datetime
) -> str:
    """受理通知书: what was accepted, every limit, what is still owed, what is not served here."""
    file = case_files.load_case(session, case_id=case_id)
    handed_in, owed = _materials(file)
    number = f"{file.case.case_no}-SL"
    values = {
        **common_values(file, number=number, at=at),
        "accepted_at": at,
        "utilities": [_accepted(session, file, file.tracks[code]) for code in sorted(file.tracks, key=file.place_of)],
        "materials": handed_in,
        "owed": owed,
        "not_served": [_not_served(file, row) for row in file.application.not_served],
        "clerk": clerk,
        "query_code": file.application.query_code,
    }
    return order_document(
        session,
        kind="acceptance_notice",
        case_id=file.case.id,
        application_id=file.application.id,
        subject_id=file.case.subject_id,
        number=number,
        values=values,
        at=at,
        wire_at=wire_at,
    )


def _accepted(session: Session, file: CaseFile, track: Track) -> dict[str, Any]:
    level = case_files.level_of(file, track)
    calendar = calendar_of(session)
    steps = []
    for stage in track.stages:
        if stage not in track.limits:
            continue
        is_first = (track.provider, stage) in file.tasks
        due = deadlines.due_at(calendar, file.case.accepted_at, track.limits[stage]) if is_first else None
        steps.append(
            {
                "stage_name": STAGE_NAMES[stage],
                "working_days": track.limits[stage],
                "due_on": local_date(due) if due else None,
            }
        )
    return {
        **party(file, track.provider),
        "service_level": level.title,
        "steps": steps,
        "cap_days": track.cap_days,
    }


def _materials(file: CaseFile) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names = file.catalog.material_names
    handed_in = [
        {"title": names.get(m["kind"], m["kind"]), "source": SOURCES[m["source"]]}
        for m in file.body["materials"]
        if m["source"] != "promised"
    ]
    context = Context(file.catalog, local_date(file.case.accepted_at), file.application.channel)
    owed = [
        {"title": row.title, "due_stage": STAGE_NAMES.get(row.due_stage or "", STAGE_NAMES["review"])}
        for row in owed_papers(Application.model_validate(file.body), context)
    ]
    return handed_in, owed


def _not_served(file: CaseFile, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "utility_name": file.catalog.utility(row["utility"]).name,
        "reason": row["reason"],
        "nearest_m": row.get("nearest_m"),
        "planned_year": row.get("planned_year"),
        "alternative": row.get("alternative"),
    }


def order_completion_notice(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """办结通知书: every account and meter, and the working days each provider used."""
    points = session.scalars(
        select(ConnectionPoint)
        .where(ConnectionPoint.case_id == file.case.id)
        .order_by(ConnectionPoint.provider, ConnectionPoint.account_no, ConnectionPoint.meter_no)
    )
    number = f"{file.case.case_no}-BJ"
    order_document(
        session,
        kind="completion_notice",
        case_id=file.case.id,
        subject_id=file.case.subject_id,
        number=number,
        values={
            **common_values(file, number=number, at=at),
            "accepted_on": local_date(file.case.accepted_at),
            "closed_on": local_date(at),
            "points": [
                {
                    **party(file, point.provider),
                    "account_no": point.account_no,
                    "meter_no": point.meter_no,
                    "supply_point": point.supply_point,
                    "opening_reading": point.opening_reading,
                    "multiplier": point.multiplier,
                    "connected_at": point.connected_at,
                }
                for point in points
            ],
            "days_used": [
                {**party(file, provider), "used_days": used, "limit_days": file.tracks[provider].cap_days}
                for provider, used in days_by_provider(session, file).items()
            ],
        },
        at=at,
        wire_at=wire_at,
    )


def days_by_provider(session: Session, file: CaseFile) -> dict[str, float]:
    """Net working days of each provider's ended tasks, pauses taken out."""
    calendar, days = calendar_of(session), {}
    for provider in sorted(file.tracks, key=file.place_of):
        tasks = [task for (code, _), task in file.tasks.items() if code == provider and task.ended_at]
        used = [task_documents.used_days(calendar, session, task, at=task.ended_at) for task in tasks if task.ended_at]
        days[provider] = round(sum(used), 2)
    return days
