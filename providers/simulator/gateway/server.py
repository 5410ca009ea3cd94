"""The gateway simulator's HTTP side. It refuses to start unless GATEWAY_MODE=sim, and listens on loopback only.

API (signed both ways): create, query and close combined and plain orders, trade bill and its download.
People: GET and POST /cashier/<token>. Tests: /sim/clock, /sim/faults, /sim/effects, /sim/state.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from portal.kernel.clock import RealClock, parse_instant
from providers.payment.keys import PlatformKeys, load_platform_keys, make_keys
from providers.payment.seals import BadSeal, answer_headers, verify_authorization
from providers.simulator.gateway.book import Book, Refused
from providers.simulator.gateway.faults import Faults
from providers.simulator.gateway.messages import order_state, statement_file
from providers.simulator.gateway.notifier import Notifier
from providers.simulator.gateway.pages import cashier_page, message_page

LOOPBACK = "127.0.0.1"
MAX_BODY = 1 << 20
Route = Callable[["GatewaySimulator", re.Match[str], Mapping[str, Any], Mapping[str, str]], "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, bytes, media type; JSON answers of the API are signed when they are written."""

    status: int
    body: bytes = b""
    media_type: str = "application/json; charset=utf-8"


def reply_json(status: int, body: Mapping[str, Any]) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(body, ensure_ascii=False).encode())


class GatewaySimulator:
    """One running gateway. `url` is its address; `book`, `faults` and `notifier` are there to look at."""

    def __init__(self, keys: PlatformKeys, *, port: int, retry_scale: float, fee_ppm: int) -> None:
        self.keys, self.faults, self.book = keys, Faults(), Book(fee_ppm=fee_ppm)
        self.wire_now = RealClock().wire_now
        self._business: dt.datetime | None = None
        self.notifier = Notifier(keys, self.faults, self.wire_now, retry_scale=retry_scale)
        self._server = _Server((LOOPBACK, port), _Handler)
        self._server.gateway = self
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    def start(self) -> GatewaySimulator:
        """Serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and notifying."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.notifier.close()

    def now(self) -> dt.datetime:
        """Business time: as told by /sim/clock, else real time."""
        return self._business or self.wire_now()

    def set_clock(self, at: dt.datetime) -> None:
        """Set business time; it never runs by itself after that."""
        self._business = at

    def pay(self, token: str) -> bool:
        """What the cashier's button does. Raises Refused."""
        is_new = self.book.pay(token, self.now())
        if is_new:
            self.notifier.announce(self.book.by_token[token])
        return is_new


def start_gateway(
    keys_folder: Path,
    *,
    environ: Mapping[str, str],
    port: int = 0,
    retry_scale: float = 1.0,
    fee_ppm: int = 0,
) -> GatewaySimulator:
    """Start a gateway on 127.0.0.1 (port 0: any free one); makes the keys if need be.

    Raises RuntimeError unless `environ` has GATEWAY_MODE=sim: it must never stand where a real gateway is expected.
    """
    if environ.get("GATEWAY_MODE") != "sim":
        raise RuntimeError("set GATEWAY_MODE=sim to start the gateway simulator; it takes no real money")
    make_keys(keys_folder)
    keys = load_platform_keys(keys_folder)
    return GatewaySimulator(keys, port=port, retry_scale=retry_scale, fee_ppm=fee_ppm).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    gateway: GatewaySimulator


def _create(gateway: GatewaySimulator, body: Mapping[str, Any], *, is_combined: bool) -> Reply:
    order = gateway.book.create(body, is_combined=is_combined)
    if gateway.faults.strikes("fail_after_commit_every"):
        return reply_json(500, {"code": "SYSTEM_ERROR", "message": "the order may or may not exist"})
    return reply_json(200, {"code_url": f"{gateway.url}/cashier/{order.token}"})


def _create_combined(
    gateway: GatewaySimulator, _m: re.Match[str], body: Mapping[str, Any], _q: Mapping[str, str]
) -> Reply:
    return _create(gateway, body, is_combined=True)


def _create_plain(
    gateway: GatewaySimulator, _m: re.Match[str], body: Mapping[str, Any], _q: Mapping[str, str]
) -> Reply:
    return _create(gateway, body, is_combined=False)


def _query(gateway: GatewaySimulator, m: re.Match[str], _b: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
    order = gateway.book.find(m["number"])
    if not order.is_combined and query.get("mchid") != order.parts[0].merchant_id:
        raise Refused(404, "ORDER_NOT_EXIST")
    return reply_json(200, order_state(order))


def _close(gateway: GatewaySimulator, m: re.Match[str], body: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    subs = body.get("sub_orders")
    gateway.book.close(m["number"], {str(sub["out_trade_no"]) for sub in subs} if isinstance(subs, list) else None)
    return Reply(204)


def _trade_bill(gateway: GatewaySimulator, _m: re.Match[str], _b: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
    day = dt.date.fromisoformat(query.get("bill_date", ""))
    content = statement_file(gateway.book, day, gateway.faults.statement)
    if content is None:
        raise Refused(400, "NO_STATEMENT_EXIST")
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    gateway.book.activity["statement"] += 1
    url = f"{gateway.url}/v3/billdownload/file?token={day.isoformat()}"
    return reply_json(200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url})


def _download(gateway: GatewaySimulator, _m: re.Match[str], _b: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
    content = statement_file(gateway.book, dt.date.fromisoformat(query.get("token", "")), gateway.faults.statement)
    return Reply(200, gzip.compress(content or b""), "application/octet-stream")


def _cashier(gateway: GatewaySimulator, m: re.Match[str], _b: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    order = gateway.book.by_token.get(m["token"])
    page = message_page("没有这个订单", "请回到缴费页面重新打开。") if order is None else cashier_page(order)
    return Reply(404 if order is None else 200, page.encode(), "text/html; charset=utf-8")


def _confirm(gateway: GatewaySimulator, m: re.Match[str], _b: Mapping[str, Any], query: Mapping[str, str]) -> Reply:
    try:
        gateway.pay(m["token"])
    except Refused as refused:
        page = message_page("不能支付", "该订单已关闭或不存在，请回到缴费页面重新发起。")
        return Reply(refused.status, page.encode(), "text/html; charset=utf-8")
    return _cashier(gateway, m, {}, query)


def _clock(gateway: GatewaySimulator, _m: re.Match[str], body: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    gateway.set_clock(parse_instant(str(body["now"])))
    return reply_json(200, {"now": gateway.now().isoformat()})


def _faults(gateway: GatewaySimulator, _m: re.Match[str], body: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    gateway.faults.set(body)
    return reply_json(200, {})


def _effects(gateway: GatewaySimulator, _m: re.Match[str], _b: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    book = gateway.book
    with book.lock:
        return reply_json(200, {"effects": book.effects, "balances": dict(book.balances)})


def _state(gateway: GatewaySimulator, _m: re.Match[str], _b: Mapping[str, Any], _q: Mapping[str, str]) -> Reply:
    activity = {**gateway.book.activity, "notified": gateway.notifier.sent}
    busy = gateway.notifier.busy
    return reply_json(200, {"now": gateway.now().isoformat(), "busy": busy, "activity": activity, "errors": []})


_NUMBER = r"(?P<number>[0-9A-Za-z_*|-]{6,32})"
ROUTES: tuple[tuple[str, re.Pattern[str], Route], ...] = tuple(
    (method, re.compile(pattern), route)
    for method, pattern, route in (
        ("POST", r"/v3/combine-transactions/native", _create_combined),
        ("GET", rf"/v3/combine-transactions/out-trade-no/{_NUMBER}", _query),
        ("POST", rf"/v3/combine-transactions/out-trade-no/{_NUMBER}/close", _close),
        ("POST", r"/v3/pay/transactions/native", _create_plain),
        ("GET", rf"/v3/pay/transactions/out-trade-no/{_NUMBER}", _query),
        ("POST", rf"/v3/pay/transactions/out-trade-no/{_NUMBER}/close", _close),
        ("GET", r"/v3/bill/tradebill", _trade_bill),
        ("GET", r"/v3/billdownload/file", _download),
        ("GET", r"/cashier/(?P<token>[\w-]{8,40})", _cashier),
        ("POST", r"/cashier/(?P<token>[\w-]{8,40})", _confirm),
        ("POST", r"/sim/clock", _clock),
        ("POST", r"/sim/faults", _faults),
        ("GET", r"/sim/effects", _effects),
        ("GET", r"/sim/state", _state),
    )
)


def _find_route(method: str, path: str) -> tuple[Route, re.Match[str]]:
    for verb, pattern, route in ROUTES:
        if verb == method and (match := pattern.fullmatch(path)):
            return route, match
    raise Refused(404, "NOT_FOUND")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the effect log is what tests read."""

    def _serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length <= MAX_BODY else b""
        if length > MAX_BODY:
            self.close_connection = True
        try:
            reply = self._answer(method, raw)
        except Refused as refused:
            reply = reply_json(refused.status, {"code": refused.code, "message": refused.message})
        except BadSeal as bad:
            reply = reply_json(401, {"code": "SIGN_ERROR", "message": str(bad)})
        except (ValueError, KeyError, TypeError) as bad:
            reply = reply_json(400, {"code": "PARAM_ERROR", "message": str(bad)[:200]})
        self._write(reply)

    def _answer(self, method: str, raw: bytes) -> Reply:
        gateway, parts = self.server.gateway, urlsplit(self.path)
        route, match = _find_route(method, parts.path)
        if parts.path.startswith("/v3/"):
            header = self.headers.get("Authorization") or ""
            keys, now = gateway.keys.merchant_keys, gateway.wire_now()
            verify_authorization(header, keys, method=method, target=self.path, body=raw, at=now)
            time.sleep(gateway.faults.slow_ms / 1000)
            if gateway.faults.strikes("error_500_every"):
                raise Refused(500, "SYSTEM_ERROR", "try again with the same number")
        is_json = raw and not parts.path.startswith("/cashier/")
        body = json.loads(raw) if is_json else {}
        if not isinstance(body, dict):
            raise Refused(400, "PARAM_ERROR", "an object is needed")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return route(gateway, match, body, query)

    def _write(self, reply: Reply) -> None:
        gateway = self.server.gateway
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.media_type.startswith("application/json"):
            keys = gateway.keys
            signed = answer_headers(keys.private_key, serial=keys.serial, body=reply.body, at=gateway.wire_now())
            for name, value in signed.items():
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
