"""One team's day: in which order to go to its sites, so that the way is short and nobody is kept waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from portal.cases.local_plane import Position
from portal.cases.scheduling import travel_time

# Up to this many stops every order is considered; beyond, the best order found by mending a good one.
EXACT_STOPS = 9


@dataclass(frozen=True, slots=True)
class Stop:
    """A site to go to: work begins between `from_at` and `until_at` and takes `duration`."""

    code: str
    place: Position | None
    from_at: dt.datetime
    until_at: dt.datetime
    duration: dt.timedelta


@dataclass(frozen=True, slots=True)
class DayRoute:
    """The order with the times of beginning, the way in all, and who cannot be reached in time."""

    order: tuple[str, ...]
    begins: tuple[dt.datetime, ...]
    travel: dt.timedelta
    late: tuple[str, ...]


def order_day(stops: Sequence[Stop], *, base: Position | None, leaves_at: dt.datetime) -> DayRoute:
    """The order with the fewest stops late, then the shortest way, then the earliest end.

    Exact up to EXACT_STOPS stops, by going through the sets of stops done; for more, insertion and mending (2-opt).
    """
    route = _exact(stops, base, leaves_at) if len(stops) <= EXACT_STOPS else _mended(stops, base, leaves_at)
    return _followed(route, base, leaves_at)


Rank = tuple[int, dt.timedelta, dt.datetime]


def _followed(route: Sequence[Stop], base: Position | None, leaves_at: dt.datetime) -> DayRoute:
    place, now, travel = base, leaves_at, dt.timedelta()
    begins, late = [], []
    for stop in route:
        way = travel_time(place, stop.place)
        begin = max(now + way, stop.from_at)
        if begin > stop.until_at:
            late.append(stop.code)
        begins.append(begin)
        place, now, travel = stop.place or place, begin + stop.duration, travel + way
    return DayRoute(tuple(stop.code for stop in route), tuple(begins), travel, tuple(late))


def _rank(route: Sequence[Stop], base: Position | None, leaves_at: dt.datetime) -> Rank:
    found = _followed(route, base, leaves_at)
    end = found.begins[-1] + route[-1].duration if route else leaves_at
    return len(found.late), found.travel, end


# One way to have done a set of stops: (late, travel, time, order); kept while no other is as good in all three.
Part = tuple[int, dt.timedelta, dt.datetime, tuple[int, ...]]


def _exact(stops: Sequence[Stop], base: Position | None, leaves_at: dt.datetime) -> list[Stop]:
    parts: dict[tuple[int, int], list[Part]] = {(0, -1): [(0, dt.timedelta(), leaves_at, ())]}
    full = (1 << len(stops)) - 1
    for _ in stops:
        grown: dict[tuple[int, int], list[Part]] = {}
        for (mask, last), ways in parts.items():
            place = base if last < 0 else stops[last].place
            for n, stop in enumerate(stops):
                if mask >> n & 1:
                    continue
                way = travel_time(place, stop.place)
                kept = grown.setdefault((mask | 1 << n, n), [])
                for late, travel, now, order in ways:
                    begin = max(now + way, stop.from_at)
                    _keep(kept, (late + (begin > stop.until_at), travel + way, begin + stop.duration, (*order, n)))
        parts = grown
    ends = [part for (mask, _), ways in parts.items() if mask == full for part in ways]
    return [stops[n] for n in min(ends)[3]]


def _keep(kept: list[Part], new: Part) -> None:
    if not any(_is_as_good(old, new) for old in kept):
        kept[:] = [old for old in kept if not _is_as_good(new, old)]
        kept.append(new)


def _is_as_good(a: Part, b: Part) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a[2] <= b[2]


def _mended(stops: Sequence[Stop], base: Position | None, leaves_at: dt.datetime) -> list[Stop]:
    route: list[Stop] = []
    for stop in sorted(stops, key=lambda stop: (stop.until_at, stop.code)):
        places = [[*route[:n], stop, *route[n:]] for n in range(len(route) + 1)]
        route = min(places, key=lambda way: _rank(way, base, leaves_at))
    while True:
        turned = [
            [*route[:i], *reversed(route[i:j]), *route[j:]]
            for i in range(len(route))
            for j in range(i + 2, len(route) + 1)
        ]
        best = min(turned, key=lambda way: _rank(way, base, leaves_at))
        if _rank(best, base, leaves_at) >= _rank(route, base, leaves_at):
            return route
        route = best
