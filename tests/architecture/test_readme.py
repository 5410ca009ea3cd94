"""The README is true: its tour, its commands, its settings; and both languages say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, python_files, tree_of

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOUR_STEP = re.compile(r"^\d+\. \[`([^`]+)`\]\(([^)]+)\)", re.MULTILINE)
SETTING = re.compile(r"^\| `(PORTAL_[A-Z_]+)` \|", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def commands(readme: Path) -> list[str]:
    """Every command of the README, without its comment (comments are translated)."""
    lines = [line for block in BLOCK.findall(readme.read_text(encoding="utf-8")) for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def test_both_languages_give_the_same_commands_tour_and_settings():
    assert commands(ENGLISH) == commands(CHINESE)
    assert commands(ENGLISH)
    for pattern in (TOUR_STEP, SETTING):
        assert pattern.findall(ENGLISH.read_text("utf-8")) == pattern.findall(CHINESE.read_text("utf-8"))


def test_the_tour_has_ten_files_and_they_exist():
    steps = TOUR_STEP.findall(ENGLISH.read_text(encoding="utf-8"))
    assert len(steps) == 10
    assert all(shown == target for shown, target in steps)
    assert [target for _, target in steps if not (ROOT / target).is_file()] == []


@pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=lambda path: path.name)
def test_links_lead_somewhere(readme):
    targets = set(LINK.findall(readme.read_text(encoding="utf-8")))
    assert {target for target in targets if not (ROOT / target).exists()} == set()


def test_every_make_target_of_the_readme_exists():
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {command.split()[1] for command in commands(ENGLISH) if command.startswith("make ")}
    assert {"run", "demo", "test", "check"} <= named
    assert named <= made


def test_every_setting_is_told_and_every_told_setting_is_read():
    folders = ("portal", "providers", "forms", "tests")
    read: set[str] = set()
    for path in [*python_files(*folders), ROOT / "app.py"]:
        texts = (node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant))
        read |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"PORTAL_[A-Z_]+", text)}
    # The point at which a kill test lets the process die is for tests alone.
    assert set(SETTING.findall(ENGLISH.read_text(encoding="utf-8"))) == read - {"PORTAL_FAILPOINT"}


def test_everything_carried_is_in_the_third_party_notice():
    notice = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").lower()
    carried = re.findall(r"^- (\S+) (\S+)$", (ROOT / "static/vendor/VERSIONS.md").read_text("utf-8"), re.MULTILINE)
    assert carried
    missing = [f"{name} {version}" for name, version in carried if not _is_told(notice, name, version)]
    assert missing == []


def _is_told(notice: str, name: str, version: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return any(plain in re.sub(r"[^a-z0-9]", "", line) and version in line for line in notice.splitlines())
