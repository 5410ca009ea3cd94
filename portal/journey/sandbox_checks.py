"""Jobs of the sandbox: try a provider's address, and push what its made-up tasks have to say. Nothing is sent within
a transaction; what sends is given by `app.py`, for the portal does not know its providers.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from portal.exchange.conformance.judging import Finding
from portal.exchange.conformance.promises import Level
from portal.exchange.conformance.tables import Sandbox
from portal.exchange.port import Endpoint
from portal.journey.sandbox import level_of, queue_push, secret_of
from portal.kernel.database import db, transaction
from portal.kernel.guard import change, try_change


class Prober(Protocol):
    """Speaks to a provider's address as the portal would. Never raises for the network."""

    def probe(self, endpoint: Endpoint, level: Level, provider: str) -> Sequence[Finding]:
        """Every check of the level."""
        ...

    def push(self, endpoint: Endpoint, kind: str, document: Mapping[str, Any]) -> str | None:
        """One task event; None when it was taken, else what happened."""
        ...


PROBERS: list[Prober] = []  # the one given by app.py


def run_checks(payload: Mapping[str, Any], _at: dt.datetime, wire_at: dt.datetime) -> None:
    """Job `sandbox_probe`: try the address, keep what was found, then push the tasks."""
    row = db.session.get(Sandbox, payload["sandbox_id"])
    if row is None or not row.probing:
        return
    endpoint, level, provider = _endpoint(row), level_of(row), row.state["provider"]
    db.session.remove()
    found = {f.promise: [f.is_kept, f.seen] for f in PROBERS[0].probe(endpoint, level, provider)}
    with transaction() as session:
        held = session.get(Sandbox, payload["sandbox_id"], with_for_update=True)
        if held is None:
            return
        version = held.version + 1
        values = {"findings": found, "probing": False, "probed_at": wire_at, "version": version}
        change(session, Sandbox, held.id, {"version": held.version}, values)
        queue_push(session, held.id, version, wire_at)


def push_events(payload: Mapping[str, Any], _at: dt.datetime, _wire_at: dt.datetime) -> None:
    """Job `sandbox_push`: push the events that wait, in order. What is not taken waits for the next run of the checks.

    It is not tried again by itself: an integrator's mistake is no trouble of the portal's.
    """
    row = db.session.get(Sandbox, payload["sandbox_id"])
    if row is None or row.push_url is None:
        return
    endpoint, state = _endpoint(row), row.state
    db.session.remove()
    sent: list[list[str]] = []
    for kind, task_id in state["outgoing"]:
        if PROBERS[0].push(endpoint, kind, state["tasks"][task_id]["document"]):
            break
        sent.append([kind, task_id])
    _forget(payload["sandbox_id"], sent)


def _forget(sandbox_id: str, sent: Sequence[list[str]]) -> None:
    """Take what was sent off the list; a call that came in meanwhile may have added to its end."""
    with transaction() as session:
        row = session.get(Sandbox, sandbox_id, with_for_update=True)
        if row is None:
            return
        state = copy.deepcopy(row.state)
        for event in sent:
            if event in state["outgoing"]:
                state["outgoing"].remove(event)
        try_change(session, Sandbox, row.id, {"version": row.version}, {"state": state, "version": row.version + 1})


def _endpoint(row: Sandbox) -> Endpoint:
    assert row.push_url is not None
    return Endpoint(utility="", url=row.push_url, secrets=(secret_of(row),), level="push")
