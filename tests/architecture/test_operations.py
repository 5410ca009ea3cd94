"""The operator's page is true: its commands, settings and links exist."""

from __future__ import annotations

import re

import pytest

import app
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_is_one():
    named = set(re.findall(r"app\.py ([a-z-]+)", PAGE))
    assert {"init", "web", "worker", "verify-audit"} <= named
    assert named <= set(app.COMMANDS)


def test_every_setting_of_the_page_is_told_in_the_readme():
    named = set(re.findall(r"PORTAL_[A-Z_]+", PAGE))
    assert {name for name in named if f"| `{name}` |" not in README} == set()


@pytest.mark.parametrize("table", ["outbox_message", "job", "alembic_version"])
def test_tables_named_for_a_look_are_spoken_of_as_they_are_called(table):
    import portal.tables  # noqa: F401 - registers every wing's tables
    from portal.kernel.database import Base

    assert table in PAGE
    assert table == "alembic_version" or table in Base.metadata.tables


def test_links_lead_somewhere():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", PAGE)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
