"""The gateway's world for these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.payment.gateway_world import World, make_world


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def world(keys_folder: Path) -> Iterator[World]:
    made = make_world(keys_folder)
    yield made
    made.close()
