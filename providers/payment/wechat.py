"""WeChat Pay API v3 as a `Gateway`: our own thin client, because the usual one trusts stale notices.

Requests are signed when they are sent, over bytes that were fixed before. An answer counts only with the platform's
signature and within 300 s; anything else is `Unknown`, never success or failure.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from portal.billing.port import (
    Answer,
    Closed,
    Created,
    Notice,
    Order,
    OrderState,
    Rejected,
    Request,
    Statement,
    Theirs,
    Unknown,
)
from portal.kernel.errors import Invalid, NotSignedIn
from providers.payment import seals, wire
from providers.payment.keys import MerchantKeys

CONNECT_S, READ_S = 3.05, 10.0
MAX_ANSWER, MAX_STATEMENT = 1 << 20, 64 << 20


@dataclass(frozen=True, slots=True)
class WechatContract:
    """What the contract fixes: our numbers, where the gateway is, and where it tells us."""

    base_url: str
    app_id: str
    merchant_id: str
    notify_url: str
    keys: MerchantKeys


class WechatGateway:
    """Implements `portal.billing.port.Gateway`. `wire_now` gives real time for signatures."""

    channel = "wechat"

    def __init__(self, contract: WechatContract, wire_now: Callable[[], dt.datetime]) -> None:
        self._contract = contract
        self._now = wire_now
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc may come between us and the gateway
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=16))

    def render_order(self, order: Order) -> Request:
        """See the port."""
        c = self._contract
        return wire.render_order(order, app_id=c.app_id, merchant_id=c.merchant_id, notify_url=c.notify_url)

    def send(self, request: Request) -> Answer:
        """See the port."""
        return self._call("POST", request.path, request.body)

    def read_order_answer(self, answer: Answer) -> Created | Rejected | Unknown:
        """See the port."""
        if failure := _failure(answer):
            return failure
        try:
            url = wire.read_object(answer.body).get("code_url")
        except Invalid:
            return Unknown("unreadable answer")
        return Created(url) if isinstance(url, str) and 0 < len(url) <= 500 else Unknown("no code_url")

    def query_order(self, order: Order) -> OrderState | Rejected | Unknown:
        """See the port."""
        answer = self._call("GET", wire.query_target(order), b"")
        if failure := _failure(answer):
            return failure
        try:
            return self.read_order(answer.body)
        except Invalid:
            return Unknown("unreadable answer")

    def close_order(self, order: Order) -> Closed | Rejected | Unknown:
        """See the port."""
        answer = self.send(wire.close_request(order, app_id=self._contract.app_id))
        return _failure(answer) or Closed()

    def verify_notice(self, headers: Mapping[str, str], raw: bytes, wire_at: dt.datetime) -> Notice:
        """See the port."""
        keys = self._contract.keys
        try:
            seals.verify_answer(headers, raw, keys.platform_keys, at=wire_at)
            body = wire.read_object(raw)
            resource = body.get("resource")
            content = seals.open_resource(keys.api_v3_key, resource if isinstance(resource, dict) else {})
        except (seals.BadSeal, Invalid) as bad:
            raise NotSignedIn("通知的签名无效。", code="bad_signature") from bad
        notice_id, event_type = body.get("id"), body.get("event_type")
        if not isinstance(notice_id, str) or not 0 < len(notice_id) <= 64:
            raise NotSignedIn("通知没有编号。", code="bad_notice")
        return Notice(notice_id, str(event_type)[:64], content)

    def read_order(self, content: bytes) -> OrderState:
        """See the port."""
        return wire.read_order(content, merchant_id=self._contract.merchant_id)

    def is_our_account(self, state: OrderState) -> bool:
        """See the port."""
        return (state.app_id, state.merchant_id) == (self._contract.app_id, self._contract.merchant_id)

    def statement(self, day: dt.date) -> Statement | Rejected | Unknown:
        """See the port. The download itself is unsigned: the hash in the signed answer is what vouches for it."""
        answer = self._call("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL&tar_type=GZIP", b"")
        if failure := _failure(answer):
            return failure
        try:
            body = wire.read_object(answer.body)
        except Invalid:
            return Unknown("unreadable answer")
        target = _own_target(str(body.get("download_url")), self._contract.base_url)
        if target is None or body.get("hash_type") != "SHA1":
            return Unknown("the statement is not where the gateway is")
        packed = self._call("GET", target, b"", limit=MAX_STATEMENT, is_signed=False)
        if failure := _failure(packed):
            return failure
        content = _unpack(packed.body)
        digest = hashlib.sha1(content or b"", usedforsecurity=False).hexdigest()
        if content is None or digest != str(body.get("hash_value")).lower():
            return Unknown("the statement's hash differs")
        return Statement(day, content, digest)

    def read_statement(self, content: bytes) -> tuple[Theirs, ...]:
        """See the port."""
        return wire.read_statement(content)

    def _call(
        self, method: str, target: str, body: bytes, *, limit: int = MAX_ANSWER, is_signed: bool = True
    ) -> Answer:
        c = self._contract
        headers = {
            "Authorization": seals.authorization(
                c.keys.private_key,
                merchant_id=c.merchant_id,
                serial=c.keys.serial,
                method=method,
                target=target,
                body=body,
                at=self._now(),
            ),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "yikou",
        }
        try:
            with self._session.request(
                method,
                c.base_url + target,
                data=body or None,
                headers=headers,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read(response, limit)
                if is_signed:
                    seals.verify_answer(response.headers, content, c.keys.platform_keys, at=self._now())
                return Answer(response.status_code, content)
        except (requests.RequestException, seals.BadSeal, ValueError) as bad:
            return Answer(0, json.dumps({"message": str(bad)[:200]}).encode())


def _read(response: requests.Response, limit: int) -> bytes:
    content = b""
    # The raw stream: a transport encoding could hide a far larger body than was counted.
    for chunk in iter(lambda: response.raw.read(65_536, decode_content=False), b""):
        content += chunk
        if len(content) > limit:
            raise ValueError("the answer is too large")
    return content


def _failure(answer: Answer) -> Rejected | Unknown | None:
    if 200 <= answer.status < 300:
        return None
    try:
        body = wire.read_object(answer.body)
    except Invalid:
        body = {}
    code, message = str(body.get("code", answer.status))[:64], str(body.get("message", ""))[:200]
    if 400 <= answer.status < 500 and answer.status not in (401, 408, 429):
        return Rejected(code, message)
    return Unknown(f"{answer.status} {code} {message}".strip())


def _own_target(url: str, base_url: str) -> str | None:
    parts, base = urlsplit(url), urlsplit(base_url)
    if (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _unpack(packed: bytes) -> bytes | None:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(packed, MAX_STATEMENT)
    except zlib.error:
        return None
    return content if unpacker.eof else None
