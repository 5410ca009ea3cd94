"""Fixtures of the money tests: import them by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.billing.gateway import use_gateway
from portal.kernel.database import db
from tests.journey.payment_world import Town, open_case
from tests.payment.gateway_world import make_world


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "gateway"


@pytest.fixture
def town(bare_app: Flask, gateway_keys: Path) -> Iterator[Town]:
    gateway = make_world(gateway_keys)
    use_gateway(bare_app, gateway.client, retry_scale=0.0)
    yield Town(bare_app, gateway, open_case())
    db.session.remove()
    gateway.close()
