"""到场安排: up to three proposals for one joint visit; where no time suits all, the fewest visits that reach everybody.

Every best start is the begin of somebody's free span, of a wish, or of the search: only those are tried, and the tests
hold the result against trying every quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.cases.scheduling import Calls, Crew, Slot, is_free, joined, next_quarter, provider_spans

MAX_PROPOSALS = 3
# Two proposals closer than this are no choice.
APART = dt.timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """One appointment and who comes."""

    start_at: dt.datetime
    end_at: dt.datetime
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One proposal: usually one visit. `absent`: nobody of these has any time within the limit."""

    visits: tuple[PlannedVisit, ...]
    absent: tuple[str, ...]
    is_wished: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Search:
    """Within which time, and which starts have been declined before: nothing near them is proposed again."""

    not_before: dt.datetime
    not_after: dt.datetime
    declined: frozenset[dt.datetime] = frozenset()

    def was_declined(self, start: dt.datetime) -> bool:
        """Whether `start` is as good as one that was declined."""
        return any(abs(start - declined) < APART for declined in self.declined)


def propose_visits(
    crews: Mapping[str, Sequence[Crew]], wishes: Sequence[Slot], calls: Calls, search: Search
) -> tuple[VisitPlan, ...]:
    """Up to three plans of one visit for everybody, the best first; empty when no time suits all.

    Inside the applicant's wishes comes before outside, then the earlier; each is at least two hours from the others
    and no declined start comes again. Providers are the keys of `crews`.
    """
    table = _table(crews, wishes, calls, search)
    everybody = frozenset(crews)
    starts = sorted((outside, start) for start, (coming, outside) in table.items() if coming == everybody)
    chosen: list[tuple[bool, dt.datetime]] = []
    for outside, start in starts if everybody else ():
        if all(abs(start - other) >= APART for _, other in chosen):
            chosen.append((outside, start))
        if len(chosen) == MAX_PROPOSALS:
            break
    return tuple(
        VisitPlan(
            (PlannedVisit(start, start + calls.duration, tuple(sorted(everybody))),),
            (),
            not outside,
            _reason_of_one(bool(wishes), outside),
        )
        for outside, start in chosen
    )


def fewest_visits(
    crews: Mapping[str, Sequence[Crew]], wishes: Sequence[Slot], calls: Calls, search: Search
) -> VisitPlan | None:
    """The plan with the fewest visits that reach every provider with any time, then the fewest outside the wishes,
    then the one that ends first; None when nobody has time. Exact: dynamic programming over sets of providers."""
    table = _table(crews, wishes, calls, search)
    reachable = frozenset().union(*(coming for coming, _ in table.values())) if table else frozenset()
    if not reachable:
        return None
    order = sorted(reachable)
    bits = {provider: 1 << n for n, provider in enumerate(order)}
    choices: dict[int, tuple[bool, dt.datetime]] = {}
    for start, (coming, outside) in sorted(table.items()):
        mask = sum(bits[provider] for provider in coming)
        choices[mask] = min(choices.get(mask, (outside, start)), (outside, start))
    starts = sorted(start for _, start in _cover(choices, (1 << len(order)) - 1))
    absent = tuple(sorted(set(crews) - reachable))
    visits = _assigned(starts, table, calls.duration)
    is_wished = all(not table[visit.start_at][1] for visit in visits)
    return VisitPlan(visits, absent, is_wished, _reason_of_many(len(visits), len(crews), len(absent)))


Cover = tuple[int, int, dt.datetime | None, tuple[tuple[bool, dt.datetime], ...]]


def _cover(choices: Mapping[int, tuple[bool, dt.datetime]], full: int) -> tuple[tuple[bool, dt.datetime], ...]:
    best: dict[int, Cover] = {0: (0, 0, None, ())}
    for mask in range(full):
        if mask not in best:
            continue
        count, outside, last, taken = best[mask]
        for covers, choice in choices.items():
            after = mask | covers
            if after == mask:
                continue
            end = choice[1] if last is None else max(last, choice[1])
            found: Cover = (count + 1, outside + choice[0], end, (*taken, choice))
            if after not in best or found[:3] < best[after][:3]:
                best[after] = found
    return best[full][3]


Row = tuple[frozenset[str], bool]  # who can come, whether it lies outside the wishes


def _table(
    crews: Mapping[str, Sequence[Crew]], wishes: Sequence[Slot], calls: Calls, search: Search
) -> dict[dt.datetime, Row]:
    """Each start worth trying, with who can come then."""
    free = {p: provider_spans(own, calls, calls.skills.get(p, frozenset())) for p, own in crews.items()}
    wished = joined(wishes)
    starts = {span.start_at for spans in (*free.values(), wished) for span in spans}
    starts = {start for start in starts if start >= search.not_before} | {next_quarter(search.not_before)}
    starts |= {declined + APART for declined in search.declined}
    starts |= {start + APART * n for start in starts for n in range(1, MAX_PROPOSALS)}
    table: dict[dt.datetime, Row] = {}
    for start in starts:
        end = start + calls.duration
        if start < search.not_before or end > search.not_after or search.was_declined(start):
            continue
        coming = frozenset(p for p, spans in free.items() if is_free(spans, start, end))
        if coming:
            table[start] = coming, not is_free(wished, start, end)
    return table


def _assigned(
    starts: Sequence[dt.datetime], table: Mapping[dt.datetime, Row], duration: dt.timedelta
) -> tuple[PlannedVisit, ...]:
    """Everybody comes to the fullest visit it can reach, the earlier of equal ones; nobody comes twice."""
    told: set[str] = set()
    visits = []
    for start in sorted(starts, key=lambda at: (-len(table[at][0]), at)):
        coming = tuple(sorted(table[start][0] - told))
        told |= set(coming)
        if coming:
            visits.append(PlannedVisit(start, start + duration, coming))
    return tuple(sorted(visits, key=lambda visit: visit.start_at))


def _reason_of_one(has_wishes: bool, outside: bool) -> str:
    if not has_wishes:
        return "各单位均可到场。"
    return (
        "您希望的时间内各单位无法同时到场，这是各单位均可到场的时间。"
        if outside
        else "符合您希望的时间，各单位均可到场。"
    )


def _reason_of_many(visits: int, providers: int, absent: int) -> str:
    said = f"{providers} 家单位在时限内没有共同的时间，最少需要上门 {visits} 次"
    return said + (f"；另有 {absent} 家没有可用的时间，将另行约定。" if absent else "。")
