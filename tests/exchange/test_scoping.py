"""What a provider may see, checked with canaries over the sample applications."""

import json
from pathlib import Path

import pytest

from portal.exchange import scoping

SAMPLES = sorted((Path(__file__).parents[1] / "samples" / "applications").glob("*.json"))
UTILITIES = ("water", "power", "gas", "heating", "network")


def plant(value, path=""):
    """The same document with every text replaced by a canary that tells its place."""
    if isinstance(value, dict):
        return {name: plant(inner, f"{path}/{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [plant(inner, f"{path}/{n}") for n, inner in enumerate(value)]
    return f"<{path}>"


def all_that_leaves(body, utility) -> str:
    return json.dumps(
        [
            scoping.own_part(body, utility),
            scoping.applicant_facts(body),
            scoping.project_facts(body),
            scoping.site_facts(body),
            scoping.shared_facts(body),
            scoping.account_facts(body),
        ]
    )


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem[:2])
@pytest.mark.parametrize("utility", UTILITIES)
def test_nothing_of_another_part_and_no_identity_number_leaves(file, utility):
    body = plant(json.loads(file.read_text()))
    if utility not in body["utilities"]:
        assert scoping.own_part(body, utility) == {}
        return
    text = all_that_leaves(body, utility)
    assert f"/utilities/{utility}" in text
    for other in set(UTILITIES) - {utility}:
        assert f"</utilities/{other}" not in text
    for secret in (
        "id_no",
        "operators",
        "legal_representative",
        "refund_account",
        "previous_holder",
        "materials",
        "email",
    ):
        assert secret not in text
    assert "investment_wan" not in text


def test_an_unknown_field_does_not_leave_by_itself():
    body = json.loads(SAMPLES[0].read_text())
    body["utilities"]["water"]["secret_note"] = "x"
    body["applicant"]["contact"]["wechat"] = "y"
    assert "secret_note" not in scoping.own_part(body, "water")
    assert "wechat" not in scoping.applicant_facts(body)["contact"]


def test_every_needed_field_of_the_own_part_is_there():
    body = json.loads(SAMPLES[0].read_text())
    for utility, section in body["utilities"].items():
        part = scoping.own_part(body, utility)
        assert set(section) - set(part) <= {"operators"}
        assert part["kind"] == "new"


def test_nobody_but_the_portal_gets_identity_cards():
    for utility in UTILITIES:
        assert "id_card" not in scoping.material_kinds(utility)
    assert scoping.material_kinds("sewage") == ()
