"""What the benchmarks of the worker share: the engines that can be measured here, a stub provider, an application."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import Flask

import portal.tables  # noqa: F401 - registers every table
from benchmarks import databases
from portal.exchange import access
from portal.exchange.signatures import new_secret
from portal.kernel.crypto import current_vault, init_vault
from portal.kernel.database import db, transaction
from portal.worker.carrier_schema import update_schema
from portal.worker.engines import use_engine
from providers import ADAPTERS

UTILITIES = tuple(ADAPTERS)


@dataclass(frozen=True)
class Set:
    """One engine on one database; `name` is how figures call it."""

    engine: str
    database: str

    @property
    def name(self) -> str:
        """`sqlite FULL embedded`, `postgres procrastinate` …"""
        return f"{self.database} {self.engine}"


EMBEDDED = Set("embedded", databases.SQLITE)
_ON_POSTGRES = (Set("embedded", databases.POSTGRES), Set("procrastinate", databases.POSTGRES))


def on_postgres() -> tuple[Set, ...]:
    """Both engines, where a PostgreSQL answers."""
    return _ON_POSTGRES if databases.POSTGRES in databases.available() else ()


@contextmanager
def fresh_portal(which: Set, url: str) -> Iterator[tuple[Flask, Path]]:
    """An application on an empty database whose jobs go to this engine, and its folder; providers push to `url`."""
    with tempfile.TemporaryDirectory() as folder, databases.fresh_app(which.database) as app:
        init_vault(app, Path(folder))
        use_engine(app, which.engine)
        if which.engine == "procrastinate":
            update_schema(db.engine)
        with transaction() as session:
            for utility in UTILITIES:
                access.set_access(
                    session,
                    current_vault(),
                    provider=utility,
                    utility=utility,
                    level="push",
                    push_url=url,
                    signing_secrets=[new_secret()],
                )
        yield app, Path(folder)


@contextmanager
def stub_provider(latency_s: float, *options: str) -> Iterator[tuple[str, IO[bytes]]]:
    """The stub in a process of its own; yields its URL and its output."""
    command = [sys.executable, "-m", "benchmarks.stub_server", str(latency_s), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.stdout
        finally:
            process.kill()
