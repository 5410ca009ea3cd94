"""A plane in metres that touches the ellipsoid at the place looked at, so that lengths on the ground are lengths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shapely.geometry import LineString

Position = Sequence[float]  # longitude, latitude (EPSG:4490), degrees

# CGCS2000 ellipsoid (GB/T 18316 names it as the national one): semi-major axis in metres, flattening.
_AXIS_M, _FLATTENING = 6_378_137.0, 1 / 298.257222101


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """East and north of (`lon0`, `lat0`) in metres; good to about 1 mm a kilometre near the origin."""

    lon0: float
    lat0: float
    per_lon: float
    per_lat: float

    @classmethod
    def around(cls, positions: Iterable[Position]) -> LocalPlane:
        """The plane that touches in the middle of `positions`. Raises ValueError when there are none."""
        points = list(positions)
        if not points:
            raise ValueError("a plane needs a place")
        lon0 = sum(point[0] for point in points) / len(points)
        lat0 = sum(point[1] for point in points) / len(points)
        squared = _FLATTENING * (2 - _FLATTENING)
        curve = 1 - squared * math.sin(math.radians(lat0)) ** 2
        return cls(
            lon0=lon0,
            lat0=lat0,
            per_lon=math.radians(1) * _AXIS_M / math.sqrt(curve) * math.cos(math.radians(lat0)),
            per_lat=math.radians(1) * _AXIS_M * (1 - squared) / curve**1.5,
        )

    def to_xy(self, position: Position) -> tuple[float, float]:
        """(east, north) in metres."""
        return (position[0] - self.lon0) * self.per_lon, (position[1] - self.lat0) * self.per_lat

    def to_lonlat(self, x: float, y: float) -> tuple[float, float]:
        """(lon, lat) in degrees, to 7 decimals (about a centimetre)."""
        return round(x / self.per_lon + self.lon0, 7), round(y / self.per_lat + self.lat0, 7)

    def line(self, route: Sequence[Position]) -> LineString:
        """A route as a line in metres. Raises ValueError for fewer than two positions."""
        if len(route) < 2:
            raise ValueError("a route has at least two positions")
        return LineString([self.to_xy(position) for position in route])


def metres_between(a: Position, b: Position) -> float:
    """The straight distance of two places in metres."""
    plane = LocalPlane.around((a, b))
    return math.dist(plane.to_xy(a), plane.to_xy(b))
