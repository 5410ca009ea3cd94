"""What the API answers, as the models the answers are made from: the description shows these and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.exchange.wire import TaskDocument

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Hex digest of the bytes as stored")]
Fen = Annotated[int, Field(description="Amount in fen")]


class Body(BaseModel):
    """An answer: fixed fields, ready to be written as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return self.model_dump(mode="json")


class ProblemField(Body):
    """One wrong field: its dotted path ("" for the whole), what to do, and a stable code."""

    field: str
    message: str
    code: str


class Problem(BaseModel):
    """A refusal (RFC 9457). Further members tell what is true now, as `task` and `expects` of a 409."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField] | None = None


class NotServed(BaseModel):
    """A utility without a network near the site, and what can be had instead."""

    model_config = ConfigDict(extra="allow", frozen=True)

    utility: str


class OwedPaper(BaseModel):
    """A paper that may follow later: what it is and by when it is due."""

    model_config = ConfigDict(extra="allow", frozen=True)


class FilingNote(BaseModel):
    """Something the clerk will look at; nothing is asked of the filer."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Filed(Body):
    """An application is filed. `case_no` is there once it is accepted; `owed_bytes` are papers named without bytes."""

    application_no: str
    case_no: str | None
    status_url: str
    query_code: str
    not_served: list[NotServed]
    notes: list[FilingNote]
    owed: list[OwedPaper]
    owed_bytes: list[str]


class CorrectionAsked(Body):
    """One thing to be mended in the application."""

    field: str
    message: str


class ApplicationStatus(Body):
    """Where an application stands."""

    application_no: str
    state: str
    case_no: str | None
    stage: str | None
    filed_at: str
    corrections: list[CorrectionAsked]
    not_served: list[NotServed]


class MaterialStored(Body):
    """A paper is stored; `material_id` is what `materials.*.file` of an application takes."""

    material_id: str
    sha256: Sha256


class TaskPage(Body):
    """Tasks as they changed; `next` is the cursor to go on with, also when there was nothing."""

    items: list[TaskDocument]
    next: str


class ReportAnswer(Body):
    """A report is applied; the task as it is now."""

    report_id: str
    task: TaskDocument


class Ping(Body):
    """The key is good. `at` is business time, `wire_at` real time (signatures are measured against it)."""

    ok: Literal[True] = True
    holder: str
    name: str
    at: str
    wire_at: str


class Code(BaseModel):
    """One code of a group (reason, question, pause, condition, permit, inspection) with its texts."""

    model_config = ConfigDict(extra="allow", frozen=True)

    group: str
    code: str
    text: str


class Codes(Body):
    """All codes a report may carry."""

    items: list[Code]


class FeeItemAnswer(Body):
    """A fee item of this provider: one price, or a range up to `max_price_fen`."""

    code: str
    title: str
    unit: str
    price_fen: Fen
    max_price_fen: int | None
    vat_rate: str
    basis: str
    state: str
    boundary: str
    payer: str
    version: str


class FeeItems(Body):
    """The published items of one day."""

    on: str
    items: list[FeeItemAnswer]


class SettlementAnswer(Body):
    """One provider's money of one day and rail; net = gross − fee."""

    settlement_id: str
    number: str
    provider: str
    rail: str
    day: str
    state: str
    count: int
    gross_fen: Fen
    fee_fen: Fen
    net_fen: Fen
    currency: Literal["CNY"]
    reconciled_at: str | None


class Settlements(Body):
    """This provider's settlements, newest day first."""

    items: list[SettlementAnswer]


class WorksShape(Body):
    """A GeoJSON line, lon/lat in EPSG:4490."""

    type: Literal["LineString"]
    coordinates: list[list[float]]


class WorksFeature(BaseModel):
    """One line of works. `properties` tell whose, when and, where `is_exact` and joint, utility and `depth_m`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["Feature"]
    geometry: WorksShape
    properties: dict[str, Any]


class WorksCollection(Body):
    """Works that are not over."""

    type: Literal["FeatureCollection"]
    features: list[WorksFeature]


ANSWERS: tuple[type[BaseModel], ...] = (
    Problem,
    Filed,
    ApplicationStatus,
    MaterialStored,
    TaskPage,
    ReportAnswer,
    Ping,
    Codes,
    FeeItems,
    SettlementAnswer,
    Settlements,
    WorksCollection,
)
