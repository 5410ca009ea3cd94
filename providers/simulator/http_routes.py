"""The HTTP face of one utility's server: signed pushes and read-backs under /p/, switches for tests under /sim/."""

from __future__ import annotations

import datetime as dt
import json
import socket
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from providers.simulator.faults import BadFaults
from providers.simulator.signing import BadSignature, check

if TYPE_CHECKING:
    from providers.simulator.server import UtilityServer

MAX_BODY = 4 * 1024 * 1024
Answer = tuple[int, Mapping[str, Any], Mapping[str, str]]


class QueueFull(Exception):
    """More pushes wait than this server keeps; the portal tries again later."""


class Unanswered(Exception):
    """The fault switches want the connection to end without an HTTP answer; `sent` is what goes out before."""

    def __init__(self, sent: bytes = b"") -> None:
        super().__init__()
        self.sent = sent


class Routes(BaseHTTPRequestHandler):
    """One request; `server_of` is set by `routes_of`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; waiting between them costs 40 ms an answer
    timeout = 60
    server_of: UtilityServer

    def do_GET(self) -> None:
        """Reading."""
        self._answer(lambda: get(self.server_of, self.path, dict_of(self)))

    def do_POST(self) -> None:
        """Pushes and switches."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self._send(411 if not length.isdigit() else 413, {"code": "bad_length"}, {"Connection": "close"})
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        self._answer(lambda: post(self.server_of, self.path, dict_of(self), body))

    def _answer(self, find: Callable[[], Answer]) -> None:
        try:
            self._send(*find())
        except Unanswered as fault:
            self.close_connection = True
            if fault.sent:
                self.wfile.write(fault.sent)
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: /sim/state tells what happened."""


def routes_of(server: UtilityServer) -> type[BaseHTTPRequestHandler]:
    """The request class that http.server wants, bound to `server`."""
    return type("UtilityRoutes", (Routes,), {"server_of": server})


def dict_of(request: BaseHTTPRequestHandler) -> dict[str, str]:
    """Header names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}


def get(server: UtilityServer, path: str, headers: Mapping[str, str]) -> Answer:
    """GET /healthz, /sim/state, /sim/errors, /p/<provider>/tasks/<task_id>."""
    if path == "/healthz":
        return 200, {"status": "ok", "utility": server.utility}, {}
    if path in ("/sim/state", "/sim/state?brief=1"):
        return 200, server.state(is_brief="?" in path), {}
    if path == "/sim/errors":
        return 200, {"errors": server.state()["errors"]}, {}
    match path.split("/"):
        case ["", "p", code, "tasks", task_id] if code in server.desks:
            return _read_back(server, code, task_id, headers)
    return _problem(404, "not_found")


def _read_back(server: UtilityServer, code: str, task_id: str, headers: Mapping[str, str]) -> Answer:
    _apply_outage(server)
    try:
        check(server.desks[code].provider.secret, headers, b"", server.wire_clock())
    except BadSignature as bad:
        return _problem(401, "bad_signature", str(bad))
    document = server.accepted[code].get(task_id)
    if document is None or server.faults.forgets():
        return _problem(404, "not_found")
    return 200, document, {}


def post(server: UtilityServer, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """POST /p/<provider> (or /p/<provider>/events), /sim/clock, /sim/faults, /sim/catch-up."""
    match path.split("/"):
        case ["", "p", code] | ["", "p", code, "events"] if code in server.desks:
            return _take_event(server, code, headers, body)
        case ["", "sim", name] if name in _SWITCHES:
            try:
                return 200, _SWITCHES[name](server, json.loads(body or b"{}")), {}
            except (BadFaults, KeyError, TypeError, ValueError) as bad:
                return _problem(422, "invalid", str(bad))
    return _problem(404, "not_found")


def _take_event(server: UtilityServer, code: str, headers: Mapping[str, str], body: bytes) -> Answer:
    _apply_outage(server)
    fault = server.faults.push_fault()
    if fault == "error":
        return _problem(500, "simulated_error")
    if fault == "busy":
        return 503, {"code": "simulated_busy"}, {"Retry-After": "1"}
    try:
        message_id = check(server.desks[code].provider.secret, headers, body, server.wire_clock())
        is_new = server.take_push(code, message_id, read_event(body))
    except BadSignature as bad:
        return _problem(401, "bad_signature", str(bad))
    except QueueFull:
        return 503, {"code": "queue_full"}, {"Retry-After": "1"}
    except ValueError as bad:
        return _problem(422, "invalid", str(bad))
    if fault == "garbage":
        raise Unanswered(b"\x00\xffthis is not HTTP\r\n\r\n")
    return 202, {"accepted": True, "duplicate": not is_new}, {}


def read_event(raw: bytes) -> Mapping[str, Any]:
    """An event from its bytes. Raises ValueError."""
    event = json.loads(raw)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or "occurred_at" not in event:
        raise ValueError("an event needs type, id, occurred_at and data")
    return event


def _apply_outage(server: UtilityServer) -> None:
    faults = server.faults.now
    if faults.slow_ms:
        time.sleep(faults.slow_ms / 1000)
    if server.faults.takes_down():
        raise Unanswered


def _set_clock(server: UtilityServer, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    now = dt.datetime.fromisoformat(raw["now"])
    if now.tzinfo is None:
        raise ValueError("now: a time needs its offset")
    server.set_clock(now.astimezone(dt.UTC))
    return {"now": now.isoformat()}


def _set_faults(server: UtilityServer, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"faults": repr(server.faults.set(raw))}


def _catch_up(server: UtilityServer, _raw: Mapping[str, Any]) -> Mapping[str, Any]:
    server.catch_up()
    return {"accepted": True}


_SWITCHES: Mapping[str, Callable[[UtilityServer, Any], Mapping[str, Any]]] = {
    "clock": _set_clock,
    "faults": _set_faults,
    "catch-up": _catch_up,
}


def _problem(status: int, code: str, detail: str = "") -> Answer:
    return status, {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}, {}
