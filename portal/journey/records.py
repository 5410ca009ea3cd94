"""The record of one case from application to reconciled money, for supervisors, auditors and the demo's summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing.queries import case_money, ledger_facts
from portal.cases import trenches
from portal.cases.tables import CaseEvent, JointReply, Visit
from portal.documents.queries import case_documents
from portal.journey import case_files, notices
from portal.journey.case_files import CaseFile
from portal.kernel.database import db
from portal.kernel.policy import Actor, require


def case_record(actor: Actor, *, case_no: str) -> dict[str, Any]:
    """Everything `make demo` writes about one case (blueprint §6), read from the tables alone.

    Amounts in fen, `working_days` net of pauses per provider, `joint` counts what acting together brought about.
    """
    require(actor, "oversight.record")
    session: Session = db.session()
    file = case_files.load_case(session, case_no=case_no, lock=False)
    case = file.case
    papers = case_documents(session, case.id)
    file_of = {paper["id"]: paper["file"] for paper in papers}
    money = case_money(session, case.id)
    if money["bill"]:
        money["bill"]["pdf"] = file_of.get(money["bill"]["pdf"])
    return {
        "accepted": True,
        "errors": [],
        "case_no": case.case_no,
        "application_no": file.application.application_no,
        "state": case.state,
        "stage": case.stage,
        "utilities": sorted({track.utility for track in file.tracks.values()}),
        "not_served": file.application.not_served,
        "providers": sorted(file.tracks),
        "tasks": [
            {name: getattr(task, name) for name in ("provider", "utility", "stage", "state", "revision")}
            for _, task in sorted(file.tasks.items())
        ],
        "visits": _count_visits(session, case.id),
        "joint": _joint(session, file),
        "reply": _reply(session, file, file_of),
        **money,
        "ledger": ledger_facts(session),
        "documents": papers,
        "working_days": notices.days_by_provider(session, file),
    }


def _count_visits(session: Session, case_id: str) -> int:
    query = select(func.count()).select_from(Visit).where(Visit.case_id == case_id, Visit.state != "cancelled")
    return session.scalar(query) or 0


def _count(session: Session, case_id: str, kind: str) -> int:
    query = select(func.count()).select_from(CaseEvent).where(CaseEvent.case_id == case_id, CaseEvent.kind == kind)
    return session.scalar(query) or 0


def _joint(session: Session, file: CaseFile) -> dict[str, Any]:
    case_id = file.case.id
    parts = session.scalar(select(func.count()).select_from(JointReply).where(JointReply.case_id == case_id)) or 0
    surveyed = sum(task.state == "done" for task in file.stage_tasks("survey"))
    return {
        "conflicts": _count(session, case_id, "conflict_found"),
        "supplements": max(parts - 1, 0),
        "rectifications": _count(session, case_id, "rectification_asked"),
        "trench_saved_m": saving_of(file).saved_m,
        "visits_avoided": max(surveyed - _count_visits(session, case_id), 0),
    }


def saving_of(file: CaseFile) -> trenches.Saving:
    """What one shared trench saves over everyone digging alone, in metres, from the findings on site."""
    routes = {}
    for task in file.stage_tasks("survey"):
        trench = (task.result.get("findings") or {}).get("trench")
        if trench:
            routes[task.provider] = trench["route"]["coordinates"]
    return trenches.union_saving(routes)


def _reply(session: Session, file: CaseFile, file_of: Mapping[str, str]) -> dict[str, Any] | None:
    parts = session.scalars(
        select(JointReply).where(JointReply.case_id == file.case.id).order_by(JointReply.part)
    ).all()
    if not parts:
        return None
    verdicts = {row["provider"]: row["verdict"] for part in parts for row in part.content["providers"]}
    return {"number": parts[0].number, "verdicts": verdicts, "pdf": file_of.get(parts[0].document_id or "")}
