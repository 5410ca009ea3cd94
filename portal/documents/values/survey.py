"""联合踏勘记录: one visit, everyone who came, what each found."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from portal.documents.values.head import Head, Metres, Party, Short, Text, Values

Conclusion = Literal["ready", "ready_with_conditions", "not_ready"]


class Attendee(Values):
    """Somebody at the site; `signed_at` when the record was signed."""

    name: Short
    organisation: Short
    signed_at: AwareDatetime | None = None


class Absent(Values):
    """A provider that should have come."""

    provider_name: Short
    reason: Text | None = None


class TrenchFinding(Values):
    """The trench one provider needs; metres."""

    length_m: Metres | None = None
    depth_m: Metres
    width_m: Metres
    clearance_m: Metres | None = None


class Parameter(Values):
    """A technical figure with its unit, as in 管径 — DN200."""

    label: Short
    value: Short


class Finding(Party):
    """What one provider found. Lengths in metres."""

    conclusion: Conclusion
    access_point: Text | None = None
    outside_line_m: Metres | None = None
    line_length_m: Metres | None = None
    parameters: tuple[Parameter, ...] = ()
    trench: TrenchFinding | None = None
    obstacles: Text | None = None
    conditions: Text | None = None
    surveyor: Short | None = None
    photos: int = 0


class SurveyRecord(Head):
    """联合踏勘记录."""

    start_at: AwareDatetime
    end_at: AwareDatetime
    site_contact: Short | None = None
    attendees: tuple[Attendee, ...] = ()
    absent: tuple[Absent, ...] = ()
    findings: tuple[Finding, ...] = Field(min_length=1)
    trench_advice: Text | None = None
