"""Reports before the reply: signing for a task, asking, stopping and stretching the clock, the survey."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from portal.exchange.wire.values import (
    AccessPoint,
    Amount,
    Code,
    Day,
    Instant,
    Line,
    LineString,
    Metres,
    ReportBase,
    Text,
    Value,
)

PauseReason = Literal[
    "applicant_correction",
    "applicant_works",
    "outside_permit",
    "testing",
    "expert_review",
    "contract_signing",
    "payment",
    "force_majeure",
    "frozen_ground",
]
Evidence = Annotated[str, Field(min_length=1, max_length=400)]


class ReceivedReport(ReportBase):
    """Signed for; has its own limit and does not start the clock."""

    kind: Literal["received"]


class DeclinedReport(ReportBase):
    """The provider will not do this task; the lead agency is asked first."""

    kind: Literal["declined"]
    reason_code: Code
    basis: Line
    would_change: Text
    alternative: Text


class QuestionItem(Value):
    """One thing the applicant is asked. `field` is a dotted path of the application."""

    code: Code
    text: Text
    material_kind: Code | None = None
    field: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    why: Annotated[str, Field(min_length=1, max_length=400)]
    reason_if_late: Annotated[str, Field(min_length=1, max_length=400)] | None = None


class QuestionReport(ReportBase):
    """Questions to the applicant; they go out together with everybody else's."""

    kind: Literal["question"]
    items: Annotated[tuple[QuestionItem, ...], Field(min_length=1, max_length=50)]


class LineCheckReport(ReportBase):
    """Confirms or corrects the length of new line outside the red line, metres."""

    kind: Literal["line_check"]
    outside_line_m: Metres
    note: Text | None = None


class PauseReport(ReportBase):
    """Stops the clock for a coded reason with evidence; provisional until checked."""

    kind: Literal["pause"]
    reason_code: PauseReason
    evidence: Evidence
    note: Text | None = None


class ResumeReport(ReportBase):
    """The pause is over."""

    kind: Literal["resume"]
    reason_code: PauseReason
    evidence: Evidence | None = None
    note: Text | None = None


class ExtensionReport(ReportBase):
    """Asks for more time, before the limit runs out only."""

    kind: Literal["extension"]
    until_on: Day
    reason: Text
    evidence: Evidence


class Slot(Value):
    """A span in which a crew can be on site, at most one day long."""

    start_at: Instant
    end_at: Instant

    @model_validator(mode="after")
    def _forward(self) -> Self:
        hours = (self.end_at - self.start_at).total_seconds() / 3600
        if not 0 < hours <= 24:
            raise PydanticCustomError("slot_span", "a slot ends after its start and within a day")
        return self


class AvailabilityReport(ReportBase):
    """When a crew can come, and who."""

    kind: Literal["availability"]
    slots: Annotated[tuple[Slot, ...], Field(min_length=1, max_length=200)]
    people: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=50)], ...], Field(max_length=20)] = ()


class TrenchRoute(Value):
    """Where the provider would dig, metres."""

    route: LineString
    depth_m: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
    width_m: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
    clearance_m: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)]


class FindingsReport(ReportBase):
    """What was found on site. Each utility gives the sizes it works with."""

    kind: Literal["findings"]
    conclusion: Literal["ready", "ready_with_conditions", "not_ready"]
    outside_line_m: Metres
    access_point: AccessPoint
    line_length_m: Metres | None = None
    pipe_dn_mm: Annotated[int, Field(ge=10, le=3000)] | None = None
    capacity_kva: Amount | None = None
    voltage: Annotated[str, Field(max_length=20)] | None = None
    pressure: Annotated[str, Field(max_length=40)] | None = None
    peak_m3_h: Amount | None = None
    heat_load_kw: Amount | None = None
    fibre_cores: Annotated[int, Field(ge=1, le=10_000)] | None = None
    trench: TrenchRoute | None = None
    obstacles: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    photos: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    note: Text | None = None
