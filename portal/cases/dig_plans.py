"""一次开挖: what one trench costs and saves for whom, which road it opens, and who else digs nearby.

Money in fen, lengths in metres to 0.1. The saving is the sum of everybody's own trench less their union.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.cases.local_plane import LocalPlane, Position
from portal.cases.trenches import CORRIDOR_M, Saving, union_saving
from portal.catalog.ground import GroundRules, PlannedWorks, Road


@dataclass(frozen=True, slots=True)
class Share:
    """One provider's part of the one trench. `alone_fen`: what its own trench would have come to."""

    provider: str
    length_m: float
    alone_fen: int
    share_fen: int

    @property
    def saved_fen(self) -> int:
        """What sharing the trench saves it; never negative."""
        return self.alone_fen - self.share_fen


@dataclass(frozen=True, slots=True)
class DigPlan:
    """The one trench. Σ share_fen is its price to the fen; Σ saved_fen is `saved_fen`."""

    saving: Saving
    price_fen: int
    saved_fen: int
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class ProtectedRoad:
    """A road that the trench would open while it may not be dug up without special approval."""

    code: str
    name: str
    built: str
    until_on: dt.date
    basis: str


@dataclass(frozen=True, slots=True)
class NearWorks:
    """Works of somebody else near the trench at the same time. `distance_m` between the middle lines."""

    code: str
    name: str
    owner: str
    from_on: dt.date
    until_on: dt.date
    distance_m: float


def plan_dig(
    routes: Mapping[str, Sequence[Position]], fen_per_m: int, corridor_m: float = CORRIDOR_M
) -> DigPlan | None:
    """One trench for all routes (provider → positions); everybody pays by the length of its own line.

    Priced in whole decimetres: what is saved is the metres saved at that price, and no metre saved is no fen saved.
    The rest of a division goes to the largest remainders.
    None when nobody digs. Raises ValueError as `union_saving` does.
    """
    if not routes:
        return None
    saving = union_saving(routes, corridor_m)
    alone = {provider: union_saving({provider: route}, corridor_m).single_m for provider, route in routes.items()}
    alone_fen = {provider: _price(metres, fen_per_m) for provider, metres in alone.items()}
    total = sum(alone_fen.values())
    saved_fen = min(_price(saving.saved_m, fen_per_m), total)
    shared = _split(total - saved_fen, alone_fen)
    shares = tuple(Share(p, alone[p], alone_fen[p], shared[p]) for p in sorted(routes))
    return DigPlan(saving, total - saved_fen, saved_fen, shares)


def _price(metres: float, fen_per_m: int) -> int:
    return round(metres * 10) * fen_per_m // 10


def _split(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`total` by weight; nobody gets more than its weight where the weights come to at least `total`."""
    whole = sum(weights.values())
    if whole == 0:
        return dict.fromkeys(weights, 0)
    parts = {name: total * weight // whole for name, weight in weights.items()}
    rest = total - sum(parts.values())
    order = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    return {name: part + (name in order[:rest]) for name, part in parts.items()}


def protected_roads(
    routes: Sequence[Sequence[Position]], on: dt.date, roads: Sequence[Road], rules: GroundRules
) -> tuple[ProtectedRoad, ...]:
    """The roads that a trench opened on `on` would cut within their years of protection."""
    found = []
    for road in roads:
        years = rules.new_road_years if road.built == "new" else rules.overhauled_road_years
        until_on = _years_after(road.finished_on, years)
        if road.finished_on <= on < until_on and _distance(routes, road.line) <= rules.road_width_m / 2:
            found.append(ProtectedRoad(road.code, road.name, road.built, until_on, rules.road_source))
    return tuple(sorted(found, key=lambda road: road.code))


def near_works(
    routes: Sequence[Sequence[Position]],
    from_on: dt.date,
    until_on: dt.date,
    planned: Sequence[PlannedWorks],
    near_m: float,
) -> tuple[NearWorks, ...]:
    """Works planned within `near_m` of the trench in an overlapping time, the nearest first."""
    found = []
    for works in planned:
        if works.until_on < from_on or until_on < works.from_on:
            continue
        metres = _distance(routes, works.line)
        if metres <= near_m:
            about = (works.code, works.name, works.owner, works.from_on, works.until_on)
            found.append(NearWorks(*about, distance_m=round(metres, 1)))
    return tuple(sorted(found, key=lambda works: (works.distance_m, works.code)))


def coarse_line(route: Sequence[Position]) -> tuple[tuple[float, float], ...]:
    """A route as the public may see it: to about a hundred metres, with no corner of the true line."""
    seen: list[tuple[float, float]] = []
    for lon, lat in ((round(p[0], 3), round(p[1], 3)) for p in (route[0], route[-1])):
        if (lon, lat) not in seen:
            seen.append((lon, lat))
    return tuple(seen)


def _distance(routes: Sequence[Sequence[Position]], other: Sequence[Position]) -> float:
    if not routes:
        return float("inf")
    plane = LocalPlane.around([*(position for route in routes for position in route), *other])
    line = plane.line(other)
    return min(float(plane.line(route).distance(line)) for route in routes)


def _years_after(on: dt.date, years: int) -> dt.date:
    year = on.year + years
    return on.replace(year=year, day=min(on.day, calendar.monthrange(year, on.month)[1]))
