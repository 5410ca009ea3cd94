"""The served description: every route with all its refusals, examples that are true, valid OpenAPI."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from portal.api import register_api
from portal.api.answers import ANSWERS
from portal.api.description import describe
from portal.api.description_examples import APPLICATION, REPORTS, task_event
from portal.api.description_texts import SUMMARIES
from portal.cases.application import check_application
from portal.catalog.reading import CITIES, load_catalog
from portal.exchange.wire import EVENT_TYPES, REPORT_MODELS, Event, TaskDocument, parse_report
from portal.kernel.clock import RealClock
from tests.conftest import AT


@pytest.fixture(scope="module")
def document() -> dict:
    app = Flask("described")
    register_api(app, RealClock())
    with app.app_context():
        return json.loads(json.dumps(describe()))


def schema(document: dict, name: str) -> Draft202012Validator:
    whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(whole)


def test_every_route_is_described_and_every_description_has_its_route(document):
    told = {f"{m.upper()} {p.removeprefix('/api/v1')}" for p, ops in document["paths"].items() for m in ops}
    assert told == set(SUMMARIES)


def test_references_lead_somewhere_and_schemas_are_schemas(document):
    for name, one in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(one)
        assert name in document["components"]["schemas"]
    for target in _references(document):
        assert target.removeprefix("#/components/schemas/") in document["components"]["schemas"], target


def _references(node) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(_references, node.values()))
    if isinstance(node, list):
        return set().union(*map(_references, node)) if node else set()
    return set()


def test_operations_tell_their_refusals_their_limits_and_their_key(document):
    ids = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
            if operation.get("security") == []:
                continue
            assert {"401", "403", "429"} <= set(operation["responses"]), path
            done = next(r for status, r in operation["responses"].items() if status.startswith("2"))
            assert set(done["headers"]) == {"RateLimit", "RateLimit-Policy"}
            for status, refusal in operation["responses"].items():
                if not status.startswith("2"):
                    assert list(refusal["content"]) == ["application/problem+json"]
            assert ("{" in path) == ("404" in operation["responses"])
    assert len(set(ids)) == len(ids)


def test_every_answer_model_is_shown(document):
    for model in ANSWERS:
        assert model.__name__ in document["components"]["schemas"]


@pytest.mark.parametrize("kind", REPORT_MODELS)
def test_the_example_of_each_report_is_one(document, kind):
    for example in REPORTS[kind]:
        schema(document, REPORT_MODELS[kind].__name__).validate(example)
        schema(document, "Report").validate(example)
        assert parse_report(json.dumps(example).encode()).kind == kind
        with pytest.raises(jsonschema.ValidationError):
            schema(document, REPORT_MODELS[kind].__name__).validate(example | {"unknown_field": 1})


def test_the_example_application_is_accepted(document):
    schema(document, "Application").validate(APPLICATION)
    checked = check_application(APPLICATION, catalog=load_catalog(CITIES / "150800"), on=AT.date())
    assert not checked.errors


def test_every_event_is_told_and_its_example_is_one(document):
    assert set(document["webhooks"]) == set(EVENT_TYPES)
    event = task_event("task.issued")
    schema(document, "Event").validate(event)
    Event.model_validate_json(json.dumps(event))
    TaskDocument.model_validate_json(json.dumps(event["data"]))


def test_the_published_application_schema_says_the_same_fields(document):
    published = json.loads((Path(__file__).parents[1] / "samples" / "application.schema.json").read_text("utf-8"))
    assert set(document["components"]["schemas"]["Application"]["properties"]) == set(published["properties"])
