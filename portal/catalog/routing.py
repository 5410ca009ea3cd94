"""Who serves a site: by utility and division and, where a network covers only part of a division, by its areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalog.geometry import distance_to_circle_m, is_within
from portal.catalog.model import Area, Catalog, Position, Provider


@dataclass(frozen=True, slots=True)
class NotServed:
    """No network of `utility` near the site: how far the nearest is (metres), when it is planned, what would do."""

    utility: str
    reason: str
    nearest_m: int | None
    planned_year: int | None
    alternative: str


@dataclass(frozen=True, slots=True)
class Routed:
    """Who serves: one provider, or for the network each chosen operator; or nobody, and then why."""

    providers: tuple[Provider, ...]
    not_served: NotServed | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """`agrees_with_division` False is a note for the clerk only: outlines in the catalog are coarse."""

    inside_city: bool
    agrees_with_division: bool


@dataclass(frozen=True, slots=True)
class Site:
    """Where supply is wanted. `street` is the code given, or found by name in the address."""

    division: str
    street: str | None
    address: str
    location: Position | None


def place(catalog: Catalog, lon: float, lat: float, division: str) -> Placed:
    """Whether a point lies in the city, and in the division it was filed under, as far as the outlines can tell."""
    around = _divisions_around(catalog, (lon, lat))
    return Placed(inside_city=bool(around), agrees_with_division=division in around)


def route(
    catalog: Catalog,
    utility: str,
    division: str,
    street: str | None,
    address: str,
    operators: Sequence[str] = (),
    *,
    location: Position | None = None,
) -> Routed:
    """The providers of `utility` at a site; `location` is (lon, lat).

    Where a network covers only areas of a division, the street decides, else a name in the address, else the point
    on the ground; where all of these are silent it is taken as served. A division the city does not have (another
    check refuses it) is judged by the point.
    """
    if catalog.division(division) is None and location is not None:
        division = next(iter(_divisions_around(catalog, location)), division)
    site = Site(division, street or _street_in(catalog, division, address), address, location)
    candidates = [
        provider
        for provider in catalog.providers
        if provider.utility == utility
        and division in provider.divisions
        and (provider.operator is None or provider.operator in operators)
    ]
    serving = tuple(provider for provider in candidates if _serves(catalog, provider, site))
    return Routed(serving) if serving else Routed((), _not_served(catalog, utility, site))


def _divisions_around(catalog: Catalog, point: Position) -> list[str]:
    """The divisions a point may lie in; near a border they are several."""
    tolerance_m = catalog.city.outline_tolerance_m
    return [outline.division for outline in catalog.outlines if is_within(point, outline.ring, tolerance_m=tolerance_m)]


def _serves(catalog: Catalog, provider: Provider, site: Site) -> bool:
    if provider.areas is None:
        return True
    areas = [area for area in catalog.areas if area.code in provider.areas and area.division == site.division]
    if any(alias in site.address for area in areas for alias in area.aliases):
        return True
    if site.street is not None:
        return any(site.street in area.streets for area in areas)
    return site.location is None or _nearest_m(site.location, areas) == 0


def _street_in(catalog: Catalog, division: str, address: str) -> str | None:
    """The town or street the address names: the first named, of two at the same place the longer one."""
    found = catalog.division(division)
    hits = [(address.find(street.name), -len(street.name), street.code) for street in found.streets] if found else []
    named = sorted(hit for hit in hits if hit[0] >= 0)
    return named[0][2] if named else None


def _not_served(catalog: Catalog, utility: str, site: Site) -> NotServed:
    told = next((row for row in catalog.not_served if (row.utility, row.division) == (utility, site.division)), None)
    codes = {code for provider in catalog.providers if provider.utility == utility for code in provider.areas or ()}
    areas = [area for area in catalog.areas if area.code in codes]
    name = catalog.utility(utility).title
    return NotServed(
        utility=utility,
        reason=told.reason if told else f"该地点附近暂无{name}网络",
        nearest_m=_nearest_m(site.location, areas) if site.location and areas else None,
        planned_year=told.planned_year if told else None,
        alternative=told.alternative if told else "请向综合窗口咨询替代方案",
    )


def _nearest_m(point: Position, areas: Sequence[Area]) -> int:
    """Metres from a point to the nearest circle of the areas; 0 inside one."""
    return max(0, round(min(distance_to_circle_m(point, circle) for area in areas for circle in area.circles)))
