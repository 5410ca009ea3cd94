"""Who serves a site: by utility, division and, where a network covers only part of a division, by area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalog.model import Area, Catalog, Position, Provider

_EARTH_M_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class NotServed:
    """No network of `utility` near the site: how far the nearest is, when it is planned, what would do instead."""

    utility: str
    reason: str
    nearest_m: int | None
    planned_year: int | None
    alternative: str


@dataclass(frozen=True, slots=True)
class Routed:
    providers: tuple[Provider, ...]
    not_served: NotServed | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """`agrees_with_division` False is a note for the clerk: outlines in the catalog are coarse."""

    inside_city: bool
    agrees_with_division: bool


def place(catalog: Catalog, lon: float, lat: float, division: str) -> Placed:
    """Whether a point lies in the city, and in the division it was filed under."""
    found = catalog.division(division)
    west, south, east, north = found.envelope if found else (0.0, 0.0, 0.0, 0.0)
    return Placed(
        inside_city=_is_inside((lon, lat), catalog.city.outline),
        agrees_with_division=west <= lon <= east and south <= lat <= north,
    )


def route(
    catalog: Catalog,
    utility: str,
    *,
    division: str,
    street: str | None,
    address: str,
    location: Position,
    operators: Sequence[str] = (),
) -> Routed:
    """The providers of `utility` at a site: one, or for the network each chosen operator.

    Where a provider serves only areas of the division, the street decides, else a name in the address, else the
    point on the ground.
    """
    candidates = [
        provider
        for provider in catalog.providers
        if provider.utility == utility
        and division in provider.divisions
        and (provider.operator is None or provider.operator in operators)
    ]
    serving = tuple(p for p in candidates if _serves(catalog, p, division, street, address, location))
    if serving:
        return Routed(serving)
    return Routed((), _not_served(catalog, utility, division, location))


def _serves(
    catalog: Catalog, provider: Provider, division: str, street: str | None, address: str, location: Position
) -> bool:
    if provider.areas is None:
        return True
    areas = [area for area in catalog.areas if area.code in provider.areas and area.division == division]
    if street is not None and any(area.streets for area in areas):
        return any(street in area.streets for area in areas)
    if any(alias in address for area in areas for alias in area.aliases):
        return True
    if _names_another_place(catalog, areas, division, address):
        return False
    return any(_distance_m(location, area) <= 0 for area in areas)


def _names_another_place(catalog: Catalog, areas: Sequence[Area], division: str, address: str) -> bool:
    """Whether the address names a town or street of the division in which the network does not lie."""
    found = catalog.division(division)
    served = {code for area in areas for code in area.streets}
    return found is not None and any(s.name in address for s in found.streets if s.code not in served)


def _not_served(catalog: Catalog, utility: str, division: str, location: Position) -> NotServed:
    told = next((row for row in catalog.not_served if row.utility == utility and row.division == division), None)
    networks = {code for p in catalog.providers if p.utility == utility and p.areas for code in p.areas}
    distances = [_distance_m(location, area) for area in catalog.areas if area.code in networks and area.circles]
    nearest = max(0, round(min(distances))) if distances else None
    return NotServed(
        utility=utility,
        reason=told.reason if told else "该地点附近暂无这一专业的管网",
        nearest_m=nearest,
        planned_year=told.planned_year if told else None,
        alternative=told.alternative if told else "请向综合窗口咨询替代方案",
    )


def _distance_m(location: Position, area: Area) -> float:
    """Metres from a point to the edge of the area's nearest circle; negative inside, infinite without circles."""
    lon, lat = location
    distances = []
    for circle in area.circles:
        dx = (lon - circle.lon) * _EARTH_M_PER_DEGREE * math.cos(math.radians(circle.lat))
        dy = (lat - circle.lat) * _EARTH_M_PER_DEGREE
        distances.append(math.hypot(dx, dy) - circle.radius_m)
    return min(distances, default=math.inf)


def _is_inside(point: Position, outline: Sequence[Position]) -> bool:
    """Ray casting over the outline's edges."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
