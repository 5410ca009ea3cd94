"""The applicant's own cases, and the applications that are still at the counter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.queries import unpaid_cases
from portal.cases import workflow
from portal.cases.tables import Application, Case, Contract, Question, Task, Track
from portal.catalog.queries import catalog_of
from portal.journey.pages_case_load import TaskClocks, load_clocks, names_in
from portal.journey.pages_case_progress import APPLICANT, turn_words
from portal.kernel.database import db
from portal.kernel.policy import Actor, require

_LIGHT_ORDER = ("green", "yellow", "red")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in the list; `light` is the worst of what is under way, None when nothing is."""

    case_no: str
    project: str
    applicant: str
    state: str
    stage: str
    light: str | None
    turn: str
    is_mine: bool
    accepted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application that has no case yet."""

    application_no: str
    project: str
    state: str
    filed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnCases:
    """What the list page shows, newest first."""

    cases: tuple[CaseLine, ...]
    applications: tuple[ApplicationLine, ...]


def own_cases(actor: Actor, at: dt.datetime) -> OwnCases:
    """The cases and open applications of everybody `actor` acts for. Raises NotSignedIn."""
    require(actor, "application.list")
    session, subjects = db.session(), sorted(actor.subject_ids)
    query = select(Case, Application).join(Application, Application.id == Case.application_id)
    found = session.execute(
        query.where(Case.subject_id.in_(subjects)).order_by(Case.accepted_at.desc(), Case.case_no.desc())
    ).all()
    waiting = session.scalars(
        select(Application)
        .where(Application.subject_id.in_(subjects), Application.state.in_(("filed", "returned")))
        .order_by(Application.filed_at.desc(), Application.application_no.desc())
    )
    applications = tuple(
        ApplicationLine(row.application_no, row.body["project"]["name"], row.state, row.filed_at) for row in waiting
    )
    return OwnCases(_lines(session, [(case, application) for case, application in found], at), applications)


def _lines(session: Session, pairs: Sequence[tuple[Case, Application]], at: dt.datetime) -> tuple[CaseLine, ...]:
    ids = [case.id for case, _ in pairs]
    tasks = list(session.scalars(select(Task).where(Task.case_id.in_(ids), Task.state.not_in(workflow.ENDED))))
    tracks = {track.id: track for track in session.scalars(select(Track).where(Track.case_id.in_(ids)))}
    clocks = load_clocks(session, tasks) if tasks else None
    mine = _waiting_on_applicant(session, ids)
    return tuple(
        _line(session, case, application, [t for t in tasks if t.case_id == case.id], tracks, clocks, mine, at)
        for case, application in pairs
    )


def _waiting_on_applicant(session: Session, ids: Sequence[str]) -> set[str]:
    """Cases with something to answer, sign or pay."""
    asked = session.scalars(select(Question.case_id).where(Question.case_id.in_(ids), Question.state == "asked"))
    is_live = (Track.case_id == Contract.case_id) & (Track.provider == Contract.provider) & (Track.state != "declined")
    unsigned = session.scalars(
        select(Contract.case_id).join(Track, is_live).where(Contract.case_id.in_(ids), Contract.signed_at.is_(None))
    )
    return {*asked, *unsigned, *unpaid_cases(session, ids)}


def _line(
    session: Session,
    case: Case,
    application: Application,
    tasks: Sequence[Task],
    tracks: dict[str, Track],
    clocks: TaskClocks | None,
    mine: set[str],
    at: dt.datetime,
) -> CaseLine:
    turns = {clocks.turn(task) for task in tasks} if clocks else set()
    if case.id in mine or case.stage == "confirm":
        turns.add(APPLICANT)
    lights = [clocks.light(task, tracks.get(task.track_id or ""), at) for task in tasks] if clocks else []
    names = names_in(catalog_of(session, case.catalog_version))
    return CaseLine(
        case_no=case.case_no,
        project=application.body["project"]["name"],
        applicant=application.body["applicant"]["name"],
        state=case.state,
        stage=case.stage,
        light=max(lights, key=_LIGHT_ORDER.index, default=None),
        turn=turn_words(turns, names, reader="您") if case.state == "open" else "已办结",
        is_mine=case.state == "open" and APPLICANT in turns,
        accepted_at=case.accepted_at,
    )
