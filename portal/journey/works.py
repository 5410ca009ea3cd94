"""联合施工: planned, started, finished; the applicant names the firm for works it pays, never the provider."""

from __future__ import annotations

from portal.exchange.wire import WorksReport
from portal.journey.reporting import Reporting, set_state
from portal.kernel.errors import Conflict, FieldError, Invalid

ORDER = ("planned", "started", "finished")


def receive_works(reporting: Reporting, report: WorksReport) -> None:
    """Follow the works; `finished` ends the task. Steps come in order and none comes twice with another content."""
    firm = report.user_works
    if firm is not None and firm.chosen_by == "provider":
        raise Invalid(
            [FieldError("user_works.chosen_by", "由用户出资的工程应由用户自行选择单位。", "provider_must_not_choose")]
        )
    before = reporting.before.get("works", {}).get("status")
    if before is not None and ORDER.index(report.status) < ORDER.index(before):
        raise Conflict("施工进度不能倒退。", code="not_expected", facts={"status": before})
    if report.status == "finished":
        set_state(reporting, "finish")
