"""联合验收: pass, rectify (the same task, one revision higher), or fail (a person decides). Silence never passes."""

from __future__ import annotations

from portal.exchange.wire import AcceptanceReport
from portal.journey.events import note_event, send_task_event
from portal.journey.refusals import open_decision
from portal.journey.reporting import Reporting, raise_revision, set_state
from portal.kernel.errors import FieldError, Invalid


def receive_acceptance(reporting: Reporting, report: AcceptanceReport) -> None:
    """A pass has nothing left open; a rectification names its items and its date."""
    if report.verdict == "pass":
        if any(not item.ok for item in report.items):
            raise Invalid([FieldError("items", "仍有不合格项，不能判定为通过。", "not_ok")])
        set_state(reporting, "finish")
    elif report.verdict == "rectify":
        _ask_to_rectify(reporting, report)
    else:
        open_decision(reporting, kind="acceptance_failed", facts=report.model_dump(mode="json", exclude_none=True))


def _ask_to_rectify(reporting: Reporting, report: AcceptanceReport) -> None:
    if report.rectify_by_on is None or not any(not item.ok for item in report.items):
        raise Invalid([FieldError("rectify_by_on", "限期整改须写明不合格项和整改期限。", "missing")])
    task = reporting.task
    raise_revision(reporting)
    note_event(
        reporting.session,
        case_id=task.case_id,
        kind="rectification_asked",
        actor=reporting.actor,
        at=reporting.at,
        task_id=task.id,
        facts={"provider": task.provider, "rectify_by_on": report.rectify_by_on.isoformat()},
    )
    send_task_event(reporting.session, task, "task.changed", at=reporting.at, wire_at=reporting.wire_at)
