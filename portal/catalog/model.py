"""One version of a city's catalog as a frozen value, with its look-ups; its parts stand in `parts` and `rules`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from portal.catalog.ground import (
    ConditionOrder,
    Contradiction,
    Cover,
    Exclusion,
    GroundRules,
    PlannedWorks,
    Road,
    Spacing,
)
from portal.catalog.parts import (
    Area,
    CalendarYear,
    Circle,
    City,
    Code,
    Codes,
    Division,
    Hours,
    NotServedArea,
    Office,
    Operator,
    Outline,
    Part,
    Position,
    Provider,
    Street,
    Utility,
)
from portal.catalog.rules import STAGE_ORDER, Condition, FeeItem, MaterialRule, ServiceLevel

__all__ = [
    "STAGE_ORDER",
    "Area",
    "CalendarYear",
    "Catalog",
    "Circle",
    "City",
    "Code",
    "Codes",
    "Condition",
    "ConditionOrder",
    "Contradiction",
    "Cover",
    "Division",
    "Exclusion",
    "Facts",
    "FeeItem",
    "GroundRules",
    "Hours",
    "MaterialRule",
    "NotServedArea",
    "Office",
    "Operator",
    "Outline",
    "PlannedWorks",
    "Position",
    "Provider",
    "Road",
    "ServiceLevel",
    "Spacing",
    "Street",
    "Utility",
]

Facts = Mapping[str, Any]


class Catalog(Part):
    """Cases keep the version they were accepted under; `version` is made from the content."""

    version: str
    city: City
    hours: Hours
    utilities: tuple[Utility, ...]
    operators: tuple[Operator, ...]
    divisions: tuple[Division, ...]
    outlines: tuple[Outline, ...]
    areas: tuple[Area, ...]
    not_served: tuple[NotServedArea, ...]
    providers: tuple[Provider, ...]
    offices: tuple[Office, ...]
    levels: tuple[ServiceLevel, ...]
    fees: tuple[FeeItem, ...]
    material_names: Mapping[str, str]
    materials: tuple[MaterialRule, ...]
    codes: Codes
    calendar_days: tuple[CalendarYear, ...]
    # With defaults: versions stored before the ground was part of the catalog stay readable.
    ground_rules: GroundRules = GroundRules()
    spacings: tuple[Spacing, ...] = ()
    covers: tuple[Cover, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    condition_orders: tuple[ConditionOrder, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    roads: tuple[Road, ...] = ()
    planned_works: tuple[PlannedWorks, ...] = ()

    @property
    def lead_agency(self) -> Office:
        """The office that decides refusals and leads the joint process."""
        return self.office(self.city.lead_agency)

    def provider(self, code: str) -> Provider:
        """The provider with this code. Raises KeyError."""
        return self._providers[code]

    def office(self, code: str) -> Office:
        """The office with this code. Raises KeyError."""
        return self._offices[code]

    def utility(self, code: str) -> Utility:
        """The utility with this code. Raises KeyError."""
        return self._utilities[code]

    def division(self, code: str) -> Division | None:
        """The division with this code, if it is one of this city's."""
        return self._divisions.get(code)

    def level(self, utility: str, code: str) -> ServiceLevel:
        """The service level with this code. Raises KeyError."""
        return self._levels[utility, code]

    def streets_of(self, provider: Provider) -> tuple[str, ...] | None:
        """Codes of the streets the provider's network lies in; None where it serves its divisions whole."""
        if provider.areas is None:
            return None
        return tuple(street for area in self.areas if area.code in provider.areas for street in area.streets)

    def code_text(self, code: str) -> str:
        """The Chinese text of a code, or the code itself where the list has none: shown as written, never guessed."""
        return self._texts.get(code, code)

    def is_ground_frozen(self, day: dt.date) -> bool:
        """Whether `day` lies in the season without digging."""
        return self.city.frozen_ground.covers(day)

    @cached_property
    def _providers(self) -> dict[str, Provider]:
        return {provider.code: provider for provider in self.providers}

    @cached_property
    def _offices(self) -> dict[str, Office]:
        return {office.code: office for office in self.offices}

    @cached_property
    def _utilities(self) -> dict[str, Utility]:
        return {utility.code: utility for utility in self.utilities}

    @cached_property
    def _divisions(self) -> dict[str, Division]:
        return {division.code: division for division in self.divisions}

    @cached_property
    def _levels(self) -> dict[tuple[str, str], ServiceLevel]:
        return {(level.utility, level.code): level for level in self.levels}

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {code.code: code.text for code in self.codes.all()}
