"""Deny by default: the policy table, rule by rule, against every kind of actor."""

from __future__ import annotations

import pytest

from portal.kernel.errors import NotAllowed, NotFound, NotSignedIn
from portal.kernel.policy import ANONYMOUS, POLICY, SYSTEM, Actor, may, require


def person(*roles: str, **more) -> Actor:
    return Actor(kind="person", id="p", name="某", roles=frozenset(roles), **more)


OWNER = person("applicant", subject_ids=frozenset({"p", "org-1"}))
STRANGER = person("applicant", subject_ids=frozenset({"q", "org-2"}))
WATER_STAFF = person("provider_staff", provider_code="water-linhe")
WATER_KEY = Actor(kind="provider", id="k", provider_code="water-linhe", scopes=frozenset({"tasks", "reports"}))
PORTAL_KEY = Actor(kind="portal", id="g", scopes=frozenset({"applications"}))
MINE = {"applicant_ids": frozenset({"org-1"})}
WATERS = {"provider": "water-linhe"}
GASES = {"provider": "gas-linhe"}

# These carry their own credential (a signature, a key of the sandbox) or lead no further than to signing in.
OWN_CREDENTIAL = {"gateway.notify", "account.sign_in", "sandbox.call", "desk.link"}
PUBLIC = {name for name in POLICY if name.startswith("public.")} | OWN_CREDENTIAL


def test_without_a_credential_only_public_things_are_open():
    allowed = {name for name in POLICY if may(ANONYMOUS, name, {"mode": "production"})}
    assert allowed == PUBLIC


def test_the_worker_has_no_rights_of_its_own():
    assert {name for name in POLICY if may(SYSTEM, name, {"mode": "production"})} == PUBLIC


def test_the_demo_clock_moves_only_in_the_demo():
    assert may(ANONYMOUS, "demo.clock", {"mode": "demo"})
    assert not may(person("admin"), "demo.clock", {"mode": "production"})
    assert not may(person("admin"), "demo.clock")


@pytest.mark.parametrize("action", sorted(name for name in POLICY if name.startswith("case.")))
def test_a_case_is_its_applicants(action):
    assert may(OWNER, action, MINE)
    assert not may(STRANGER, action, MINE)
    assert not may(OWNER, action, {})


@pytest.mark.parametrize("action", ["desk.task", "desk.report", "document.view", "material.view"])
def test_a_provider_sees_its_own_part_only(action):
    assert may(WATER_STAFF, action, WATERS)
    assert not may(WATER_STAFF, action, GASES)
    assert not may(WATER_STAFF, action, {})


def test_a_part_without_a_provider_belongs_to_nobody():
    assert not may(OWNER, "desk.task", {"provider": None})


@pytest.mark.parametrize(
    ("actor", "action", "allowed"),
    [
        (WATER_KEY, "api.tasks", True),
        (WATER_KEY, "api.report", True),
        (WATER_KEY, "api.file", False),
        (PORTAL_KEY, "api.file", True),
        (PORTAL_KEY, "api.tasks", False),
        (WATER_STAFF, "api.report", False),
        (person("clerk"), "counter.accept", True),
        (person("applicant"), "counter.accept", False),
        (person("supervisor"), "counter.list", True),
        (person("supervisor"), "counter.accept", False),
        (person("lead_agency"), "agency.decide", True),
        (person("supervisor"), "agency.decide", False),
        (person("finance"), "finance.view", True),
        (person("clerk"), "finance.view", False),
    ],
)
def test_roles_and_scopes(actor, action, allowed):
    assert may(actor, action) is allowed


def test_a_role_on_a_key_is_no_role():
    assert not may(Actor(kind="provider", roles=frozenset({"admin", "clerk"})), "counter.accept")


def test_refusals_say_no_more_than_they_must():
    with pytest.raises(NotSignedIn):
        require(ANONYMOUS, "case.view", MINE)
    with pytest.raises(NotFound):
        require(STRANGER, "case.view", MINE)  # foreign looks like absent
    with pytest.raises(NotAllowed):
        require(STRANGER, "counter.accept")
    require(OWNER, "case.view", MINE)


def test_an_action_nobody_named_is_a_mistake():
    with pytest.raises(KeyError):
        may(OWNER, "case.steal")
