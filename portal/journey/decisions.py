"""What the lead agency decides before the applicant sees it: refusals, declined tasks, failed acceptances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from portal.cases.tables import Decision, Task
from portal.journey import case_files, progress, visits
from portal.journey.events import note_event, send_task_event
from portal.journey.refusals import drop_track
from portal.journey.reporting import Reporting, raise_revision, set_state
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.policy import Actor, require

VERDICTS = {"confirm": "confirmed", "reject": "rejected"}


def decide(actor: Actor, *, decision_id: str, verdict: str, note: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Confirm or reject what a provider refused. Rejecting sends the task back as a new revision and needs a note."""
    require(actor, "agency.decide")
    if verdict not in VERDICTS:
        raise Invalid([FieldError("verdict", "请选择“同意”或“不同意”。", "choice")])
    if verdict == "reject" and not note.strip():
        raise Invalid([FieldError("note", "请写明不同意的理由，供应单位会看到。", "missing")])
    note = note.strip()
    with transaction() as session:
        decision = session.get(Decision, decision_id)
        if decision is None:
            raise NotFound
        file = case_files.load_case(session, case_id=decision.case_id)
        if decision.kind == "acceptance_failed" and not note:
            raise Invalid([FieldError("note", "请写明终止办理的理由，申请人和供应单位会看到。", "missing")])
        values = {"state": VERDICTS[verdict], "decided_at": at, "decided_by": actor.id, "note": note or None}
        change(session, Decision, decision.id, {"state": "open"}, values)
        task = session.get_one(Task, decision.task_id)
        reporting = Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at)
        (_CONFIRMED if verdict == "confirm" else _REJECTED)[decision.kind](reporting)
        visits.arrange(session, file, at=at, wire_at=wire_at)  # who left may have been the last one waited for
        facts = {"decision": decision.kind, "verdict": verdict, "provider": task.provider, "note": note}
        note_event(session, case_id=file.case.id, kind="decided", actor=actor, at=at, task_id=task.id, facts=facts)
        audit.record(session, actor=actor, action="decision.made", subject=decision.id, detail=facts, at=at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)


def _confirm_declined(reporting: Reporting) -> None:
    set_state(reporting, "decline")
    drop_track(reporting)


def _confirm_refusal(reporting: Reporting) -> None:
    set_state(reporting, "finish")
    drop_track(reporting)


def _confirm_failure(reporting: Reporting) -> None:
    """It will not pass: this provider's part ends here by the agency's word, the others go on."""
    set_state(reporting, "fail")
    drop_track(reporting)
    note_event(
        reporting.session,
        case_id=reporting.task.case_id,
        kind="acceptance_ended",
        actor=reporting.actor,
        at=reporting.at,
        task_id=reporting.task.id,
        facts={"provider": reporting.task.provider},
    )


def _ask_to_rectify(reporting: Reporting) -> None:
    """Back to rectification: the same task, one revision higher, counted as one."""
    _send_back(reporting)
    note_event(
        reporting.session,
        case_id=reporting.task.case_id,
        kind="rectification_asked",
        actor=reporting.actor,
        at=reporting.at,
        task_id=reporting.task.id,
        facts={"provider": reporting.task.provider},
    )


def _send_back(reporting: Reporting) -> None:
    raise_revision(reporting)
    send_task_event(reporting.session, reporting.task, "task.changed", at=reporting.at, wire_at=reporting.wire_at)


_CONFIRMED: dict[str, Callable[[Reporting], None]] = {
    "declined": _confirm_declined,
    "refusal": _confirm_refusal,
    "acceptance_failed": _confirm_failure,
}
_REJECTED: dict[str, Callable[[Reporting], None]] = {
    "declined": _send_back,
    "refusal": _send_back,
    "acceptance_failed": _ask_to_rectify,
}


def grant_permit(
    actor: Actor, *, task_id: str, permit_no: str, approval_no: str = "", at: dt.datetime, wire_at: dt.datetime
) -> None:
    """The office grants the permit its task asks for; a road under protection needs the government's approval.

    Raises NotFound for another office's task, Invalid naming `permit_no` or `approval_no`.
    """
    number, approval = permit_no.strip(), approval_no.strip()
    with transaction() as session:
        task = session.get(Task, task_id)
        if task is None or task.stage != "permits":
            raise NotFound
        file = case_files.load_case(session, case_id=task.case_id)
        if actor.office_code != task.provider and "lead_agency" not in actor.roles:
            raise NotFound
        require(actor, "agency.decide")
        if not number:
            raise Invalid([FieldError("permit_no", "请填写许可证编号。", "missing")])
        if task.state == "done":
            raise Conflict("该许可已经办结。", code="already_decided")
        permit = task.result.get("permit", {})
        if (permit.get("request") or {}).get("protected") and not approval:
            message = "所经道路处于保护期，请填写县级以上人民政府的批准文号。"
            raise Invalid([FieldError("approval_no", message, "missing")])
        reporting = Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at)
        granted = {"permit_no": number} | ({"approval_no": approval} if approval else {})
        task.result = {**task.result, "permit": {**permit, **granted}}
        set_state(reporting, "finish")
        note_event(session, case_id=file.case.id, kind="permit_granted", actor=actor, at=at, task_id=task.id)
        audit.record(session, actor=actor, action="permit.granted", subject=task.id, detail={"no": number}, at=at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
