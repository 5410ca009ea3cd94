"""The places and people of the catalog: the city, its divisions and networks, providers, offices and coded texts.

Lengths in metres; positions are (lon, lat) in degrees, CGCS2000; limits in working days.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

UtilityCode = Literal["water", "power", "gas", "heating", "network"]
Lon = Annotated[float, Field(ge=73, le=136)]
Lat = Annotated[float, Field(ge=3, le=54)]
Position = tuple[Lon, Lat]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """Base of every catalog value: frozen, and an unknown key is an error of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Street(Part):
    code: str = Field(pattern=r"^\d{9}$")
    name: Line


class Division(Part):
    """A county-level division (GB/T 2260) with its towns and streets."""

    code: str = Field(pattern=r"^\d{6}$")
    name: Line
    streets: tuple[Street, ...]


class Outline(Part):
    """The coarse outline of a division: a ring of corners, closed by itself."""

    division: str
    ring: tuple[Position, ...] = Field(min_length=4)


class Season(Part):
    """From one day of the year to another, both included; it may run over the new year."""

    from_day: MonthDay
    until_day: MonthDay

    def covers(self, day: dt.date) -> bool:
        """Whether `day` lies in the season."""
        mark = day.strftime("%m-%d")
        if self.from_day <= self.until_day:
            return self.from_day <= mark <= self.until_day
        return mark >= self.from_day or mark <= self.until_day


class City(Part):
    """What the whole city shares. `outline_tolerance_m`: how far outlines may be wrong, in metres."""

    code: str = Field(pattern=r"^\d{6}$")
    name: Line
    lead_agency: str
    outline_tolerance_m: float = Field(ge=0)
    frozen_ground: Season
    heating_season: Season


class Utility(Part):
    """One of the five. `always_accepted`: its acceptance inspection is never skipped."""

    code: UtilityCode
    name: Line
    title: Line
    always_accepted: bool = False


class Operator(Part):
    code: str
    name: Line


class Circle(Part):
    lon: Lon
    lat: Lat
    radius_m: float = Field(gt=0)


class Area(Part):
    """Where a network lies inside one division: streets, names that addresses use, and circles on the ground."""

    code: str
    division: str
    name: Line
    streets: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = Field(min_length=1)


class Provider(Part):
    """A supplying company. `areas` None: it serves its divisions whole. `merged_basis`: why its bill may be merged."""

    code: str = Field(pattern=r"^[a-z]+-[a-z_]+$")
    name: Line
    short_name: Line
    uscc: str = Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")
    utility: UtilityCode
    divisions: tuple[str, ...] = Field(min_length=1)
    areas: tuple[str, ...] | None = None
    operator: str | None = None
    level: Literal["desk", "mail", "pull", "push", "two-way"] = "push"
    duty_mail: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
    merged_bill: bool
    merged_basis: Line
    pay_before: Literal["works", "connection"]
    merchant_id: str = Field(pattern=r"^\d{10}$")
    hotline: str = Field(pattern=r"^[0-9-]{5,20}$")
    contract_title: Line


class Office(Part):
    """A government seat: the lead agency, or an office that grants permits within `limit_days`."""

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    name: Line
    permit_kinds: tuple[str, ...] = ()
    limit_days: float = Field(gt=0)


class NotServedArea(Part):
    """What an applicant is told where a network does not reach: per utility and division."""

    utility: UtilityCode
    division: str
    reason: Line
    planned_year: int | None = Field(default=None, ge=2020, le=2100)
    alternative: Line


class Code(Part):
    """A coded reason, question, condition … with its text in both languages."""

    code: str = Field(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")
    text: Line
    text_en: Line


class Codes(Part):
    """All coded texts by group; `reasons` are those of refusals and declined tasks."""

    reasons: tuple[Code, ...]
    pauses: tuple[Code, ...]
    questions: tuple[Code, ...]
    conditions: tuple[Code, ...]
    permits: tuple[Code, ...]
    inspections: tuple[Code, ...]

    def all(self) -> tuple[Code, ...]:
        """Every code of every group."""
        return (
            *self.reasons,
            *self.pauses,
            *self.questions,
            *self.conditions,
            *self.permits,
            *self.inspections,
        )


class Hours(Part):
    """Working hours, local time."""

    open_at: Hour
    cut_off: Hour


class CalendarYear(Part):
    """Days of one year that differ from Monday to Friday; a provisional year has no official decision yet."""

    year: int = Field(ge=2000, le=2100)
    provisional: bool
    rest: dict[dt.date, str]
    work: dict[dt.date, str]
