"""How long after the commit the provider has the message, when nothing else is going on: p95, in the product's way.

The commit happens here, the worker is a process of its own, the provider a third one; arrival is when the request is
there whole. In between comes the same request by the bare client, from the call to the arrival: the network call
itself. What we promise is p95 ≤ 15 ms above the median of that.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flask import Flask

from benchmarks.engines import EMBEDDED, UTILITIES, Set, fresh_portal, on_postgres, stub_provider
from benchmarks.fan_out import AT, BODY
from benchmarks.figures import Figure, compare
from portal.exchange import outbox
from portal.kernel.clock import RealClock
from portal.kernel.database import transaction
from portal.kernel.ids import new_id
from portal.worker import wake
from providers.transports.http import HttpDoor

PROMISED_MS = 15.0
TIMES = 150
IDLE_S = 0.03


def measure() -> list[Figure]:
    """Two rows for each engine: above the call (against the promise), and in all (against the call's own p95)."""
    figures = []
    for side in (EMBEDDED, *on_postgres()):
        product, bare = _measure(side)
        above = percentile(product, 95) - statistics.median(bare)
        figures.append(
            compare(f"delivery latency idle p95 [{side.name}]", percentile(product, 95), "ms", percentile(bare, 95))
        )
        figures.append(compare(f"… above the network call [{side.name}]", above, "ms", PROMISED_MS))
    return figures


def percentile(values: list[float], which: int) -> float:
    """The value below which `which` percent lie."""
    return statistics.quantiles(values, n=100)[which - 1]


def _measure(side: Set) -> tuple[list[float], list[float]]:
    """(commit → arrival, call → arrival) in ms."""
    product: list[float] = []
    bare: list[float] = []
    with (
        stub_provider(0.0, "tell") as (url, arrivals),
        fresh_portal(side, url) as (app, folder),
        _worker(side, app, folder),
    ):
        door = HttpDoor()
        for n in range(TIMES + 10):
            took = (_deliver(arrivals), _call(door, url, arrivals))
            if n >= 10:  # connections are open and statements compiled
                product.append(took[0])
                bare.append(took[1])
    return product, bare


def _deliver(arrivals: IO[bytes]) -> float:
    time.sleep(IDLE_S)
    with transaction() as session:
        name = outbox.enqueue(
            session,
            destination=f"provider:{UTILITIES[0]}",
            kind="task.issued",
            body=BODY,
            task_id=new_id(),
            at=AT,
            wire_at=RealClock().wire_now(),
        )
    committed_ns = time.monotonic_ns()
    return (_arrival_ns(arrivals, name) - committed_ns) / 1e6


def _call(door: HttpDoor, url: str, arrivals: IO[bytes]) -> float:
    time.sleep(IDLE_S)
    name = new_id()
    begun_ns = time.monotonic_ns()
    door.call("POST", url, {"Content-Type": "application/json", "webhook-id": name}, BODY)
    return (_arrival_ns(arrivals, name) - begun_ns) / 1e6


def _arrival_ns(arrivals: IO[bytes], name: str) -> int:
    arrived, at_ns = arrivals.readline().decode().split()
    assert arrived == name
    return int(at_ns)


@contextmanager
def _worker(side: Set, app: Flask, folder: Path) -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    wake.register(port)
    address = str(app.config["SQLALCHEMY_DATABASE_URI"])
    command = [sys.executable, "-m", "benchmarks.worker_main", side.engine, address, str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as process:
        try:
            yield
        finally:
            process.kill()
