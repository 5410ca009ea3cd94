"""Time that people have: slots of crews, made smaller by what they are booked for and by the way there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.cases.local_plane import Position, metres_between

# Roads are longer than the straight line; 40 km/h on average between town and village.
DETOUR, METRES_PER_MINUTE, SHORTEST_WAY = 1.4, 40_000 / 60, dt.timedelta(minutes=10)
_QUARTER = 15 * 60


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A span in which somebody has time; aware datetimes, the end not included."""

    start_at: dt.datetime
    end_at: dt.datetime

    def covers(self, start_at: dt.datetime, end_at: dt.datetime) -> bool:
        """Whether [start_at, end_at] lies inside."""
        return self.start_at <= start_at and end_at <= self.end_at


@dataclass(frozen=True, slots=True)
class Booking:
    """A visit a crew has promised already, and where; `place` None: nobody knows, so no way is counted."""

    start_at: dt.datetime
    end_at: dt.datetime
    place: Position | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """Who can come: their time, their skills, what they are booked for."""

    code: str
    slots: tuple[Slot, ...]
    skills: frozenset[str] = frozenset()
    bookings: tuple[Booking, ...] = ()


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Standing hours of a crew: `weekday` 0 is Monday, times are local."""

    weekday: int
    start: dt.time
    end: dt.time


@dataclass(frozen=True, slots=True)
class Calls:
    """What a visit asks of the crews: where it is, how long it takes, and the skills needed by provider."""

    place: Position | None
    duration: dt.timedelta = dt.timedelta(hours=1)
    skills: Mapping[str, frozenset[str]] = field(default_factory=dict)


def travel_time(a: Position | None, b: Position | None) -> dt.timedelta:
    """How long the way between two sites takes: none where a place is unknown or the same."""
    if a is None or b is None:
        return dt.timedelta()
    metres = metres_between(a, b)
    if metres < 1:
        return dt.timedelta()
    return max(SHORTEST_WAY, dt.timedelta(minutes=round(metres * DETOUR / METRES_PER_MINUTE)))


def joined(spans: Iterable[Slot]) -> list[Slot]:
    """The spans in order of time; spans that touch or overlap become one."""
    found: list[Slot] = []
    for span in sorted(spans):
        if found and span.start_at <= found[-1].end_at:
            found[-1] = Slot(found[-1].start_at, max(found[-1].end_at, span.end_at))
        else:
            found.append(span)
    return found


def free_spans(crew: Crew, calls: Calls) -> list[Slot]:
    """When the crew could be at the site: its slots without its bookings and the ways between them and the site."""
    spans = joined(crew.slots)
    for booking in crew.bookings:
        way = travel_time(booking.place, calls.place)
        spans = _without(spans, booking.start_at - way, booking.end_at + way)
    return [span for span in spans if span.end_at - span.start_at >= calls.duration]


def provider_spans(crews: Sequence[Crew], calls: Calls, skills: frozenset[str]) -> list[Slot]:
    """When at least one crew with all these skills could come. One visit is one crew's: spans are not joined."""
    return sorted({span for crew in crews if skills <= crew.skills for span in free_spans(crew, calls)})


def is_free(spans: Iterable[Slot], start_at: dt.datetime, end_at: dt.datetime) -> bool:
    """Whether one of the spans covers the whole time."""
    return any(span.covers(start_at, end_at) for span in spans)


def next_quarter(at: dt.datetime) -> dt.datetime:
    """The first full quarter of an hour not before `at`."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    past = -(-(at - hour).total_seconds() // _QUARTER) * _QUARTER
    return hour + dt.timedelta(seconds=past)


def standing_slots(
    week: Iterable[WeeklyHours], working_days: Iterable[dt.date], zone: dt.tzinfo, *, not_before: dt.datetime
) -> tuple[Slot, ...]:
    """The standing weekly hours as slots on these working days, what is over before `not_before` left out."""
    hours = list(week)
    spans = [
        Slot(dt.datetime.combine(day, h.start, zone), dt.datetime.combine(day, h.end, zone))
        for day in working_days
        for h in hours
        if h.weekday == day.weekday() and h.start < h.end
    ]
    return tuple(Slot(max(s.start_at, not_before), s.end_at) for s in joined(spans) if s.end_at > not_before)


def _without(spans: Iterable[Slot], start_at: dt.datetime, end_at: dt.datetime) -> list[Slot]:
    found = []
    for span in spans:
        if span.end_at <= start_at or end_at <= span.start_at:
            found.append(span)
            continue
        if span.start_at < start_at:
            found.append(Slot(span.start_at, start_at))
        if end_at < span.end_at:
            found.append(Slot(end_at, span.end_at))
    return found
