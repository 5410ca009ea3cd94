"""One visit for everybody: the earliest time at which all providers and the applicant can be on site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ONE_HOUR = dt.timedelta(hours=1)
# A visit begins on a full quarter of an hour unless a slot itself begins at another minute.
_QUARTER = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Slot:
    """A span in which somebody has time; aware datetimes, the end not included."""

    start_at: dt.datetime
    end_at: dt.datetime

    def covers(self, start_at: dt.datetime, end_at: dt.datetime) -> bool:
        """Whether [start_at, end_at] lies inside."""
        return self.start_at <= start_at and end_at <= self.end_at


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """The visit found: who comes, who cannot, and a sentence for the reader that says why it is this time."""

    start_at: dt.datetime
    end_at: dt.datetime
    providers: frozenset[str]
    absent: frozenset[str]
    reason: str


def find_visit(
    slots: Mapping[str, Sequence[Slot]],
    wishes: Sequence[Slot],
    *,
    not_before: dt.datetime,
    not_after: dt.datetime,
    duration: dt.timedelta = ONE_HOUR,
) -> VisitPlan | None:
    """The visit of `duration` within [not_before, not_after] that suits best, or None when nobody has time.

    First the earliest that suits all providers inside a wish of the applicant, then the earliest that suits all, then
    the one that suits most (the earliest of these). Slots of one provider that touch count as one.
    """
    free = {provider: _joined(spans) for provider, spans in slots.items()}
    wished = _joined(wishes)
    best: tuple[tuple[int, bool, dt.datetime], frozenset[str]] | None = None
    for start in _candidates([*free.values(), wished], not_before):
        end = start + duration
        coming = frozenset(p for p, spans in free.items() if _is_free(spans, start, end))
        if end > not_after or not coming:
            continue
        everybody = len(coming) == len(free)
        rank = (-len(coming), not (everybody and _is_free(wished, start, end)), start)
        if best is None or rank < best[0]:
            best = rank, coming
    if best is None:
        return None
    (_, outside_wishes, start), coming = best
    absent = frozenset(free) - coming
    reason = _reason(len(coming), len(absent), bool(wishes), outside_wishes)
    return VisitPlan(start, start + duration, coming, absent, reason)


def _joined(spans: Iterable[Slot]) -> list[Slot]:
    joined: list[Slot] = []
    for span in sorted(spans, key=lambda span: (span.start_at, span.end_at)):
        if joined and span.start_at <= joined[-1].end_at:
            joined[-1] = Slot(joined[-1].start_at, max(joined[-1].end_at, span.end_at))
        else:
            joined.append(span)
    return joined


def _is_free(spans: Iterable[Slot], start_at: dt.datetime, end_at: dt.datetime) -> bool:
    return any(span.covers(start_at, end_at) for span in spans)


def _candidates(everybody: Iterable[Sequence[Slot]], not_before: dt.datetime) -> list[dt.datetime]:
    """Starts worth trying: an earliest start is always the begin of somebody's span, or the begin of the search."""
    hour = not_before.replace(minute=0, second=0, microsecond=0)
    first = hour + -(-(not_before - hour) // _QUARTER) * _QUARTER
    starts = {span.start_at for spans in everybody for span in spans if span.start_at >= not_before}
    return sorted({first, *starts})


def _reason(coming: int, absent: int, wished: bool, outside_wishes: bool) -> str:
    if absent:
        return f"{coming + absent} 家单位未能约到共同的时间，本次由 {coming} 家到场，其余 {absent} 家另行说明。"
    if not wished:
        return "各单位均可到场的最早时间。"
    if outside_wishes:
        return "您希望的时间内各单位无法同时到场，已选各单位均可到场的最早时间。"
    return "符合您希望的时间，各单位均可到场。"
