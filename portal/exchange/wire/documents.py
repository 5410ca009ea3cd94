"""What the portal sends: the task document and the event around it. Receivers ignore fields they do not know."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from portal.exchange.wire.values import Instant

EVENT_TYPES = (
    "task.issued",
    "task.changed",
    "task.withdrawn",
    "task.reminded",
    "visit.fixed",
    "visit.cancelled",
    "reply.published",
    "drawing.uploaded",
    "works.planned",
    "payment.received",
    "settlement.paid",
    "test.ping",
)
EventType = Literal[
    "task.issued",
    "task.changed",
    "task.withdrawn",
    "task.reminded",
    "visit.fixed",
    "visit.cancelled",
    "reply.published",
    "drawing.uploaded",
    "works.planned",
    "payment.received",
    "settlement.paid",
    "test.ping",
]


class Message(BaseModel):
    """A value the portal sends; more fields may come."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Person(Message):
    """Whom to call."""

    name: str
    mobile: str | None = None


class ApplicantFacts(Message):
    """Whose case it is, as far as a provider may know before confirmation."""

    name: str
    kind: Literal["enterprise", "sole_trader", "institution", "person"]
    contact: Person
    site_contact: Person | None = None


class ProjectFacts(Message):
    """The project."""

    name: str
    code: str | None = None


class LonLat(Message):
    """Degrees, EPSG:4490."""

    lon: float
    lat: float


class SiteFacts(Message):
    """Where."""

    division: str
    address: str
    location: LonLat
    boundary: dict[str, Any] | None = None


class SharedFacts(Message):
    """What all providers of the case may know."""

    utilities: tuple[str, ...]
    visit: dict[str, Any] | None = None
    trench: dict[str, Any] | None = None


class MaterialLink(Message):
    """One paper of the application that this provider may read; `url` is a path of this portal."""

    kind: str
    url: str
    sha256: str


class PauseFacts(Message):
    """The pause the task is in."""

    reason_code: str
    since: Instant


class ServiceLevel(Message):
    """What the applicant was promised; `zero_investment`: inside the boundary the user pays nothing."""

    code: str
    title: str
    zero_investment: bool


class QuestionState(Message):
    """One question of this provider and its answer; `material` is the address of a paper handed in with it."""

    code: str
    text: str
    state: str
    answer: str | None
    material: str | None


class DrawingLink(Message):
    """One version of a drawing to be reviewed, oldest version first; review tasks only."""

    kind: str
    version: int
    sha256: str
    url: str


class AccountHolder(Message):
    """From confirmation on: in whose name the account is opened."""

    name: str
    uscc: str | None = None


class TaskDocument(Message):
    """One task as its provider sees it."""

    task_id: str
    revision: int
    case_no: str
    stage: str
    provider: str
    utility: str | None
    state: Literal[
        "issued", "received", "working", "waiting_applicant", "paused", "done", "declined", "withdrawn", "failed"
    ]
    issued_at: Instant
    due_at: Instant | None
    light: Literal["green", "yellow", "red"]
    paused: PauseFacts | None
    applicant: ApplicantFacts
    project: ProjectFacts
    site: SiteFacts
    part: dict[str, Any]
    shared_facts: SharedFacts
    materials: tuple[MaterialLink, ...]
    service_level: ServiceLevel | None = None
    questions: tuple[QuestionState, ...] = ()
    drawings: tuple[DrawingLink, ...] = ()
    expects: tuple[str, ...]
    account_holder: AccountHolder | None = None
    invoice: dict[str, Any] | None = None


class Event(Message):
    """What is pushed: `id` is the webhook-id; `data` of every task event is the task document."""

    type: EventType
    id: str
    occurred_at: Instant
    data: dict[str, Any]
