"""装表接通: account and meter numbers from the provider; the applicant says that it really flows."""

from __future__ import annotations

import datetime as dt

from portal.cases.tables import ConnectionPoint, Task
from portal.exchange.wire import ConnectedReport
from portal.journey import case_files, progress
from portal.journey.events import note_event
from portal.journey.reporting import Reporting, set_state
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require


def receive_connected(reporting: Reporting, report: ConnectedReport) -> None:
    """Store the supply points and ask the applicant to confirm; only its confirmation ends the task."""
    task = reporting.task
    seen = {(point.account_no, point.meter_no) for point in report.points}
    if len(seen) != len(report.points):
        raise Invalid([FieldError("points", "户号与表号的组合不能重复。", "duplicate")])
    for point in report.points:
        reporting.session.add(
            ConnectionPoint(
                id=new_id(),
                case_id=task.case_id,
                task_id=task.id,
                provider=task.provider,
                account_no=point.account_no,
                meter_no=point.meter_no,
                supply_point=point.supply_point,
                opening_reading=_text(point.opening_reading),
                multiplier=_text(point.multiplier),
                connected_at=report.connected_at,
            )
        )
    set_state(reporting, "await_applicant")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def confirm_flow(actor: Actor, *, case_no: str, task_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """The applicant confirms that this utility really flows; with the last one the case can close."""
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.confirm_flow", {"applicant_ids": frozenset({file.case.subject_id})})
        task = session.get(Task, task_id)
        if task is None or task.case_id != file.case.id or task.stage != "connection":
            raise NotFound
        # A question asked before the connection waits for the applicant too: there is nothing to confirm yet.
        if task.state != "waiting_applicant" or "connected" not in task.result:
            raise Conflict("该专业尚未报告接通，或已经确认过了。", code="not_expected", facts={"state": task.state})
        reporting = Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at)
        set_state(reporting, "finish")
        facts = {"provider": task.provider}
        note_event(
            session, case_id=file.case.id, kind="flow_confirmed", actor=actor, at=at, task_id=task.id, facts=facts
        )
        audit.record(session, actor=actor, action="flow.confirmed", subject=task.id, detail=facts, at=at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
