"""One running portal for all tests of this folder: a case was played through by outside programs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.outside.stage import Running

LEVELS = {"water-wuyuan": "push", "power-bayannur": "two_way", "network-telecom": "pull"}


@pytest.fixture(scope="package")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Mapping[str, Any]]]:
    """(the running portal, the record of the closed case)."""
    running = Running(tmp_path_factory.mktemp("outside"))
    try:
        running.start()
        for code, level in LEVELS.items():
            running.join(code, level)
        yield running, running.play()
    finally:
        running.stop()
