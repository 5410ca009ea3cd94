"""The supervisor's page: open cases with the reddest first, and how each provider stands."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from portal.cases import deadlines
from portal.cases.tables import Application, Case, Task, Track
from portal.catalog.queries import current_catalog
from portal.journey.pages_case_load import TaskClocks, load_clocks, names_in
from portal.journey.pages_staff import ENDED_STATES, PAGE_SIZE, Paged, offset_of, turn_name
from portal.kernel.database import db
from portal.kernel.policy import Actor, require


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One open case. `lights`: its open tasks by light; `turns`: who acts next; `days`: working days since intake."""

    case_no: str
    applicant: str
    project: str
    stage: str
    lights: dict[str, int]
    turns: tuple[str, ...]
    days: float
    due_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """One provider or office: its open tasks, and how many of them are yellow and red."""

    name: str
    open: int
    yellow: int
    red: int


@dataclass(frozen=True, slots=True)
class OversightBoard:
    """`lights`: open tasks of all open cases by light."""

    cases: Paged
    providers: tuple[ProviderLine, ...]
    lights: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Seen:
    task: Task
    light: str
    turn: str
    due_at: dt.datetime | None


def oversight_board(actor: Actor, *, at: dt.datetime, page: int) -> OversightBoard:
    """Every open case with its lights at `at`; a fixed number of queries. Raises NotAllowed."""
    require(actor, "oversight.view")
    session = db.session()
    names = names_in(current_catalog(session))
    cases = session.execute(
        select(Case, Application).join(Application, Application.id == Case.application_id).where(Case.state == "open")
    ).all()
    found = session.execute(
        select(Task, Track)
        .outerjoin(Track, Track.id == Task.track_id)
        .join(Case, Case.id == Task.case_id)
        .where(Case.state == "open", Task.state.not_in(ENDED_STATES))
    ).all()
    clocks = load_clocks(session, [task for task, _ in found])
    seen = [_Seen(t, clocks.light(t, track, at), clocks.turn(t), clocks.due_at(t, at)) for t, track in found]
    by_case: dict[str, list[_Seen]] = {}
    for one in seen:
        by_case.setdefault(one.task.case_id, []).append(one)
    lines = [_case_line(case, application, by_case.get(case.id, []), clocks, names, at) for case, application in cases]
    lines.sort(key=lambda line: (-line.lights["red"], -line.lights["yellow"], -line.days, line.case_no))
    start = offset_of(page)
    shown = Paged(tuple(lines[start : start + PAGE_SIZE]), max(page, 1), len(lines))
    return OversightBoard(shown, _providers(seen, names), _lights(seen))


def _lights(seen: Iterable[_Seen]) -> dict[str, int]:
    counts = Counter(one.light for one in seen)
    return {light: counts[light] for light in ("red", "yellow", "green")}


def _case_line(
    case: Case,
    application: Application,
    seen: list[_Seen],
    clocks: TaskClocks,
    names: dict[str, str],
    at: dt.datetime,
) -> CaseLine:
    # Without an open task the case waits for the applicant: to confirm, to sign or to pay.
    turns = sorted({turn_name(one.turn, names) for one in seen}) or ["申请人"]
    return CaseLine(
        case_no=case.case_no,
        applicant=application.body["applicant"]["name"],
        project=application.body["project"]["name"],
        stage=case.stage,
        lights=_lights(seen),
        turns=tuple(turns),
        days=round(float(deadlines.used_days(clocks.calendar, case.accepted_at, at)), 1),
        due_at=min((one.due_at for one in seen if one.due_at), default=None),
    )


def _providers(seen: Iterable[_Seen], names: dict[str, str]) -> tuple[ProviderLine, ...]:
    by_code: dict[str, list[_Seen]] = {}
    for one in seen:
        by_code.setdefault(one.task.provider, []).append(one)
    lines = []
    for code, own in by_code.items():
        lights = _lights(own)
        lines.append(ProviderLine(names.get(code, code), len(own), lights["yellow"], lights["red"]))
    return tuple(sorted(lines, key=lambda line: (-line.red, -line.yellow, -line.open, line.name)))
