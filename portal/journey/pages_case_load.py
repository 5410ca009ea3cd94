"""All rows that a case page needs, loaded in sets: the number of queries does not depend on how many take part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import (
    CaseEvent,
    Confirmation,
    ConnectionPoint,
    Contract,
    Decision,
    Drawing,
    JointReply,
    Pause,
    Question,
    QuoteChange,
    Task,
    Track,
    VisitProposal,
    VisitRound,
)
from portal.cases.tables.conflict import AnswerConflict
from portal.catalog.calendar import Calendar
from portal.catalog.model import Catalog
from portal.catalog.queries import calendar_of
from portal.journey.case_files import LIVE, CaseFile

_AT_WORK = ("issued", "received", "working")


@dataclass(frozen=True, slots=True)
class TaskClocks:
    """What lights and turns of a set of tasks need: the calendar, all their pauses, the tasks being decided on."""

    calendar: Calendar
    pauses: dict[str, list[Pause]]  # by task id, oldest first
    undecided: frozenset[str]  # ids of tasks that wait for the lead agency
    undrawn: frozenset[str]  # ids of review tasks that wait for the applicant's first drawing
    choosing: frozenset[str] = frozenset()  # ids of survey tasks whose time the applicant has to choose

    def light(self, task: Task, track: Track | None, at: dt.datetime) -> str:
        """green, yellow or red; a task without a limit is always green."""
        if task.due_at is None:
            return "green"
        return deadlines.light(
            self.calendar,
            issued_at=task.issued_at,
            due_at=task.due_at,
            limit_days=track.limits.get(task.stage, 1) if track else 1,
            now=at,
            pauses=self._spans(task),
            ended_at=task.ended_at,
        )

    def due_at(self, task: Task, at: dt.datetime) -> dt.datetime | None:
        """When the task is due, put off by its pauses."""
        if task.due_at is None:
            return None
        spans = self._spans(task)
        return deadlines.moved_due_at(
            self.calendar, issued_at=task.issued_at, due_at=task.due_at, now=task.ended_at or at, pauses=spans
        )

    def turn(self, task: Task) -> str:
        """Who acts next on a task: `applicant`, `agency`, `provider:<code>` or `portal`."""
        if task.id in self.undrawn | self.choosing:
            return "applicant"
        paused = next((p.reason for p in reversed(self.pauses.get(task.id, [])) if p.end_at is None), None)
        return workflow.whose_turn(
            task.state,
            task.provider,
            pause_reason=paused,
            decision_open=task.id in self.undecided,
            is_office=task.track_id is None,
        )

    def _spans(self, task: Task) -> list[deadlines.PauseSpan]:
        return [deadlines.PauseSpan(p.start_at, p.end_at) for p in self.pauses.get(task.id, [])]


def load_clocks(session: Session, tasks: Collection[Task]) -> TaskClocks:
    """Pauses, open decisions and missing drawings of these tasks, and the city's calendar."""
    ids = [task.id for task in tasks]
    pauses: dict[str, list[Pause]] = {}
    for pause in session.scalars(select(Pause).where(Pause.task_id.in_(ids)).order_by(Pause.start_at)):
        pauses.setdefault(pause.task_id, []).append(pause)
    undecided = session.scalars(select(Decision.task_id).where(Decision.task_id.in_(ids), Decision.state == "open"))
    reviews = [task for task in tasks if task.stage == "review" and task.state in _AT_WORK]
    query = select(Drawing.case_id, Drawing.provider).where(Drawing.case_id.in_({task.case_id for task in reviews}))
    drawn = {(case_id, provider) for case_id, provider in session.execute(query.distinct())} if reviews else set()
    undrawn = frozenset(task.id for task in reviews if (task.case_id, task.provider) not in drawn)
    return TaskClocks(calendar_of(session), pauses, frozenset(undecided), undrawn, _choosing(session, tasks))


def _choosing(session: Session, tasks: Collection[Task]) -> frozenset[str]:
    surveys = [t for t in tasks if t.stage == "survey" and t.state in _AT_WORK and "availability" in t.result]
    if not surveys:
        return frozenset()
    cases = {task.case_id for task in surveys}
    query = select(VisitRound.case_id).where(VisitRound.state == "offered", VisitRound.case_id.in_(cases))
    offered = set(session.scalars(query))
    return frozenset(task.id for task in surveys if task.case_id in offered)


@dataclass(frozen=True, slots=True)
class CaseRows:
    """The rows beside the case's own."""

    clocks: TaskClocks
    events: list[CaseEvent]
    questions: list[Question]
    replies: list[JointReply]
    chosen: dict[str, str]  # provider -> code of the option confirmed
    contracts: list[Contract]
    drawings: list[Drawing]
    points: list[ConnectionPoint]
    quotes: list[QuoteChange]  # changed quotes that wait for the applicant
    visit_round: VisitRound | None  # the round that waits for the applicant
    proposals: list[VisitProposal]  # and what it offers, the best first
    is_in_conflict: bool  # whether answers wait to be settled between providers

    def open_questions(self, task: Task) -> list[Question]:
        """The questions of a task that wait for an answer."""
        return [q for q in self.questions if q.task_id == task.id and q.state == "asked"]


def load_rows(session: Session, file: CaseFile) -> CaseRows:
    """Everything hanging on the case, each kind in one query."""
    case_id = file.case.id
    confirmed = session.scalars(select(Confirmation).where(Confirmation.case_id == case_id))
    offered = (VisitProposal.case_id == case_id, VisitProposal.state == "offered")
    rounds = select(VisitRound).where(VisitRound.case_id == case_id, VisitRound.state == "offered")
    unsettled = select(AnswerConflict.id).where(AnswerConflict.case_id == case_id, AnswerConflict.state == "open")
    return CaseRows(
        clocks=load_clocks(session, file.tasks.values()),
        events=list(session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq))),
        questions=list(
            session.scalars(
                select(Question).where(Question.case_id == case_id).order_by(Question.created_at, Question.id)
            )
        ),
        replies=list(
            session.scalars(select(JointReply).where(JointReply.case_id == case_id).order_by(JointReply.part))
        ),
        chosen={row.provider: row.option_code for row in confirmed},
        contracts=_contracts(session, file),
        drawings=list(
            session.scalars(
                select(Drawing).where(Drawing.case_id == case_id).order_by(Drawing.provider, Drawing.version)
            )
        ),
        points=list(
            session.scalars(
                select(ConnectionPoint)
                .where(ConnectionPoint.case_id == case_id)
                .order_by(ConnectionPoint.provider, ConnectionPoint.account_no, ConnectionPoint.meter_no)
            )
        ),
        quotes=_quotes(session, file),
        visit_round=session.scalars(rounds).first(),
        is_in_conflict=session.scalars(unsettled).first() is not None,
        proposals=list(session.scalars(select(VisitProposal).where(*offered).order_by(VisitProposal.rank))),
    )


def _contracts(session: Session, file: CaseFile) -> list[Contract]:
    """What is signed, and what providers that are still part of the case want signed."""
    rows = session.scalars(select(Contract).where(Contract.case_id == file.case.id).order_by(Contract.provider))
    return [row for row in rows if row.signed_at is not None or file.tracks[row.provider].state in LIVE]


def _quotes(session: Session, file: CaseFile) -> list[QuoteChange]:
    rows = session.scalars(select(QuoteChange).where(QuoteChange.case_id == file.case.id, QuoteChange.state == "open"))
    return [row for row in rows if file.tracks[row.provider].state == "open"]


def names_in(catalog: Catalog) -> dict[str, str]:
    """Short names of all providers and offices of the city, by code."""
    return {o.code: o.name for o in catalog.offices} | {p.code: p.short_name for p in catalog.providers}
