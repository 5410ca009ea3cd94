"""The provider guide is true: its blocks are taken out of the page and run against the running portal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.kernel.attestation import is_attested
from providers.simulator.pages import filled
from providers.simulator.people import Person
from providers.simulator.stage import free_ports
from tests.outside.stage import ROOT

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]
GUIDE = (ROOT / "docs" / "provider-guide.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(GUIDE)
PROGRAM = next(text for kind, name, text in BLOCKS if (kind, name) == ("python", "provider.py"))
BY_HAND = "".join(text for kind, name, text in BLOCKS if (kind, name) == ("sh", ""))
NAMED = {name: text for kind, name, text in BLOCKS if kind == "sh" and name}


class Engineer(Person):
    """A provider's engineer at the sandbox page."""

    def open(self, level: str, url: str = "") -> tuple[str, str]:
        """Open a sandbox; the key and the secret the page shows."""
        page = self.browser.get("/desk/sandbox")
        form = next(f for f in page.forms if f.act == "open-sandbox")
        session, headers = self.browser._session, {"Referer": f"{self.browser.base_url}/desk/sandbox"}
        text = session.post(form.action, filled(form, {"level": level, "push_url": url}), headers=headers).text
        return tuple(text.partition(f'data-value="{name}">')[2].partition("<")[0] for name in ("key", "secret"))

    def press(self, act: str):
        """Send the form of this act, if the page offers it."""
        form = next((f for f in self.browser.get("/desk/sandbox").forms if f.act == act), None)
        return self.browser.submit(form, filled(form, {})) if form else None


@pytest.fixture
def engineer(played) -> Engineer:
    running, _ = played
    person = next(p for p in running.config.people if p.login == "heat-linhe")
    engineer = Engineer(running.url, person)
    engineer.sign_in()
    return engineer


def environment(portal: str, key: str, secret: str, **more: str) -> dict[str, str]:
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return {**path, "PORTAL": portal, "KEY": key, "SECRET": secret, **more}


def test_by_hand_with_curl_and_openssl(played, engineer, tmp_path):
    key, secret = engineer.open("pull")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", BY_HAND],
        cwd=tmp_path,
        env=environment(f"{played[0].url}/sandbox", key, secret),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing happened twice" in done.stdout
    assert json.loads((tmp_path / "first.json").read_text())["task"]["state"] == "received"


@pytest.mark.parametrize("level", ["pull", "push", "two_way"])
def test_the_program_earns_a_badge(played, engineer, tmp_path, level):
    (port,) = free_ports(1)
    (tmp_path / "provider.py").write_text(PROGRAM, "utf-8")
    key, secret = engineer.open(level, f"http://127.0.0.1:{port}")
    env = environment(f"{played[0].url}/sandbox", key, secret, LEVEL=level, PORT=str(port))
    with (tmp_path / "log").open("wb") as log:
        command = ["bash", "-c", f"exec {' '.join(NAMED['start'].split()[-2:])}"]
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
    try:
        badge = wait_for_badge(engineer, process, tmp_path / "log", port=None if level == "pull" else port)
        if level != "pull":
            conform(env, tmp_path)
    finally:
        process.kill()
        process.wait()
    assert (badge["level"], badge["protocol"]) == (level, "v1")
    assert is_attested(badge, badge["public_key"])


def wait_for_badge(engineer: Engineer, process: subprocess.Popen, log: Path, *, port: int | None) -> dict:
    """Press what the page offers until the badge is there."""
    time.sleep(1)  # the program opens its address
    if port:
        engineer.press("checks")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text("utf-8")
        if page := engineer.press("badge"):
            return engineer.browser.get_json(page.url.removeprefix(engineer.browser.base_url) + ".json")
        time.sleep(1)
    text = engineer.browser.get_bytes("/desk/sandbox").decode()
    raise AssertionError(re.findall(r'data-promise="(\w+)" data-result="(?!pass)(\w+)"', text), log.read_text("utf-8"))


def conform(env: dict[str, str], folder: Path) -> None:
    """The command line of the guide says the same as the sandbox."""
    script = NAMED["conformance"].replace("card.json", str(folder / "card.json"))
    done = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["failed"] == []
    assert {row["result"] for row in card["promises"]} == {"pass", "open"}


def test_the_program_uses_the_standard_library_only():
    names = set(re.findall(r"^(?:import|from) (\w+)", PROGRAM, re.MULTILINE))
    assert names <= set(sys.stdlib_module_names)
