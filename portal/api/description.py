"""The API's own description, made from the models that validate: what it says is what is checked."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api.description_texts import SUMMARIES
from portal.api.problems import register_problem_handlers
from portal.cases.application import Application
from portal.exchange.wire import REPORT_MODELS, Event, TaskDocument
from portal.kernel.routes import action

_PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")

bp = Blueprint("api_description", __name__, url_prefix=_PREFIX)
register_problem_handlers(bp)


@bp.get("/openapi.json")
@action("public.api_description")
def get_description() -> Response:
    """OpenAPI 3.1 of everything under /api/v1, read off the URL map."""
    return jsonify(describe())


def describe() -> dict[str, Any]:
    """The description as a document; every route under /api/v1 stands in it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "一口办 API",
            "version": "1",
            "description": "Errors are problem+json with `code`; signed calls follow Standard Webhooks 1.0.",
        },
        "paths": _paths(),
        "webhooks": {"task": {"post": _event_operation()}},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
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
    key = f"{method} {path.removeprefix(_PREFIX)}"
    view = current_app.view_functions[endpoint]
    described = SUMMARIES.get(key)
    operation: dict[str, Any] = {
        "operationId": endpoint.replace(".", "_"),
        "summary": described.summary if described else (view.__doc__ or "").strip().splitlines()[0],
        "x-action": getattr(view, "policy_action", None),
        "parameters": _parameters(path) + list(described.parameters if described else ()),
        "responses": {
            str(described.status if described else 200): _answer(described.answer if described else None),
            "default": {
                "description": "A refusal",
                "content": {"application/problem+json": {"schema": _ref("Problem")}},
            },
        },
    }
    if method in _CHANGING and described and described.body:
        operation["requestBody"] = {
            "required": True,
            "content": {described.media_type: {"schema": _ref(described.body)}},
        }
    return operation


def _answer(model: str | None) -> dict[str, Any]:
    schema = _ref(model) if model else {"type": "object"}
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}


def _parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1].split(":")[-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=name)}


def _event_operation() -> dict[str, Any]:
    return {
        "summary": "What the portal posts to a provider's address, signed",
        "requestBody": {"content": {"application/json": {"schema": _ref("Event")}}},
        "responses": {"2XX": {"description": "Taken; answer within 15 s and work afterwards"}},
    }


def _schemas() -> dict[str, Any]:
    inputs: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in REPORT_MODELS.values()]
    inputs += [(Application, "validation"), (TaskDocument, "validation"), (Event, "validation")]
    _, document = models_json_schema(inputs, ref_template=_REF)
    schemas: dict[str, Any] = document["$defs"]
    mapping = {kind: _REF.format(model=model.__name__) for kind, model in REPORT_MODELS.items()}
    schemas["Report"] = {
        "oneOf": [{"$ref": target} for target in mapping.values()],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return schemas | _OWN


_ERROR = {"type": "object", "properties": {"field": {"type": "string"}, "message": {"type": "string"}}}
_OWN: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "errors": {"type": "array", "items": _ERROR},
        },
    },
    "ReportAnswer": {
        "type": "object",
        "required": ["report_id", "task"],
        "properties": {"report_id": {"type": "string"}, "task": _ref("TaskDocument")},
    },
    "TaskPage": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {"items": {"type": "array", "items": _ref("TaskDocument")}, "next": {"type": "string"}},
    },
    "Filed": {
        "type": "object",
        "required": ["application_no", "case_no", "status_url"],
        "properties": {
            "application_no": {"type": "string"},
            "case_no": {"type": ["string", "null"]},
            "status_url": {"type": "string"},
        },
    },
}
