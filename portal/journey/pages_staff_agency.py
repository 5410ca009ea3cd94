"""The agency's page: decisions with their facts and the rule beside them, and permits asked of the offices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.cases.tables import Application, Case, Decision, Task, Track
from portal.catalog.model import Catalog
from portal.catalog.queries import catalog_of
from portal.journey.pages_case_load import load_clocks, names_in
from portal.journey.pages_staff import ENDED_STATES
from portal.kernel.database import db
from portal.kernel.policy import Actor, require

KIND_NAMES = {"refusal": "答复不同意接入", "declined": "不予办理", "acceptance_failed": "验收不合格"}
RULES = {
    "refusal": "不同意接入须写明原因、依据、怎样改变后可以接入，以及替代办法；牵头部门核定后才告知申请人。",
    "declined": "供应单位不予办理须经牵头部门核定；核定后其余单位照常办理。",
    "acceptance_failed": "判定验收不合格须列明不合格项；由牵头部门决定整改后重新验收，还是终止这家单位的办理。",
}
CHOICES = {
    "acceptance_failed": (
        ("reject", "退回整改，整改后重新验收"),
        ("confirm", "核定不合格，终止这家单位的办理；其余单位照常办理"),
    )
}
_USUAL_CHOICES = (("confirm", "同意供应单位的意见"), ("reject", "不同意，退回重新办理"))
_NOTE_HINTS = {"acceptance_failed": "必填，申请人和供应单位会看到。"}
_LABELS = (("basis", "依据"), ("would_change", "怎样改变后可以办理"), ("alternative", "替代办法"))


@dataclass(frozen=True, slots=True)
class OpenDecision:
    """What waits for the lead agency. `facts` are (label, text); `level` the service level with its basis.

    `choices`: (verdict, text) of what it may decide.
    """

    id: str
    kind: str
    rule: str
    level: str
    case_no: str
    project: str
    provider: str
    stage: str
    facts: tuple[tuple[str, str], ...]
    opened_at: dt.datetime
    due_at: dt.datetime | None
    is_late: bool
    choices: tuple[tuple[str, str], ...] = _USUAL_CHOICES
    note_hint: str = "不同意时必填，供应单位会看到。"


@dataclass(frozen=True, slots=True)
class OpenPermit:
    """A permit that an office has to grant."""

    task_id: str
    kind: str
    office: str
    case_no: str
    project: str
    address: str
    issued_at: dt.datetime
    due_at: dt.datetime | None
    light: str
    request: dict[str, Any]  # derived from the works plan; empty where nobody digs jointly
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgencyBoard:
    """Everything that waits, the earliest limit first."""

    decisions: tuple[OpenDecision, ...]
    permits: tuple[OpenPermit, ...]


def agency_board(actor: Actor, *, at: dt.datetime) -> AgencyBoard:
    """What stands open at `at`; a fixed number of queries. Raises NotAllowed."""
    require(actor, "agency.list")
    return AgencyBoard(_decisions(at), _permits(at))


def _decisions(at: dt.datetime) -> tuple[OpenDecision, ...]:
    session = db.session()
    found = session.execute(
        select(Decision, Task, Track, Case, Application)
        .join(Task, Task.id == Decision.task_id)
        .outerjoin(Track, Track.id == Task.track_id)
        .join(Case, Case.id == Decision.case_id)
        .join(Application, Application.id == Case.application_id)
        .where(Decision.state == "open")
        .order_by(Decision.due_at, Decision.opened_at)
    )
    rows = []
    for decision, task, track, case, application in found:
        catalog = catalog_of(session, case.catalog_version)
        level = catalog.level(track.utility, track.service_level) if track else None
        rows.append(
            OpenDecision(
                id=decision.id,
                kind=KIND_NAMES.get(decision.kind, decision.kind),
                rule=RULES.get(decision.kind, ""),
                level=f"{level.title}（{level.basis}）" if level else "",
                case_no=case.case_no,
                project=application.body["project"]["name"],
                provider=names_in(catalog).get(task.provider, task.provider),
                stage=task.stage,
                facts=_facts(catalog, decision.facts),
                opened_at=decision.opened_at,
                due_at=decision.due_at,
                is_late=decision.due_at is not None and decision.due_at < at,
                choices=CHOICES.get(decision.kind, _USUAL_CHOICES),
                note_hint=_NOTE_HINTS.get(decision.kind, "不同意时必填，供应单位会看到。"),
            )
        )
    return tuple(rows)


def _facts(catalog: Catalog, facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    rows = [("原因", catalog.code_text(facts["reason_code"]))] if facts.get("reason_code") else []
    rows += [(label, str(facts[key])) for key, label in _LABELS if facts.get(key)]
    for item in facts.get("items", ()):
        if not item["ok"]:
            measured = f"实测 {item['measured']}" if item.get("measured") is not None else ""
            rows.append(
                (catalog.code_text(item["code"]), "，".join(filter(None, ("不合格", measured, item.get("note")))))
            )
    return tuple(rows)


def _permits(at: dt.datetime) -> tuple[OpenPermit, ...]:
    session = db.session()
    query = (
        select(Task, Case, Application)
        .join(Case, Case.id == Task.case_id)
        .join(Application, Application.id == Case.application_id)
        .where(Task.stage == "permits", Task.state.not_in(ENDED_STATES))
        .order_by(Task.due_at, Task.issued_at)
    )
    found = session.execute(query).all()
    clocks = load_clocks(session, [task for task, _, _ in found])
    rows = []
    for task, case, application in found:
        catalog = catalog_of(session, case.catalog_version)
        rows.append(
            OpenPermit(
                task_id=task.id,
                kind=catalog.code_text(task.result.get("permit", {}).get("kind", "")),
                office=names_in(catalog).get(task.provider, task.provider),
                case_no=case.case_no,
                project=application.body["project"]["name"],
                address=application.body["site"]["address"],
                issued_at=task.issued_at,
                due_at=task.due_at,
                light=clocks.light(task, None, at),
                request=(asked := task.result.get("permit", {}).get("request") or {}),
                providers=tuple(names_in(catalog).get(code, code) for code in asked.get("providers", ())),
            )
        )
    return tuple(rows)
