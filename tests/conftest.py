"""Shared fixtures: an application context on a fresh database (SQLite, and PostgreSQL where it answers)."""

from __future__ import annotations

import datetime as dt
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

from portal.kernel.database import db, init_database
from tests.loopback import refuse_other_machines

# Time on a shared machine says nothing about the code: no test may fail for being slow.
settings.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("portal")

AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)  # Monday 09:00 in Shanghai
DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"


def postgres_url() -> str | None:
    """Where the PostgreSQL for tests is: PORTAL_TEST_POSTGRES_URL, or the usual address when it answers."""
    if url := os.environ.get("PORTAL_TEST_POSTGRES_URL"):
        return url
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=0.5).close()
    except OSError:
        return None
    return DEFAULT_POSTGRES


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """No test reaches another machine, by address, name or mail."""
    with pytest.MonkeyPatch.context() as patch:
        refuse_other_machines(patch)
        yield


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[str]:
    """A fresh, empty database: `sqlite`, or `postgresql`: a schema of its own, dropped afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'test.db'}"
        return
    url = postgres_url()
    if url is None:
        pytest.skip("no PostgreSQL here: set PORTAL_TEST_POSTGRES_URL to run this on it")
    schema = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    yield f"{url}?options=-csearch_path%3D{schema}"
    with engine.connect() as connection:
        connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database of each kind."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def bare_app(database_url: str) -> Iterator[Flask]:
    """A Flask application with all tables on the fresh database and nothing else, inside its context."""
    app = Flask("test")
    init_database(app, database_url)
    with app.app_context():
        import portal.tables  # noqa: F401 - registers every wing's tables

        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()
