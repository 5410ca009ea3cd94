"""Everything of the worker is tested on each engine: the embedded one on both databases, Procrastinate on its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.kernel.database import db
from portal.worker import wake
from portal.worker.carrier_schema import update_schema
from portal.worker.engines import use_engine
from tests.conftest import fresh_database
from tests.worker.parts import free_port

ON = ("embedded-sqlite", "embedded-postgresql", "procrastinate-postgresql")


@pytest.fixture(params=ON)
def engine_on(request: pytest.FixtureRequest) -> str:
    """`<engine>-<database>`."""
    return str(request.param)


@pytest.fixture
def engine(engine_on: str) -> str:
    """The engine's name, as in PORTAL_ENGINE."""
    return engine_on.split("-")[0]


@pytest.fixture
def database_url(engine_on: str, tmp_path: Path) -> Iterator[str]:
    with fresh_database(engine_on.split("-")[1], tmp_path) as url:
        yield url


@pytest.fixture
def bare_app(bare_app: Flask, engine: str) -> Flask:
    """As everywhere, and its jobs go to the engine under test."""
    use_engine(bare_app, engine)
    if engine == "procrastinate":
        update_schema(db.engine)
    return bare_app


@pytest.fixture
def wake_port() -> Iterator[int]:
    """A free loopback port; commits of this process wake whoever listens there, or on the database."""
    port = free_port()
    wake.register(port)
    yield port
    wake._ports.discard(port)
