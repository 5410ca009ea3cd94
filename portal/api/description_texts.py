"""What the description says of each call beyond its route: query and headers, body and answer by model name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Described:
    """One call. `body` and `answer` name schemas."""

    summary: str
    body: str | None = None
    answer: str | None = None
    status: int = 200
    media_type: str = "application/json"
    parameters: tuple[dict[str, Any], ...] = ()


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _header(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": text}


SIGNED = (
    _header(
        "webhook-id", "Idempotency key, no dots: same id and body → the first answer again; other body or path → 422"
    ),
    _header("webhook-timestamp", "Unix seconds, at most 300 s from the portal's time"),
    _header("webhook-signature", "`v1,` and the base64 HMAC-SHA256 over id.timestamp.body with your whsec_ secret"),
)
_STRING = {"type": "string"}
_KEY_TEXT = (
    "Made by the caller; same key and body → the first answer again. A provider's hall signs the call instead "
    "(the three webhook headers over the raw body); its `webhook-id` is the key"
)

SUMMARIES: dict[str, Described] = {
    "POST /applications": Described(
        "File one combined application",
        body="Application",
        answer="Filed",
        status=201,
        parameters=(_header("Idempotency-Key", _KEY_TEXT),),
    ),
    "GET /tasks": Described(
        "Your tasks as they change, oldest change first",
        answer="TaskPage",
        parameters=(
            _query("state", _STRING, "Only these states, comma-separated"),
            _query("stage", _STRING, "Only these stages, comma-separated"),
            _query("after", _STRING, "The cursor `next` of the last answer"),
            _query("wait", {"type": "integer", "minimum": 0, "maximum": 30}, "Seconds to wait for something new"),
        ),
    ),
    "GET /tasks/{task_id}": Described("One task document", answer="TaskDocument"),
    "POST /tasks/{task_id}/reports": Described(
        "Report on a task, signed; applied once", body="Report", answer="ReportAnswer", parameters=SIGNED
    ),
    "GET /fee-items": Described(
        "Your published fee items", parameters=(_query("on", {"type": "string", "format": "date"}, "Default today"),)
    ),
}
