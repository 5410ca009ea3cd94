"""一口答复: the parts of all providers become one numbered reply; what comes later becomes a supplement."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import merging
from portal.cases.tables import JointReply, Task
from portal.catalog import fees
from portal.journey.case_files import CaseFile
from portal.journey.conflict_checks import settled_conditions
from portal.journey.events import note_event, send_task_event
from portal.journey.reply_papers import order_reply_paper
from portal.kernel.clock import local_date
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM


def issue_reply(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Issue part 1: every provider that has answered, and by name those that have not (some lag from the survey)."""
    if _issued(session, file) or not _answered(file):
        return
    late = [t.provider for t in file.live_tracks() if not _has_answered(file, t.provider)]
    _issue_part(session, file, _answered(file), late, at, wire_at)


def issue_supplements(session: Session, file: CaseFile, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Whoever answered after part 1 goes out as the next numbered supplement."""
    issued = _issued(session, file)
    if not issued:
        return
    told = {code for part in issued for code in part.content["provider_codes"]}
    fresh = [task for task in _answered(file) if task.provider not in told]
    if fresh:
        _issue_part(session, file, fresh, [], at, wire_at)


def _issued(session: Session, file: CaseFile) -> list[JointReply]:
    query = select(JointReply).where(JointReply.case_id == file.case.id).order_by(JointReply.part)
    return list(session.scalars(query))


def _has_answered(file: CaseFile, provider: str) -> bool:
    task = file.answer_of(provider)
    return task is not None and task.state in ("done", "declined")


def _answered(file: CaseFile) -> list[Task]:
    tasks = (file.answer_of(provider) for provider in sorted(file.tracks, key=file.place_of))
    return [task for task in tasks if task is not None and _has_answered(file, task.provider)]


def _issue_part(
    session: Session,
    file: CaseFile,
    tasks: list[Task],
    late: list[str],
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    part = len(_issued(session, file)) + 1
    number = f"{file.case.case_no}-DF{part}"
    settled = settled_conditions(session, file)
    merged = merging.merge_reply(
        [_part(file, task, local_date(at), settled.get(task.provider, [])) for task in tasks],
        [_missing(file, provider) for provider in late],
    )
    content = {**merging.to_content(merged), "provider_codes": [task.provider for task in tasks]}
    row = JointReply(id=new_id(), case_id=file.case.id, number=number, part=part, content=content, issued_at=at)
    session.add(row)
    session.flush()
    row.document_id = order_reply_paper(session, file, tasks, late, part=part, number=number, at=at, wire_at=wire_at)
    facts = {"part": part, "providers": content["provider_codes"], "late": late}
    note_event(session, case_id=file.case.id, kind="reply_issued", actor=SYSTEM, at=at, facts=facts)
    for task in tasks:
        send_task_event(session, task, "reply.published", at=at, wire_at=wire_at)


def _part(file: CaseFile, task: Task, on: dt.date, settled: list[dict[str, str]]) -> merging.ReplyPart:
    report: dict[str, Any] = task.result.get("reply") or {"verdict": "refuse", **task.result.get("declined", {})}
    report = {**report, "conditions": [*report.get("conditions", ()), *settled]}
    provider = file.catalog.provider(task.provider)
    return merging.ReplyPart.from_report(
        provider=provider.code,
        provider_name=provider.name,
        utility=provider.utility,
        report=report,
        titles={item.code: item.title for item in fees.published_items(file.catalog, provider.code, on)},
    )


def _missing(file: CaseFile, provider: str) -> merging.MissingPart:
    row = file.catalog.provider(provider)
    return merging.MissingPart(provider=row.code, provider_name=row.name, utility=row.utility)
