"""One case with its tracks and tasks, loaded once and locked, and what the pure rules see of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.queries import is_bill_paid, is_paid_for
from portal.cases import workflow
from portal.cases.tables import Application, Case, CaseEvent, Confirmation, Contract, Task, Track, Visit
from portal.catalog.model import Catalog, ServiceLevel
from portal.catalog.queries import catalog_of
from portal.kernel.clock import local_date
from portal.kernel.errors import NotFound

LIVE = ("open", "done")


@dataclass(slots=True)
class CaseFile:
    """The rows of one case inside a transaction. Not for use outside `journey`."""

    case: Case
    application: Application
    tracks: dict[str, Track]  # by provider code
    tasks: dict[tuple[str, str], Task]  # by (provider code, stage)
    catalog: Catalog

    @property
    def body(self) -> dict[str, Any]:
        """The application as filed."""
        return self.application.body

    def place_of(self, provider: str) -> tuple[int, str]:
        """Sort key of a provider wherever people read: 水电气暖网, then by code."""
        order: list[str] = [utility.code for utility in self.catalog.utilities]
        return order.index(self.tracks[provider].utility), provider

    def live_tracks(self) -> list[Track]:
        """Tracks still part of the joint process, as people read them."""
        return [self.tracks[p] for p in sorted(self.tracks, key=self.place_of) if self.tracks[p].state in LIVE]

    def answer_of(self, provider: str) -> Task | None:
        """The task with which a provider answers: its reply, or the earlier one at which it left (不予办理)."""
        if (task := self.tasks.get((provider, "reply"))) is not None or self.tracks[provider].state != "declined":
            return task
        own = (self.tasks.get((provider, stage)) for stage in workflow.TRACK_STAGES)
        return next((task for task in own if task is not None and task.state == "declined"), None)

    def stage_tasks(self, stage: str) -> list[Task]:
        """The tasks of one stage that were not withdrawn, as people read them; permits by kind."""
        tasks = [t for (_, s), t in sorted(self.tasks.items()) if s == stage and t.state != "withdrawn"]
        return sorted(tasks, key=lambda t: self.place_of(t.provider)) if stage in workflow.TRACK_STAGES else tasks


def load_case(
    session: Session, *, case_no: str | None = None, case_id: str | None = None, lock: bool = True
) -> CaseFile:
    """Load a case; with `lock` other writers of the same case wait (on SQLite the whole transaction is the lock).

    Raises NotFound.
    """
    query = select(Case).where(Case.case_no == case_no if case_no is not None else Case.id == case_id)
    case = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if case is None:
        raise NotFound
    application = session.get_one(Application, case.application_id)
    tracks = session.scalars(select(Track).where(Track.case_id == case.id)).all()
    tasks = session.scalars(select(Task).where(Task.case_id == case.id)).all()
    return CaseFile(
        case=case,
        application=application,
        tracks={t.provider: t for t in tracks},
        tasks={(t.provider, t.stage): t for t in tasks},
        catalog=catalog_of(session, case.catalog_version),
    )


def case_events(session: Session, case_id: str, kind: str) -> list[CaseEvent]:
    """All timeline rows of one kind, oldest first."""
    query = select(CaseEvent).where(CaseEvent.case_id == case_id, CaseEvent.kind == kind).order_by(CaseEvent.seq)
    return list(session.scalars(query))


def view_of(session: Session, file: CaseFile) -> workflow.CaseView:
    """The case as the pure rules see it.

    A provider whose reply came after the others were confirmed stays at its reply until its own part is confirmed:
    to the rules its reply task is still at work.
    """
    case = file.case
    confirmed = set(session.scalars(select(Confirmation.provider).where(Confirmation.case_id == case.id)))
    signed = set(
        session.scalars(select(Contract.provider).where(Contract.case_id == case.id, Contract.signed_at.is_not(None)))
    )
    permits = [task for task in file.tasks.values() if task.stage == "permits"]
    cleared = {p for p in signed if is_paid_for(session, case.id, p)}
    tracks = [
        _track_view(
            file,
            track,
            confirmed=case.confirmed_at is None or provider in confirmed,
            cleared=provider in cleared,
            may_dig=is_paid_for(session, case.id, provider, before="works"),
        )
        for provider, track in sorted(file.tracks.items())
    ]
    return workflow.CaseView(
        tracks=tuple(tracks),
        confirmed=case.confirmed_at is not None,
        permits_needed=bool(case_events(session, case.id, "permits_needed")),
        permits_done=bool(permits) and all(task.state == "done" for task in permits),
        released_stages={},
    )


def _track_view(file: CaseFile, track: Track, *, confirmed: bool, cleared: bool, may_dig: bool) -> workflow.TrackView:
    tasks = {
        stage: workflow.TaskView(stage=stage, state=file.tasks[track.provider, stage].state)
        for stage in track.stages
        if (track.provider, stage) in file.tasks
    }
    if not confirmed and track.state == "open" and "reply" in tasks and tasks["reply"].state == "done":
        tasks["reply"] = workflow.TaskView(stage="reply", state="working")
    return workflow.TrackView(
        id=track.id,
        provider=track.provider,
        stages=tuple(track.stages),
        state=track.state,
        split_off=frozenset(track.split_off),
        tasks=tasks,
        cleared=cleared,
        may_dig=may_dig,
    )


def visits_of(session: Session, case_id: str) -> list[Visit]:
    """The visits that are fixed or done, the earliest first; as a rule there is one."""
    query = select(Visit).where(Visit.case_id == case_id, Visit.state != "cancelled")
    return list(session.scalars(query.order_by(Visit.start_at, Visit.round)))


def visit_for(session: Session, task: Task) -> Visit | None:
    """The visit a survey task's provider comes to.

    Whoever was passed by, or has been called to the site only since, comes by itself: the newest visit stands for it,
    unless that had begun before it was called (a corrected line): nobody was there for it, so it needs its own.
    """
    visits = visits_of(session, task.case_id)
    own = [visit for visit in visits if task.provider in visit.providers]
    if own or not visits:
        return own[-1] if own else None
    track = session.get_one(Track, task.track_id) if task.track_id else None
    is_called = "availability" not in task.result and task.issued_at < visits[-1].start_at
    is_alone = is_called or (track is not None and "survey" in track.split_off)
    return visits[-1] if is_alone else None


def confirmed_options(session: Session, case_id: str) -> dict[str, dict[str, Any]]:
    """Provider → the option the applicant confirmed."""
    rows = session.scalars(select(Confirmation).where(Confirmation.case_id == case_id))
    return {row.provider: row.option for row in rows}


def level_of(file: CaseFile, track: Track) -> ServiceLevel:
    """The service level the track was opened under."""
    return file.catalog.level(track.utility, track.service_level)


def level_facts(body: dict[str, Any], utility: str, *, outside_line_m: float | None = None) -> dict[str, Any]:
    """What the catalog needs to choose a service level: the utility's own section and a few shared facts.

    `outside_line_m` replaces the applicant's estimate once a provider has checked it; metres.
    """
    section = dict(body["utilities"][utility])
    section["kind"] = section.get("kind") or body["kind"]
    estimate = body["site"].get("outside_line_estimate_m")
    section["outside_line_m"] = estimate if outside_line_m is None else outside_line_m
    section["applicant_kind"] = body["applicant"]["kind"]
    section["enterprise_scale"] = body["applicant"].get("enterprise_scale")
    return section


def bill_is_paid(session: Session, file: CaseFile) -> bool:
    """Whether nothing is owed on the case's bill (a bill of zero counts as paid)."""
    return is_bill_paid(session, file.case.id)


def day_code(at: dt.datetime) -> str:
    """`yymmdd` of a business time, for numbers."""
    return local_date(at).strftime("%y%m%d")
