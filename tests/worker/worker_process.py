"""The worker as its own process, for tests that kill it: database URL, instance folder, port."""

from __future__ import annotations

import json
import signal
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import portal.tables  # noqa: F401 - registers every table
from portal.journey import delivery
from portal.kernel.clock import RealClock
from portal.worker.loop import run_worker
from portal.worker.port import Duties
from providers import make_adapters
from providers.transports.http import HttpDoor
from tests.worker.parts import make_app


def call_stub(payload: dict[str, Any], *_times: object) -> None:
    """A job with an effect at the stub, idempotent by its key as every job's effect must be."""
    request = urllib.request.Request(payload["url"], data=b"{}", headers={"webhook-id": payload["key"]}, method="POST")
    urllib.request.urlopen(request, timeout=5).close()


def call_stub_with_answer(answered: delivery.Answered, *_times: object) -> None:
    url = json.loads(answered.request)["callback"]
    call_stub({"url": url, "key": f"answer-{answered.message_id}"})


def main(database_url: str, instance: str, port: str) -> None:
    app = make_app(database_url, Path(instance))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    delivery.ANSWERED["with_answer"] = call_stub_with_answer
    duties = Duties(
        adapters=make_adapters(HttpDoor()),
        job_kinds={"call_stub": call_stub, delivery.APPLY_ANSWER: delivery.apply_answer},
        clock=RealClock(),
        owner="worker-1",
        retry_scale=0.001,
        send_threads=8,
    )
    run_worker(app, duties, port=int(port), stop_event=stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
