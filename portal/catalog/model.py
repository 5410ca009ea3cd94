"""The catalog as frozen values: who serves where, which stages and limits apply, what may be charged and asked for.

Lengths in metres, money in fen, limits in working days, capacities in the unit of the application's field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

UtilityCode = Literal["water", "power", "gas", "heating", "network"]
StageName = Literal["survey", "reply", "review", "works", "acceptance", "connection"]
STAGE_ORDER = ("survey", "reply", "review", "works", "acceptance", "connection")
Position = tuple[float, float]  # lon, lat in CGCS2000


class Part(BaseModel):
    """Base of every catalog value: frozen, and an unknown key is an error of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Street(Part):
    code: str = Field(pattern=r"^\d{9}$")
    name: str


class Division(Part):
    """A county-level division; `envelope` is a coarse box (west, south, east, north) in degrees."""

    code: str = Field(pattern=r"^\d{6}$")
    name: str
    streets: tuple[Street, ...]
    envelope: tuple[float, float, float, float]


class City(Part):
    """The city and its coarse outline (lon, lat); points outside it are refused."""

    code: str
    name: str
    lead_agency: str
    outline: tuple[Position, ...] = Field(min_length=4)
    frozen_ground_from: str = Field(pattern=r"^\d\d-\d\d$")
    frozen_ground_until: str = Field(pattern=r"^\d\d-\d\d$")


class Utility(Part):
    code: UtilityCode
    name: str
    title: str


class Operator(Part):
    code: str
    name: str


class Circle(Part):
    lon: float
    lat: float
    radius_m: float = Field(gt=0)


class Area(Part):
    """Where a network lies inside one division: streets, names that addresses use, and circles on the ground."""

    code: str
    division: str
    name: str
    streets: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = ()


class Provider(Part):
    """A supplying company. `areas` None: it serves its divisions whole. `pay_before`: works or connection."""

    code: str = Field(pattern=r"^[a-z]+-[a-z_]+$")
    name: str
    short_name: str
    uscc: str
    utility: UtilityCode
    divisions: tuple[str, ...] = Field(min_length=1)
    areas: tuple[str, ...] | None = None
    operator: str | None = None
    level: Literal["desk", "mail", "pull", "push", "two_way"] = "push"
    merged_bill: bool
    pay_before: Literal["works", "connection"]
    merchant_id: str = Field(pattern=r"^\d{10}$")
    hotline: str
    contract_title: str


class Office(Part):
    """A government seat: the lead agency, or an office that grants permits within `limit_days`."""

    code: str
    name: str
    permit_kinds: tuple[str, ...] = ()
    limit_days: Decimal


class Condition(Part):
    """One test over the facts of a utility. A fact that is unknown (None) passes only `known = false`."""

    fact: str
    known: bool | None = None
    equals: str | bool | None = None
    one_of: tuple[str, ...] | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    above: Decimal | None = None


class ServiceLevel(Part):
    """Which stages a connection of this class takes and what each may last. The first level whose `when` holds applies.

    `counted_stages` sum up to the provider's own cap `cap_days`; `average_days` is a fleet figure, never a cap.
    """

    code: str
    utility: UtilityCode
    title: str
    when: tuple[Condition, ...] = ()
    stages: tuple[StageName, ...]
    limits: Mapping[StageName, Decimal]
    counted_stages: tuple[StageName, ...] = ()
    cap_days: int | None = None
    average_days: Decimal | None = None
    zero_investment: bool = False
    needs_line_check: bool = False
    basis: str

    @model_validator(mode="after")
    def _check(self) -> ServiceLevel:
        if list(self.stages) != sorted(self.stages, key=STAGE_ORDER.index) or len(set(self.stages)) != len(self.stages):
            raise ValueError(f"stages must be in the order {' '.join(STAGE_ORDER)}")
        if set(self.limits) != set(self.stages):
            raise ValueError("limits must name exactly the stages of the level")
        counted = sum(self.limits[stage] for stage in self.counted_stages)
        if self.cap_days is not None and counted > self.cap_days:
            raise ValueError(f"the counted limits sum to {counted}, more than the cap of {self.cap_days} days")
        if self.utility == "gas" and "works" in self.stages and "acceptance" not in self.stages:
            raise ValueError("acceptance is never skipped for gas")
        return self


class FeeItem(Part):
    """One line of the public fee list; a range has `max_price_fen`. No `providers`: every one of the utility."""

    code: str
    utility: UtilityCode
    title: str
    unit: str
    price_fen: int = Field(ge=0)
    max_price_fen: int | None = None
    vat_rate: str = Field(pattern=r"^\d+(\.\d+)?$")
    basis: str
    state: Literal["published", "cancelled"] = "published"
    boundary: Literal["inside", "outside"] = "inside"
    payer: Literal["user", "provider", "government"] = "user"
    providers: tuple[str, ...] = ()
    from_on: dt.date = dt.date(2024, 1, 1)
    until_on: dt.date | None = None
    version: str = "1"
    illustrative: bool = True


class MaterialRule(Part):
    """One paper, or any one of several: why it is asked for, of whom, and what happens without it."""

    kinds: tuple[str, ...] = Field(min_length=1)
    title: str
    class_: Literal["main", "owed", "waived"] = Field(alias="class")
    when: tuple[Condition, ...] = ()
    why: str
    for_whom: str
    without_it: str
    due_stage: StageName | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Code(Part):
    """A coded reason, question or condition with its text in both languages."""

    code: str
    group: str
    text: str
    text_en: str


class NotServedArea(Part):
    """What an applicant is told where a network does not reach: per utility and division."""

    utility: UtilityCode
    division: str
    reason: str
    planned_year: int | None = None
    alternative: str


class CalendarException(Part):
    """Days that differ from Monday to Friday in one year; a provisional year has no official decision yet."""

    year: int
    provisional: bool
    rest: tuple[dt.date, ...]
    work: tuple[dt.date, ...]


class Hours(Part):
    open_at: str = Field(pattern=r"^\d\d:\d\d$")
    cut_off: str = Field(pattern=r"^\d\d:\d\d$")


class Catalog(Part):
    """One version of a city's catalog; cases keep the version they were accepted under."""

    version: str
    city: City
    utilities: tuple[Utility, ...]
    operators: tuple[Operator, ...]
    divisions: tuple[Division, ...]
    areas: tuple[Area, ...]
    not_served: tuple[NotServedArea, ...]
    providers: tuple[Provider, ...]
    offices: tuple[Office, ...]
    levels: tuple[ServiceLevel, ...]
    fees: tuple[FeeItem, ...]
    materials: tuple[MaterialRule, ...]
    codes: tuple[Code, ...]
    hours: Hours
    calendar_days: tuple[CalendarException, ...]

    @cached_property
    def _providers(self) -> dict[str, Provider]:
        return {provider.code: provider for provider in self.providers}

    @cached_property
    def material_names(self) -> dict[str, str]:
        """Kind of paper → its name as on the paper."""
        return {code.code: code.text for code in self.codes if code.group == "material"}

    @property
    def lead_agency(self) -> Office:
        """The office that decides refusals and leads the joint process."""
        return self.office(self.city.lead_agency)

    def provider(self, code: str) -> Provider:
        """The provider with this code. Raises KeyError."""
        return self._providers[code]

    def office(self, code: str) -> Office:
        """The office with this code. Raises KeyError."""
        return {office.code: office for office in self.offices}[code]

    def utility(self, code: str) -> Utility:
        """The utility with this code. Raises KeyError."""
        return {utility.code: utility for utility in self.utilities}[code]  # type: ignore[index]

    def division(self, code: str) -> Division | None:
        """The division with this code, if it is one of this city's."""
        return next((division for division in self.divisions if division.code == code), None)

    def level(self, utility: str, code: str) -> ServiceLevel:
        """The service level with this code. Raises KeyError."""
        return {(level.utility, level.code): level for level in self.levels}[utility, code]  # type: ignore[index]

    def code_text(self, code: str) -> str:
        """The Chinese text of a code, or the code itself where the list has none: shown as unmapped, never guessed."""
        return next((row.text for row in self.codes if row.code == code), code)

    def is_ground_frozen(self, day: dt.date) -> bool:
        """Whether `day` lies in the season without digging; the season may run over the new year."""
        mark, start, end = day.strftime("%m-%d"), self.city.frozen_ground_from, self.city.frozen_ground_until
        return start <= mark <= end if start <= end else mark >= start or mark <= end


Facts = Mapping[str, Any]
