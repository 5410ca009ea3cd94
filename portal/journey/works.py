"""联合施工: planned, started, finished; a provider never chooses the user's firm (the wire model refuses it)."""

from __future__ import annotations

from portal.exchange.wire import WorksReport
from portal.journey.reporting import Reporting, set_state
from portal.kernel.errors import Conflict

ORDER = ("planned", "started", "finished")


def receive_works(reporting: Reporting, report: WorksReport) -> None:
    """Follow the works; `finished` ends the task. Steps come in order and none comes twice with another content."""
    before = reporting.before.get("works", {}).get("status")
    if before is not None and ORDER.index(report.status) < ORDER.index(before):
        raise Conflict("施工进度不能倒退。", code="not_expected", facts={"status": before})
    if report.status == "finished":
        set_state(reporting, "finish")
