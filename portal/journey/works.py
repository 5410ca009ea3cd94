"""联合施工: planned, started, finished; a provider never chooses the user's firm (the wire model refuses it)."""

from __future__ import annotations

from portal.exchange.wire import WorksReport
from portal.journey import conflict_checks, dig_once
from portal.journey.reporting import Reporting, set_state
from portal.kernel.errors import Conflict

ORDER = ("planned", "started", "finished")
NAMES = {"planned": "已排期", "started": "已开工", "finished": "已完工"}


def receive_works(reporting: Reporting, report: WorksReport) -> None:
    """Follow the works; `finished` ends the task. No step is left out and none comes twice, but a plan may change."""
    before = reporting.before.get("works", {}).get("status")
    allowed = _next_steps(before)
    if report.status not in allowed:
        names = "或".join(f"“{NAMES[status]}”" for status in allowed)
        raise Conflict(
            f"施工进度须按排期、开工、完工的顺序逐步填报，现在请填报{names}。",
            code="not_expected",
            facts={"expects": ["works"], "status": before, "expected_status": list(allowed)},
        )
    if report.status == "started":
        _check_windows(reporting)
    if report.status == "finished":
        set_state(reporting, "finish")
    dig_once.follow_works(reporting.session, reporting.file, at=reporting.at, wire_at=reporting.wire_at)


def _next_steps(before: str | None) -> tuple[str, ...]:
    if before is None:
        return ORDER[:1]
    following = ORDER[ORDER.index(before) + 1 :][:1]
    return ("planned", *following) if before == "planned" else following


def _check_windows(reporting: Reporting) -> None:
    """Nobody begins while its days exclude another's in the same trench and nobody has said who waits."""
    for row in conflict_checks.conflicts_of(reporting.session, reporting.file.case.id):
        if row.state == "open" and row.kind == "window" and reporting.task.provider in row.providers:
            raise Conflict("施工时间与同沟的其他单位互相排斥，核定先后以前不能开工。", code="conflict_open")
