"""Every address names the action it needs; nothing is skipped, static files neither."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.kernel.policy import POLICY
from portal.kernel.settings import read_settings


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    from app import create_app

    instance = tmp_path_factory.mktemp("instance")
    return create_app(read_settings({"PORTAL_MODE": "dev", "PORTAL_INSTANCE": str(instance)}))


def test_every_route_names_a_policy_action(portal: Flask):
    missing, unknown = [], []
    for rule in portal.url_map.iter_rules():
        action = getattr(portal.view_functions[rule.endpoint], "policy_action", None)
        if action is None:
            missing.append(f"{rule.rule} ({rule.endpoint})")
        elif action not in POLICY:
            unknown.append(f"{rule.rule}: {action}")
    assert (missing, unknown) == ([], [])


def test_there_are_routes_to_check(portal: Flask):
    rules = {rule.rule for rule in portal.url_map.iter_rules()}
    assert {"/", "/healthz", "/sign-in", "/cases", "/desk", "/counter", "/api/v1/tasks"} <= rules


def test_what_changes_something_is_not_a_get(portal: Flask):
    verbs = ("accept", "confirm", "pay", "sign", "reports", "override", "answer", "flow", "drawings")
    found = [
        rule.rule
        for rule in portal.url_map.iter_rules()
        if rule.rule.rsplit("/", 1)[-1] in verbs and rule.methods is not None and "GET" in rule.methods
    ]
    assert found == []
