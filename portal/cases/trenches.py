"""共沟: what one shared trench saves over everybody digging alone, from the routes found on site."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely.geometry import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge

Position = Sequence[float]  # longitude, latitude (EPSG:4490), degrees

CORRIDOR_M = 2.0
# Routes that only cross are near each other for about two corridor widths; that is not a shared trench.
_CROSSING_WIDTHS = 4
# CGCS2000 ellipsoid (GB/T 18316 names it as the national one): semi-major axis in metres, flattening.
_AXIS_M, _FLATTENING = 6_378_137.0, 1 / 298.257222101


@dataclass(frozen=True, slots=True)
class Saving:
    """Metres of trench: everyone alone, together, and the difference; to 0.1 m, `saved_m` never negative."""

    single_m: float
    union_m: float
    saved_m: float


def union_saving(routes: Mapping[str, Sequence[Position]], corridor_m: float = CORRIDOR_M) -> Saving:
    """Lay the routes one after the other, the longest first; what runs within `corridor_m` of a trench joins it.

    `routes`: provider code → the positions of its LineString. The result does not depend on their order.
    Raises ValueError for a route of fewer than two positions or a corridor that is not above 0.
    """
    if corridor_m <= 0:
        raise ValueError("a corridor is wider than 0 m")
    lines = _to_metres(routes)
    lines.sort(key=lambda line: (-line.length, line.wkt))
    single = sum(line.length for line in lines)
    dug: BaseGeometry = LineString()
    union = 0.0
    for line in lines:
        fresh = line.length - _shared_length(line, dug, corridor_m)
        union += fresh
        dug = dug.union(line)
    single_m, union_m = round(single, 1), round(min(union, single), 1)
    return Saving(single_m, union_m, round(single_m - union_m, 1))


def _shared_length(line: LineString, dug: BaseGeometry, corridor_m: float) -> float:
    if dug.is_empty:
        return 0.0
    near = line.intersection(dug.buffer(corridor_m))
    merged = linemerge(near) if isinstance(near, MultiLineString) else near
    runs = [part for part in getattr(merged, "geoms", [merged]) if isinstance(part, LineString)]
    is_whole = math.isclose(sum(run.length for run in runs), line.length, rel_tol=1e-9)
    return float(sum(run.length for run in runs if is_whole or run.length > _CROSSING_WIDTHS * corridor_m))


def _to_metres(routes: Mapping[str, Sequence[Position]]) -> list[LineString]:
    """The routes on a plane that touches the ellipsoid in their middle; good to about 1 mm a kilometre."""
    if any(len(route) < 2 for route in routes.values()):
        raise ValueError("a route has at least two positions")
    points = [position for route in routes.values() for position in route]
    if not points:
        return []
    lon0 = sum(point[0] for point in points) / len(points)
    lat0 = sum(point[1] for point in points) / len(points)
    squared = _FLATTENING * (2 - _FLATTENING)
    curve = 1 - squared * math.sin(math.radians(lat0)) ** 2
    per_lat = math.radians(1) * _AXIS_M * (1 - squared) / curve**1.5
    per_lon = math.radians(1) * _AXIS_M / math.sqrt(curve) * math.cos(math.radians(lat0))
    return [
        LineString([((point[0] - lon0) * per_lon, (point[1] - lat0) * per_lat) for point in route])
        for _, route in sorted(routes.items())
    ]
