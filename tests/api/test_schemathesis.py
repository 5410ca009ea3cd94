"""A peer reads the served description and tries what it allows and what it does not, against a running portal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.stage import Running

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES = 300 if os.environ.get("PORTAL_SOAK") else 6

pytestmark = [pytest.mark.xdist_group("schemathesis")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    portal = Running(tmp_path_factory.mktemp("schemathesis")).start()
    yield portal
    portal.stop()


def test_no_server_error_and_no_break_of_the_description(running: Running, tmp_path: Path) -> None:
    credentials = running.credentials["water-linhe"]
    seen = {"TRIED_KEY": credentials.key, "TRIED_SECRET": credentials.secret}
    seen |= {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    options = ["--phases", "examples,coverage,fuzzing,stateful", "--checks", ",".join(CHECKS), "--no-color"]
    options += ["--max-examples", str(EXAMPLES), "--seed", os.environ.get("PORTAL_SEED", "20261123")]
    options += ["--suppress-health-check", "all", "--request-timeout", "60", "--continue-on-failure"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/api/v1/openapi.json", *options],
        cwd=tmp_path,
        env={**os.environ, **seen},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
