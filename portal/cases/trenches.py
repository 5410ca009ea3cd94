"""共沟: what one shared trench saves over everybody digging alone, from the routes found on site."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely.geometry import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge

from portal.cases.local_plane import LocalPlane, Position

CORRIDOR_M = 2.0
# Routes that only cross are near each other for about two corridor widths; that is not a shared trench.
_CROSSING_WIDTHS = 4


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
    if any(len(route) < 2 for route in routes.values()):
        raise ValueError("a route has at least two positions")
    if not routes:
        return []
    plane = LocalPlane.around(point for route in routes.values() for point in route)
    return [plane.line(route) for _, route in sorted(routes.items())]
