"""Players of a whole case: the applicant, the clerk, the lead agency and every provider, through the use cases alone.

Each provider reads its task document and answers what `expects` asks for with the least that is valid.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

import portal.catalog
from portal.cases.tables import Case, CaseEvent, Decision, JointReply, Task, Track, Visit, VisitProposal
from portal.catalog.reading import load_catalog
from portal.exchange.tables import OutboxMessage
from portal.journey import case_files, clocks, connection, contracts, decisions, records, reply, review, visit_choices
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.journey.reports import Answer, submit_desk_report, submit_report
from portal.journey.setting_up import set_up_city
from portal.journey.task_documents import task_document
from portal.kernel.database import db
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor
from providers.simulator.sample_pdf import sample_pdf
from tests.conftest import AT
from tests.journey.plays import PLAYS

CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
SAMPLES = Path(__file__).parents[1] / "samples" / "applications"
RESTAURANT, MILL, HOSPITAL = (
    "02-street-restaurant-no-outside-line",
    "03-sunflower-mill-power-water-network",
    "04-county-hospital-dual-source",
)
OPEN = ("issued", "received", "working")
CLERK = Actor(kind="person", id="clerk-1", name="窗口一", roles=frozenset({"clerk"}))
AGENCY = Actor(kind="person", id="agency-1", name="牵头", roles=frozenset({"lead_agency"}))
SUPERVISOR = Actor(kind="person", id="super-1", name="督查", roles=frozenset({"supervisor"}))


def staff_of(provider: str) -> Actor:
    """Somebody at the provider's desk."""
    roles = frozenset({"provider_staff"})
    return Actor(kind="person", id=f"staff-{provider}", name="经办", roles=roles, provider_code=provider)


def system_of(provider: str) -> Actor:
    """The provider's own system with its key."""
    scopes = frozenset({"tasks", "reports"})
    return Actor(kind="provider", id=f"key-{provider}", name=provider, provider_code=provider, scopes=scopes)


@dataclass
class CaseWalk:
    """One case on its way. `at` is business time and moves on with each act; wire time is the same here."""

    sample: str
    outside_line_m: float = 0
    at: dt.datetime = AT
    case_no: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    takes_first_visit: bool = True  # the applicant accepts the best time as soon as it is offered

    def __post_init__(self) -> None:
        self.catalog = load_catalog(CITY)
        set_up_city(self.catalog, at=self.at)
        self.body = json.loads((SAMPLES / f"{self.sample}.json").read_text("utf-8"))
        self.subject = f"uscc:{self.body['applicant']['uscc']}"
        ids = frozenset({"applicant-1", self.subject})
        self.applicant = Actor(
            kind="person", id="applicant-1", name="申请人", roles=frozenset({"applicant"}), subject_ids=ids
        )

    def open(self, *, without: tuple[str, ...] = ()) -> CaseWalk:
        """File and accept; `without` leaves utilities out."""
        channel = self.body.pop("channel", "web")
        for utility in without:
            del self.body["utilities"][utility]
        filed = file_application(
            self.applicant,
            body=self.body,
            channel="web" if channel == "counter" else channel,
            subject_id=self.subject,
            idempotency_key=new_id(),
            at=self.at,
        )
        self.case_no = accept_application(CLERK, application_no=filed.application_no, at=self.at, wire_at=self.at)
        return self

    def pass_time(self, **span: float) -> None:
        self.at += dt.timedelta(**(span or {"minutes": 20}))

    # What is there now

    @property
    def case(self) -> Case:
        db.session.remove()
        return db.session.scalars(select(Case).where(Case.case_no == self.case_no)).one()

    def tracks(self) -> dict[str, Track]:
        return {row.provider: row for row in db.session.scalars(select(Track).where(Track.case_id == self.case.id))}

    def tasks(self, stage: str | None = None) -> list[Task]:
        query = select(Task).where(Task.case_id == self.case.id).order_by(Task.stage, Task.provider)
        return [task for task in db.session.scalars(query) if stage in (None, task.stage)]

    def task(self, provider: str, stage: str) -> Task:
        return next(task for task in self.tasks(stage) if task.provider == provider)

    def stages(self, provider: str) -> set[str]:
        return {task.stage for task in self.tasks() if task.provider == provider}

    def events(self, kind: str) -> list[CaseEvent]:
        query = select(CaseEvent).where(CaseEvent.case_id == self.case.id, CaseEvent.kind == kind)
        return list(db.session.scalars(query.order_by(CaseEvent.seq)))

    def replies(self) -> list[JointReply]:
        query = select(JointReply).where(JointReply.case_id == self.case.id).order_by(JointReply.part)
        return list(db.session.scalars(query))

    def visits(self) -> list[Visit]:
        return list(db.session.scalars(select(Visit).where(Visit.case_id == self.case.id)))

    def decisions(self) -> list[Decision]:
        query = select(Decision).where(Decision.case_id == self.case.id).order_by(Decision.opened_at)
        return list(db.session.scalars(query))

    def messages(self, kind: str) -> list[OutboxMessage]:
        query = select(OutboxMessage).where(OutboxMessage.case_id == self.case.id, OutboxMessage.kind == kind)
        return list(db.session.scalars(query))

    def record(self) -> dict[str, Any]:
        db.session.remove()
        return records.case_record(SUPERVISOR, case_no=self.case_no)

    def document(self, task: Task) -> dict[str, Any]:
        return task_document(db.session(), task.id, at=self.at)

    # What people do

    def report(self, task: Task, kind: str, **fields: Any) -> Mapping[str, Any]:
        """A report from the provider's desk; raises what the use case raises."""
        self.pass_time()
        body = self.report_body(task, kind, **fields)
        db.session.remove()
        staff = staff_of(task.provider)
        answer = submit_desk_report(staff, task_id=task.id, report=body, at=self.at, wire_at=self.at)
        self.take_offered_visit()
        return answer

    def proposals(self) -> list[VisitProposal]:
        query = select(VisitProposal).where(VisitProposal.case_id == self.case.id, VisitProposal.state == "offered")
        return list(db.session.scalars(query.order_by(VisitProposal.rank)))

    def take_offered_visit(self) -> None:
        if self.takes_first_visit and (offered := self.proposals()):
            self.choose_visit(offered[0].id)

    def choose_visit(self, proposal_id: str) -> None:
        db.session.remove()
        visit_choices.accept_proposal(
            self.applicant, case_no=self.case_no, proposal_id=proposal_id, at=self.at, wire_at=self.at
        )

    def report_body(self, task: Task, kind: str, **fields: Any) -> dict[str, Any]:
        head = {"kind": kind, "occurred_at": self.at.isoformat(), "revision": task.revision}
        return head | dict(PLAYS[kind](self, task) if kind in PLAYS else {}) | fields

    def send(self, actor: Actor, task: Task, body: Mapping[str, Any], *, message_id: str | None = None) -> Answer:
        """The same over the reports API, without its HTTP."""
        raw, path = json.dumps(body, ensure_ascii=False).encode(), f"/api/v1/tasks/{task.id}/reports"
        db.session.remove()
        answer = submit_report(
            actor, task_id=task.id, message_id=message_id or new_id(), path=path, raw=raw, at=self.at, wire_at=self.at
        )
        self.take_offered_visit()
        return answer

    def confirm(self) -> None:
        self.pass_time()
        offers = reply.open_offers(db.session(), case_files.load_case(db.session(), case_no=self.case_no, lock=False))
        db.session.remove()
        choices = {provider: options[0]["code"] for provider, options in offers.items()}
        reply.confirm_reply(self.applicant, case_no=self.case_no, choices=choices, at=self.at, wire_at=self.at)

    def sign(self) -> int:
        self.pass_time()
        db.session.remove()
        return contracts.sign_contracts(self.applicant, case_no=self.case_no, at=self.at, wire_at=self.at)

    def draw(self, provider: str, version: int = 1) -> str:
        self.pass_time()
        db.session.remove()
        return review.upload_drawing(
            self.applicant,
            case_no=self.case_no,
            provider=provider,
            kind="design_drawing",
            name="plan.pdf",
            content=sample_pdf("Plan", f"{provider} {version}"),
            at=self.at,
            wire_at=self.at,
        )

    def confirm_flow(self, task: Task) -> None:
        self.pass_time()
        db.session.remove()
        connection.confirm_flow(self.applicant, case_no=self.case_no, task_id=task.id, at=self.at, wire_at=self.at)

    def decide(self, verdict: str, note: str = "") -> None:
        """The lead agency decides the one thing before it."""
        self.pass_time()
        waiting = [row.id for row in self.decisions() if row.state == "open"]
        assert len(waiting) == 1, waiting
        db.session.remove()
        decisions.decide(AGENCY, decision_id=waiting[0], verdict=verdict, note=note, at=self.at, wire_at=self.at)
        self.take_offered_visit()

    def grant(self) -> None:
        """The permit office grants what it was asked."""
        self.pass_time()
        task = self.tasks("permits")[0]
        officer = Actor(
            kind="person", id="o1", name="许可", roles=frozenset({"lead_agency"}), office_code=task.provider
        )
        db.session.remove()
        decisions.grant_permit(officer, task_id=task.id, permit_no="LX-1", at=self.at, wire_at=self.at)

    def release_late(self) -> list[str]:
        case_id = self.case.id
        db.session.remove()
        late = clocks.release_late(case_id=case_id, at=self.at, wire_at=self.at)
        self.take_offered_visit()
        return late

    # Going on by itself

    def provide(self, *stages: str, but: tuple[str, ...] = ()) -> None:
        """Every provider but these works off its tasks of these stages as far as it can by itself."""
        for _round in range(20):
            moved = False
            for task in self.tasks():
                kind = self._next_report(task)
                if task.stage in stages and task.provider not in but and kind is not None:
                    self.report(task, kind)
                    moved = True
            if not moved:
                return
        raise AssertionError(f"{stages} do not end: {[(t.provider, t.stage, t.state) for t in self.tasks()]}")

    def _next_report(self, task: Task) -> str | None:
        fresh = self.task(task.provider, task.stage)
        if fresh.state not in OPEN or fresh.track_id is None:
            return None
        if fresh.stage == "survey" and "availability" in fresh.result and not self.visits():
            return None
        expected = self.document(fresh)["expects"]
        return next((kind for kind in expected if kind in PLAYS), None)

    def walk_to(self, end: str, *, but: tuple[str, ...] = ()) -> CaseWalk:
        """Everybody plays on until stage `end` is open (or the case is `closed`)."""
        for stage in ("survey", "reply", "confirm", "review", "permits", "works", "acceptance", "connection"):
            if stage == end:
                return self
            self.play(stage, but)
        return self

    def play(self, stage: str, but: tuple[str, ...] = ()) -> None:
        """Everybody does their part of one stage."""
        if stage == "confirm":
            self.confirm()
            self.sign()
        elif stage == "permits":
            for _permit in self.tasks("permits"):
                self.grant()
        else:
            self._hand_in_drawings(stage, but)
            self.provide(stage, but=but)
            self._confirm_flows(stage)

    def _hand_in_drawings(self, stage: str, but: tuple[str, ...]) -> None:
        for task in self.tasks(stage):
            if stage == "review" and task.state in OPEN and task.provider not in but:
                self.draw(task.provider)

    def _confirm_flows(self, stage: str) -> None:
        for task in self.tasks(stage):
            if stage == "connection" and task.state == "waiting_applicant":
                self.confirm_flow(task)
