"""The API's own description, made from the models that validate: what it says is what is checked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api.answers import ANSWERS
from portal.api.description_examples import APPLICATION, REPORTS, task_event
from portal.api.description_texts import SUMMARIES, Described, ref
from portal.api.problems import register_problem_handlers
from portal.cases.application import Application
from portal.exchange.wire import EVENT_TYPES, REPORT_MODELS, Event, TaskDocument
from portal.kernel.problems import MEDIA_TYPE
from portal.kernel.routes import action

_PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"
_UNDER_A_KEY = (401, 403, 429)
_REFUSALS = {
    400: "The request cannot be read, or a header is missing",
    401: "No key, or one that is not good; or the signature does not fit",
    403: "The key may not do this",
    404: "Absent, or not yours: the two look the same",
    409: "The state does not allow it (`expects` says what it does), the revision is stale, or a call is in flight",
    413: "The body is too large",
    415: "The body has another media type",
    422: "Wrong fields, all of them listed; or the idempotency key stands for another body",
    429: "Too many calls; Retry-After says when there is room again",
}
_LIMIT_HEADERS = {
    "RateLimit-Policy": {
        "description": "Calls (q) in a window of seconds (w) for one key",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "Calls left (r) and seconds until the next is free (t)",
        "schema": {"type": "string"},
    },
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}

bp = Blueprint("api_description", __name__, url_prefix=_PREFIX)
register_problem_handlers(bp)


@bp.get("/openapi.json")
@action("public.api_description")
def get_description() -> Response:
    """OpenAPI 3.1 of everything under /api/v1, read off the URL map."""
    return jsonify(describe())


def describe() -> dict[str, Any]:
    """The description as a document; every route under /api/v1 stands in it. Raises KeyError for one without text."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "一口办 API",
            "version": "1",
            "description": (
                "Errors are problem+json (RFC 9457) with `code` and, for wrong input, `errors` with dotted fields. "
                "Times are RFC 3339 with offset, money is whole fen. Signed calls follow Standard Webhooks 1.0."
            ),
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "webhooks": {type_: {"post": _event_operation(type_)} for type_ in EVENT_TYPES},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`key id`.`secret` as it was shown once"}
            },
        },
        "security": [{"key": []}],
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.rule.startswith(f"{_PREFIX}/"):
            continue
        path = rule.rule.replace("<", "{").replace(">", "}")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule.endpoint, path, method)
    return paths


def _operation(endpoint: str, path: str, method: str) -> dict[str, Any]:
    described = SUMMARIES[f"{method} {path.removeprefix(_PREFIX)}"]
    view = current_app.view_functions[endpoint]
    operation: dict[str, Any] = {
        "operationId": endpoint.replace(".", "_"),
        "tags": [path.removeprefix(_PREFIX).split("/")[1]],
        "summary": described.summary,
        "description": " ".join((view.__doc__ or "").split()),
        "x-action": getattr(view, "policy_action", None),
        "parameters": _parameters(path) + list(described.parameters),
        "responses": _responses(described),
    }
    if described.is_public:
        operation["security"] = []
    if described.bodies:
        content = {media: {"schema": schema} for media, schema in described.bodies.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(described: Described) -> dict[str, Any]:
    headers = {} if described.is_public else {"headers": _LIMIT_HEADERS}
    schema = ref(described.answer) if described.answer else {"type": "object"}
    if not any(media.endswith("json") for media in described.media_types):
        schema = {"type": "string", "format": "binary"}
    content = {media: {"schema": schema} for media in described.media_types}
    responses: dict[str, Any] = {str(described.status): {"description": "Done", "content": content, **headers}}
    for status in sorted({*described.errors, *(() if described.is_public else _UNDER_A_KEY)}):
        responses[str(status)] = _refusal(status)
    return responses


def _refusal(status: int) -> dict[str, Any]:
    refusal = {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
    return refusal | ({"headers": _RETRY_AFTER} if status == 429 else {})


def _parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1].split(":")[-1] for part in path.split("/") if part.startswith("{")]
    schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _event_operation(type_: str) -> dict[str, Any]:
    event: dict[str, Any] = {"schema": ref("Event")}
    if type_.startswith("task."):
        event["example"] = task_event(type_)
    return {
        "operationId": f"event_{type_.replace('.', '_')}",
        "summary": f"`{type_}`: the portal posts it to your address, signed",
        "requestBody": {"required": True, "content": {"application/json": event}},
        "responses": {
            "2XX": {"description": "Taken; answer within 15 s and work afterwards"},
            "410": {"description": "This address wants no more messages; it is switched off until a person looks"},
        },
    }


def _schemas() -> dict[str, Any]:
    inputs: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in REPORT_MODELS.values()]
    inputs += [(Application, "validation"), (TaskDocument, "validation"), (Event, "validation")]
    inputs += [(model, "serialization") for model in ANSWERS]
    keys, document = models_json_schema(inputs, ref_template=_REF)
    schemas: dict[str, Any] = document["$defs"]
    # A model that is both sent and answered has two schemas with names of pydantic's choosing; ours say which it is.
    for (model, _mode), schema in keys.items():
        schemas.setdefault(model.__name__, schema)
    mapping = {kind: _REF.format(model=model.__name__) for kind, model in REPORT_MODELS.items()}
    for kind, model in REPORT_MODELS.items():
        schemas[model.__name__] = schemas[model.__name__] | {"examples": REPORTS[kind]}
    schemas["Application"] = schemas["Application"] | {"examples": [APPLICATION]}
    schemas["Report"] = {
        "oneOf": [{"$ref": target} for target in mapping.values()],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return schemas
