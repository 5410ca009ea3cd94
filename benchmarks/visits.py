"""The visit solver: 50 cases × 6 providers × 2 weeks of slots, beside trying every quarter of an hour.

Both sides must find the same best start for each case; the promise is less than a second for all of them.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from benchmarks.figures import Figure, compare
from portal.cases.scheduling import Calls, Crew, Slot, free_spans, is_free
from portal.cases.visit_plans import Search, fewest_visits, propose_visits

CASES, PROVIDERS, DAYS, ROUNDS = 50, 6, 14, 3
HOUR, QUARTER = dt.timedelta(hours=1), dt.timedelta(minutes=15)
BEGIN = dt.datetime(2026, 11, 24, 0, tzinfo=dt.UTC)
SEARCH = Search(BEGIN, BEGIN + dt.timedelta(days=DAYS))
CALLS = Calls(place=None, duration=HOUR)
Crews = dict[str, list[Crew]]


def measure() -> list[Figure]:
    """Seconds for all cases: proposals and, besides, the fewest visits; the best of some rounds."""
    cases = [_case(number) for number in range(CASES)]
    assert [_best(case) for case in cases] == [_slowly(case) for case in cases]
    own = min(_seconds(cases, _solve) for _ in range(ROUNDS))
    best = min(_seconds(cases, _best) for _ in range(ROUNDS))
    slow = min(_seconds(cases, _slowly) for _ in range(ROUNDS))
    return [
        compare("visits: 50 × 6 × 14 days, three proposals (one, every quarter)", best, "s", slow),
        compare("visits: 50 × 6 × 14 days, proposals and cover (the promise)", own, "s", 1.0),
    ]


def _case(number: int) -> Crews:
    """Two spans a day for each provider, at hours that differ by case, provider and day."""
    crews: Crews = {}
    for p in range(PROVIDERS):
        slots = []
        for d in range(DAYS):
            day = BEGIN + dt.timedelta(days=d)
            shift = (number * 7 + p * 3 + d * 5) % 8
            slots += [
                Slot(day + QUARTER * shift, day + HOUR * 3),
                Slot(day + HOUR * 6, day + HOUR * 6 + QUARTER * shift),
            ]
        crews[f"provider-{p}"] = [Crew(str(p), tuple(slots))]
    return crews


def _solve(case: Crews) -> object:
    return propose_visits(case, [], CALLS, SEARCH), fewest_visits(case, [], CALLS, SEARCH)


def _best(case: Crews) -> dt.datetime | None:
    found = propose_visits(case, [], CALLS, SEARCH)
    return found[0].visits[0].start_at if found else None


def _slowly(case: Crews) -> dt.datetime | None:
    spans = [[span for crew in own for span in free_spans(crew, CALLS)] for own in case.values()]
    steps = int((SEARCH.not_after - HOUR - BEGIN) / QUARTER) + 1
    starts = (BEGIN + QUARTER * n for n in range(steps))
    fit = [start for start in starts if all(is_free(own, start, start + HOUR) for own in spans)]
    return min(fit, default=None)


def _seconds(cases: list[Crews], solve: Callable[[Crews], object]) -> float:
    began = time.perf_counter()
    for case in cases:
        solve(case)
    return time.perf_counter() - began
