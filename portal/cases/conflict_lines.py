"""Lines in the ground against the spacing table: side by side, crossing, and the earth above each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from shapely.geometry import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, nearest_points

from portal.cases.local_plane import LocalPlane, Position
from portal.catalog.ground import Cover, Spacing

# Lines that only cross are near each other for about two distances; what runs together longer lies side by side.
_CROSSING_WIDTHS = 4
_ROUND = 64  # corners of a quarter circle: the reach is exact to a tenth of a millimetre
_TOUCH_M = 1e-6


@dataclass(frozen=True)
class TrenchLine:
    """One provider's line. `depth_m`: from the surface to its underside; `diameter_m` 0 where nobody said."""

    provider: str
    utility: str
    route: tuple[Position, ...]
    depth_m: float
    diameter_m: float = 0.0

    def distance_to(self, other: TrenchLine) -> float:
        """Between the middle lines, metres."""
        plane = LocalPlane.around((*self.route, *other.route))
        return float(plane.line(self.route).distance(plane.line(other.route)))

    @cached_property
    def top_m(self) -> float:
        """From the surface to its upper side."""
        return self.depth_m - self.diameter_m


@dataclass(frozen=True, slots=True)
class Found:
    """One measure that is not kept, metres."""

    kind: str  # beside, crossing, cover
    lines: tuple[TrenchLine, ...]
    measured_m: float
    required_m: float
    at: tuple[float, float]
    source: str


def find_line_conflicts(
    lines: Sequence[TrenchLine], spacings: Sequence[Spacing], covers: Sequence[Cover], *, accuracy_m: float
) -> Iterator[Found]:
    """Every measure that falls short of its table by more than the survey may be wrong (`accuracy_m`)."""
    if not lines:
        return
    plane = LocalPlane.around(position for line in lines for position in line.route)
    table: dict[frozenset[str], Spacing] = {frozenset({row.a, row.b}): row for row in spacings}
    for a, b in combinations(lines, 2):
        row = table.get(frozenset((a.utility, b.utility))) if a.utility != b.utility else None
        if row is not None:
            yield from _between(a, b, row, plane, accuracy_m)
    for line in lines:
        rule = next((cover for cover in covers if cover.utility == line.utility), None)
        if rule is not None and line.top_m < rule.least_m - accuracy_m:
            at = (line.route[0][0], line.route[0][1])
            yield Found("cover", (line,), line.top_m, rule.least_m, at, rule.source)


def _between(a: TrenchLine, b: TrenchLine, row: Spacing, plane: LocalPlane, accuracy_m: float) -> Iterator[Found]:
    one, other = plane.line(a.route), plane.line(b.route)
    radii = (a.diameter_m + b.diameter_m) / 2
    reach = row.beside_m + radii - accuracy_m
    if one.distance(other) > max(reach, 0):
        return
    crossing_at: Point | None = None
    for run in _near_runs(one, other, reach):
        gap = float(run.distance(other))
        at = nearest_points(run, other)[0]
        if gap <= _TOUCH_M and run.length <= _CROSSING_WIDTHS * max(reach, _TOUCH_M):
            crossing_at = crossing_at or at
        elif gap < reach:
            yield Found("beside", (a, b), gap - radii, row.beside_m, plane.to_lonlat(at.x, at.y), row.source)
    if crossing_at is None:
        return
    upper, lower = sorted((a, b), key=lambda line: (line.depth_m, line.top_m))
    clear = lower.top_m - upper.depth_m
    if clear < row.crossing_m - accuracy_m:
        at_ = plane.to_lonlat(crossing_at.x, crossing_at.y)
        yield Found("crossing", (a, b), clear, row.crossing_m, at_, row.source)


def _near_runs(line: LineString, other: LineString, reach: float) -> list[BaseGeometry]:
    """The stretches of `line` within `reach` of `other`; where there is no reach, the places they touch."""
    if reach <= 0:
        touched = line.intersection(other)
        return [] if touched.is_empty else list(getattr(touched, "geoms", [touched]))
    near = line.intersection(other.buffer(reach, quad_segs=_ROUND))
    merged = linemerge(near) if isinstance(near, MultiLineString) else near
    return [part for part in getattr(merged, "geoms", [merged]) if not part.is_empty]
