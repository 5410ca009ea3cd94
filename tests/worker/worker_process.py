"""The worker as its own process, for tests that kill it.

`python -m tests.worker.worker_process '{"url": …}'` runs one; `… -m tests.worker.worker_process` reads such lines from
standard input, forks a worker for each and prints its process id: nothing is imported anew, so two hundred lives
take minutes, not hours.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import portal.tables  # noqa: F401 - registers every table
from portal.exchange.port import Adapter
from portal.journey import delivery
from portal.kernel.clock import RealClock
from portal.worker import wake
from portal.worker.engines import use_engine
from portal.worker.port import Duties, JobKind
from providers import make_adapters
from providers.transports.http import HttpAnswer, HttpDoor
from tests.worker.parts import make_app


@dataclass(frozen=True)
class Life:
    """What one worker process is started with."""

    url: str
    instance: str
    port: int
    engine: str
    name: str = "worker-1"
    lease_s: float = 30.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class NamedDoor(HttpDoor):
    """Says on each call which worker makes it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        return super().call(method, url, {**headers, "x-worker": self._name}, body)


def jobs_of(name: str) -> dict[str, JobKind]:
    """Jobs with an effect at the stub, idempotent by their key as every job's effect must be."""

    def call_stub(payload: Mapping[str, Any], *_times: object) -> None:
        headers = {"webhook-id": payload["key"], "x-worker": name}
        request = urllib.request.Request(payload["url"], data=b"{}", headers=headers, method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def call_stub_with_answer(answered: delivery.Answered, *_times: object) -> None:
        url = json.loads(answered.request)["callback"]
        call_stub({"url": url, "key": f"answer-{answered.message_id}"})

    delivery.ANSWERED["with_answer"] = call_stub_with_answer
    return {"call_stub": call_stub, delivery.APPLY_ANSWER: delivery.apply_answer}


def run(life: Life) -> None:
    """Run the worker until SIGTERM."""
    app = make_app(life.url, Path(life.instance))
    engine = use_engine(app, life.engine)
    wake.register(life.port)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    adapters: dict[str, Adapter] = make_adapters(NamedDoor(life.name))
    duties = Duties(
        adapters=adapters,
        job_kinds=jobs_of(life.name),
        clock=RealClock(),
        owner=life.name,
        retry_scale=0.001,
        lease=dt.timedelta(seconds=life.lease_s),
        send_threads=8,
    )
    engine(app, duties, port=life.port, stop_event=stop)


def fork_lives() -> None:
    """One worker for each line; nobody waits for them here, the system takes their remains."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)  # standard output is for process ids
            code = 1
            try:
                run(Life(**json.loads(line)))
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(Life(**json.loads(sys.argv[1])))
    else:
        fork_lives()
