"""What the worker's tests share: an application with a vault, providers with an endpoint, messages for them."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from portal.exchange import access, outbox
from portal.exchange.signatures import new_secret
from portal.kernel.clock import RealClock
from portal.kernel.crypto import current_vault, init_vault
from portal.kernel.database import db, init_database, transaction
from portal.kernel.ids import new_id
from portal.worker.engines import ENGINES
from portal.worker.port import Duties

AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def wire_now() -> dt.datetime:
    return RealClock().wire_now()


def make_app(database_url: str, instance: Path) -> Flask:
    app = Flask("worker-test")
    init_database(app, database_url)
    init_vault(app, instance)
    return app


def add_provider(code: str, url: str, *, utility: str = "water", level: access.Level = "push") -> str:
    """Use it inside an application context; answers the provider's signing secret."""
    secret = new_secret()
    with transaction() as session:
        access.set_access(
            session,
            current_vault(),
            provider=code,
            utility=utility,
            level=level,
            push_url=url,
            signing_secrets=[secret],
        )
    return secret


def event_body(task_id: str, revision: int = 1) -> bytes:
    data = {"task_id": task_id, "revision": revision, "part": {"daily_m3": 5}}
    return json.dumps({"type": "task.issued", "data": data}).encode()


def send(code: str, *, task_id: str | None = None, revision: int = 1, wire_at: dt.datetime | None = None) -> str:
    """Enqueue one message; answers its id."""
    name = task_id or new_id()
    with transaction() as session:
        return outbox.enqueue(
            session,
            destination=f"provider:{code}",
            kind="task.issued",
            body=event_body(name, revision),
            task_id=name,
            at=AT,
            wire_at=wire_at or wire_now(),
        )


def row_of(message_id: str) -> outbox.OutboxMessage:
    db.session.remove()
    return db.session.query(outbox.OutboxMessage).filter_by(message_id=message_id).one()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_engine(
    engine: str, app: Flask, duties: Duties, until: Callable[[], bool], *, timeout_s: float = 20.0, port: int = 0
) -> None:
    """Run the engine until a condition holds, then stop it and wait for its end."""
    stop = threading.Event()
    thread = threading.Thread(target=ENGINES[engine], args=(app, duties), kwargs={"port": port, "stop_event": stop})
    thread.start()
    end = time.monotonic() + timeout_s
    while not until() and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert until()
