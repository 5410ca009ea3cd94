"""What the description says of each call beyond its route: query and headers, body and answer by model name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.cases.uploads import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Described:
    """One call. `bodies`: schema by media type; `answer` names a model, none for bytes; `errors`: its refusals."""

    summary: str
    answer: str | None = None
    status: int = 200
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: tuple[dict[str, Any], ...] = ()
    errors: tuple[int, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)
    is_public: bool = False


def ref(name: str) -> dict[str, Any]:
    """A reference to a schema of the description."""
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _header(name: str, text: str, schema: dict[str, Any], *, is_required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": is_required, "schema": schema, "description": text}


_ID = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[!-\-/-~]+$"}
_STAMP = {"type": "string", "pattern": "^[0-9]{1,12}$"}
_SEAL = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[!-~ ]+$"}
_DAY = {"type": "string", "format": "date"}
_BYTES = {"type": "string", "format": "binary", "maxLength": MAX_BYTES}


def _signature(*, is_required: bool) -> tuple[dict[str, Any], ...]:
    more = "" if is_required else " Needed from providers; a government portal does not sign."
    return (
        _header(
            "webhook-id",
            "Idempotency key, no dots: same id and body → the first answer again; other body or path → 422." + more,
            _ID,
            is_required=is_required,
        ),
        _header(
            "webhook-timestamp", "Unix seconds, at most 300 s from the portal's time.", _STAMP, is_required=is_required
        ),
        _header(
            "webhook-signature",
            "`v1,` and the base64 HMAC-SHA256 over id.timestamp.body with your whsec_ secret.",
            _SEAL,
            is_required=is_required,
        ),
    )


_KEY = _header(
    "Idempotency-Key",
    "Made by the caller; same key and body → the first answer again, other body → 422, in flight → 409. A provider's "
    "hall signs the call instead: its `webhook-id` is the key.",
    {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    is_required=False,
)
_STATES = "issued received working waiting_applicant paused done declined withdrawn failed"
_STAGES = "survey reply review works acceptance connection permits"


def _choices(words: str) -> dict[str, Any]:
    one = f"({words.replace(' ', '|')})"
    return {"type": "string", "pattern": f"^{one}(,{one})*$"}


SUMMARIES: dict[str, Described] = {
    "POST /applications": Described(
        "File one combined application",
        answer="Filed",
        status=201,
        bodies={"application/json": ref("Application")},
        parameters=(_KEY, *_signature(is_required=False)),
        errors=(400, 409, 413, 415, 422),
    ),
    "GET /applications/{application_no}": Described(
        "Where an application of yours stands", answer="ApplicationStatus", errors=(404,)
    ),
    "POST /materials": Described(
        "Hand in the bytes of a paper (PDF, JPEG or PNG) before the application names it",
        answer="MaterialStored",
        status=201,
        bodies={
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _BYTES, "kind": {"type": "string", "maxLength": 40}},
            },
            "application/pdf": _BYTES,
            "image/jpeg": _BYTES,
            "image/png": _BYTES,
        },
        parameters=(
            _KEY,
            *_signature(is_required=False),
            _query("kind", {"type": "string", "maxLength": 40}, "What the paper is, where the bytes are sent bare"),
            _header(
                "X-File-Name",
                "Percent-encoded UTF-8, where the bytes are sent bare",
                {"type": "string", "pattern": "^[!-~]*$", "maxLength": 600},
                is_required=False,
            ),
        ),
        errors=(400, 409, 413, 415, 422),
    ),
    "GET /materials/{material_id}": Described(
        "The bytes of a paper named in one of your task documents",
        media_types=("application/pdf", "image/jpeg", "image/png"),
        errors=(404,),
    ),
    "GET /tasks": Described(
        "Your tasks as they change, oldest change first",
        answer="TaskPage",
        parameters=(
            _query("state", _choices(_STATES), "Only these states, comma-separated"),
            _query("stage", _choices(_STAGES), "Only these stages, comma-separated"),
            _query("after", {"type": "string", "pattern": "^[0-9]{1,15}$"}, "The cursor `next` of the last answer"),
            _query("wait", {"type": "integer", "minimum": 0, "maximum": 30}, "Seconds to wait for something new"),
        ),
        errors=(422,),
    ),
    "GET /tasks/{task_id}": Described("One task document", answer="TaskDocument", errors=(404,)),
    "POST /tasks/{task_id}/reports": Described(
        "Report on a task, signed; applied once",
        answer="ReportAnswer",
        bodies={"application/json": ref("Report")},
        parameters=_signature(is_required=True),
        errors=(400, 404, 409, 413, 422),
    ),
    "POST /statuses": Described(
        "A status message in your system's own dialect, where the portal has a mapping for it",
        bodies={
            "application/json": {"type": "object"},
            "application/x-www-form-urlencoded": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        parameters=_signature(is_required=False),
        errors=(409, 413, 422),
    ),
    "GET /ping": Described("That the key is good, and both of the portal's times", answer="Ping"),
    "GET /codes": Described("All codes a report may carry, with their texts", answer="Codes"),
    "GET /works": Described(
        "Works that are not over, as GeoJSON: exact lines for providers of the case, rough stretches for all others",
        answer="WorksCollection",
        parameters=(_query("division", {"type": "string", "pattern": "^[0-9]{6}$"}, "Only this division code"),),
        errors=(422,),
        media_types=("application/geo+json",),
    ),
    "GET /fee-items": Described(
        "Your published fee items",
        answer="FeeItems",
        parameters=(_query("on", _DAY, "Default today"),),
        errors=(422,),
    ),
    "GET /settlements": Described("Your settlements, newest day first", answer="Settlements"),
    "GET /settlements/{settlement_id}": Described("One settlement", answer="SettlementAnswer", errors=(404,)),
    "GET /openapi.json": Described("This description", is_public=True),
}
