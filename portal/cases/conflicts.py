"""冲突: where providers' answers cannot all be carried out, found before the applicant sees any of them.

Lines too near each other or too shallow, two connections in one place, works that exclude each other on one day, and
conditions that contradict. One finding stands for all providers of two utilities: four operators in one duct that lies
too near the water main are one thing to settle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from portal.cases.conflict_lines import Found, TrenchLine, find_line_conflicts
from portal.cases.local_plane import Position, metres_between
from portal.catalog.ground import ConditionOrder, Contradiction, Cover, Exclusion, Spacing

__all__ = ["Answers", "Conflict", "Rules", "Spot", "StatedCondition", "TrenchLine", "WorkWindow", "find_conflicts"]

_NEAR_TRENCH_M = 2.0  # works this near share a trench (see `trenches`)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a provider puts something: a connection, a meter room. `what` is for the reader."""

    provider: str
    utility: str
    what: str
    location: Position | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class StatedCondition:
    """A coded condition of one provider's reply."""

    provider: str
    utility: str
    code: str


@dataclass(frozen=True, slots=True)
class WorkWindow:
    """The days a provider works, both included."""

    provider: str
    utility: str
    start_on: dt.date
    end_on: dt.date


@dataclass(frozen=True, slots=True)
class Answers:
    """What all providers of a case have answered so far."""

    lines: tuple[TrenchLine, ...] = ()
    spots: tuple[Spot, ...] = ()
    conditions: tuple[StatedCondition, ...] = ()
    windows: tuple[WorkWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """The city's tables."""

    spacings: tuple[Spacing, ...] = ()
    covers: tuple[Cover, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    orders: tuple[ConditionOrder, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    accuracy_m: float = 0.05
    same_place_m: float = 0.5


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing to settle. `kind`: beside, crossing, cover, place, window, order, condition; metres to a centimetre.

    `key` is the same as long as the same utilities conflict in the same way, whatever the figures.
    """

    kind: str
    utilities: tuple[str, ...]
    providers: tuple[str, ...]
    source: str
    about: str = ""
    measured_m: float | None = None
    required_m: float | None = None
    at: tuple[float, float] | None = None

    @property
    def key(self) -> str:
        """What it is called within its case."""
        return ":".join((self.kind, "-".join(self.utilities), *filter(None, (self.about,))))[:120]


def find_conflicts(answers: Answers, rules: Rules) -> tuple[Conflict, ...]:
    """Everything that cannot be carried out together, each pair of utilities once a kind, in a fixed order."""
    found = list(_line_conflicts(answers.lines, rules))
    found += _same_places(answers.spots, rules.same_place_m)
    found += _excluded_windows(answers, rules.exclusions)
    found += _circular_orders(answers.conditions, rules.orders)
    found += _contradictions(answers.conditions, rules.contradictions)
    return tuple(sorted(_merged(found), key=lambda conflict: (conflict.kind, conflict.key)))


def _merged(found: Iterable[Conflict]) -> list[Conflict]:
    """One finding a key: the worst measure, and the providers of all."""
    by_key: dict[str, Conflict] = {}
    for conflict in found:
        old = by_key.get(conflict.key)
        if old is None:
            by_key[conflict.key] = conflict
            continue
        worse = min(old, conflict, key=lambda one: (one.measured_m or 0.0, one.at or (0.0, 0.0)))
        providers = tuple(sorted({*old.providers, *conflict.providers}))
        by_key[conflict.key] = Conflict(
            worse.kind,
            worse.utilities,
            providers,
            worse.source,
            worse.about,
            worse.measured_m,
            worse.required_m,
            worse.at,
        )
    return list(by_key.values())


def _line_conflicts(lines: Sequence[TrenchLine], rules: Rules) -> Iterator[Conflict]:
    for found in find_line_conflicts(lines, rules.spacings, rules.covers, accuracy_m=rules.accuracy_m):
        yield _of_lines(found)


def _of_lines(found: Found) -> Conflict:
    order = sorted({(line.utility, line.provider) for line in found.lines})
    return Conflict(
        kind=found.kind,
        utilities=tuple(dict.fromkeys(utility for utility, _ in order)),
        providers=tuple(sorted(provider for _, provider in order)),
        source=found.source,
        measured_m=round(found.measured_m, 2),
        required_m=found.required_m,
        at=found.at,
    )


def _same_places(spots: Sequence[Spot], same_place_m: float) -> Iterator[Conflict]:
    for a, b in combinations(sorted(spots, key=lambda spot: (spot.utility, spot.provider, spot.what)), 2):
        if a.utility == b.utility or not _is_same_place(a, b, same_place_m):
            continue
        near = None if a.location is None or b.location is None else round(metres_between(a.location, b.location), 2)
        yield Conflict(
            kind="place",
            utilities=(a.utility, b.utility),
            providers=tuple(sorted((a.provider, b.provider))),
            source="同一位置不能布置两个专业的接入点或者表间",
            measured_m=near,
            required_m=None if near is None else same_place_m,
            at=None if a.location is None else (a.location[0], a.location[1]),
        )


def _is_same_place(a: Spot, b: Spot, same_place_m: float) -> bool:
    if a.location is not None and b.location is not None:
        return metres_between(a.location, b.location) < same_place_m
    return bool(_plain(a.description)) and _plain(a.description) == _plain(b.description)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _excluded_windows(answers: Answers, exclusions: Sequence[Exclusion]) -> Iterator[Conflict]:
    lines = {line.provider: line for line in answers.lines}
    for a, b in combinations(sorted(answers.windows, key=lambda window: (window.utility, window.provider)), 2):
        rule = next((rule for rule in exclusions if {rule.a, rule.b} == {a.utility, b.utility}), None)
        if rule is None or a.end_on < b.start_on or b.end_on < a.start_on:
            continue
        if a.provider in lines and b.provider in lines:
            if lines[a.provider].distance_to(lines[b.provider]) > _NEAR_TRENCH_M:
                continue
            yield Conflict("window", (a.utility, b.utility), tuple(sorted((a.provider, b.provider))), rule.why)


def _circular_orders(conditions: Sequence[StatedCondition], orders: Sequence[ConditionOrder]) -> Iterator[Conflict]:
    """Utilities that wait for each other in a circle: nobody could be the first."""
    after = {order.code: order.after for order in orders}
    taking_part = {condition.utility for condition in conditions}
    waits: dict[str, set[str]] = {}
    for condition in conditions:
        if condition.code in after:
            waits.setdefault(condition.utility, set()).add(after[condition.code])
    reached = {utility: _reached_from(utility, waits) for utility in waits}
    told: set[str] = set()
    for utility in sorted(waits):
        circle = sorted(u for u in reached[utility] if utility in reached.get(u, ()))
        if utility not in reached[utility] or utility in told:
            continue
        told |= set(circle)
        assert set(circle) <= taking_part
        involved = {c.provider for c in conditions if c.utility in circle and after.get(c.code) in circle}
        yield Conflict("order", tuple(circle), tuple(sorted(involved)), "接通先后的条件互相等待，谁也不能先接通")


def _reached_from(utility: str, waits: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(waits.get(utility, ()))
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead.extend(waits.get(one, ()))
    return reached


def _contradictions(conditions: Sequence[StatedCondition], pairs: Sequence[Contradiction]) -> Iterator[Conflict]:
    for pair in pairs:
        for a in conditions:
            for b in conditions:
                if (a.code, b.code) == (pair.a, pair.b) and a.provider != b.provider:
                    yield Conflict(
                        "condition",
                        tuple(sorted({a.utility, b.utility})),
                        tuple(sorted((a.provider, b.provider))),
                        pair.why,
                        about=f"{pair.a}/{pair.b}",
                    )
