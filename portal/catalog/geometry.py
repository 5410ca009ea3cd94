"""Coarse geometry on the ground: good to some tens of metres over a county, which is finer than the outlines are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from portal.catalog.parts import Circle, Position

_M_PER_DEGREE = 111_320.0  # of latitude; of longitude times the cosine of the latitude


def distance_to_circle_m(point: Position, circle: Circle) -> float:
    """Metres from a point to the edge of the circle; negative inside."""
    return math.hypot(*_offset_m(point, (circle.lon, circle.lat))) - circle.radius_m


def is_within(point: Position, ring: Sequence[Position], *, tolerance_m: float) -> bool:
    """Whether a point lies in the ring, or outside it by no more than `tolerance_m`."""
    return _is_inside(point, ring) or _distance_to_ring_m(point, ring) <= tolerance_m


def _is_inside(point: Position, ring: Sequence[Position]) -> bool:
    """Ray casting: how often a ray to the east crosses an edge."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in _edges(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def _distance_to_ring_m(point: Position, ring: Sequence[Position]) -> float:
    return min(_distance_to_edge_m(_offset_m(point, start), _offset_m(point, end)) for start, end in _edges(ring))


def _distance_to_edge_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Distance from the origin to the edge between two offsets."""
    (x1, y1), (x2, y2) = start, end
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else min(1.0, max(0.0, -(x1 * dx + y1 * dy) / length))
    return math.hypot(x1 + share * dx, y1 + share * dy)


def _offset_m(origin: Position, target: Position) -> tuple[float, float]:
    """East and north of `origin`, in metres."""
    east = (target[0] - origin[0]) * _M_PER_DEGREE * math.cos(math.radians(origin[1]))
    return east, (target[1] - origin[1]) * _M_PER_DEGREE


def _edges(ring: Sequence[Position]) -> list[tuple[Position, Position]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))
