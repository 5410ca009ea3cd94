"""Calls to the portal and their signatures, as the protocol page describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

TOLERANCE_S = 300
TRIES = 8


class Signer:
    """Standard Webhooks 1.0 over the raw body."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))

    def signature(self, message_id: str, seconds: str, body: bytes) -> str:
        digest = hmac.new(self._key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
        return "v1," + base64.b64encode(digest).decode()

    def headers(self, message_id: str, body: bytes) -> dict:
        seconds = str(int(time.time()))
        signed = self.signature(message_id, seconds, body)
        return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": signed}

    def is_good(self, headers, body: bytes) -> bool:
        message_id, seconds = headers.get("webhook-id") or "", headers.get("webhook-timestamp") or ""
        if not message_id or not seconds.isdigit() or abs(time.time() - int(seconds)) > TOLERANCE_S:
            return False
        mine = self.signature(message_id, seconds, body)
        return any(hmac.compare_digest(mine, one) for one in (headers.get("webhook-signature") or "").split(" "))


class Portal:
    """Calls to the portal: bearer key always, signature on what changes something."""

    def __init__(self, url: str, key: str, signer: Signer) -> None:
        self._url, self._key, self._signer = url, key, signer
        # No proxy: the portal is called directly.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def get(self, path: str, **query: object) -> tuple[int, dict]:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return self.call("GET", path + ("?" + urllib.parse.urlencode(given) if given else ""))

    def read_bytes(self, url: str) -> bytes:
        with self._open(self._request("GET", urllib.parse.urljoin(self._url, url), None, {}), timeout=40) as answer:
            return answer.read()

    def post(self, path: str, body: dict, message_id: str | None = None) -> tuple[int, dict]:
        """The same id and the same bytes on every try, until the portal answers for good."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        name = message_id or uuid.uuid4().hex
        status, answer = 0, {}
        for attempt in range(TRIES):
            status, answer = self.call("POST", path, raw, self._signer.headers(name, raw))
            if status not in (0, 429, 503) and not (status == 409 and answer.get("code") == "in_flight"):
                break
            time.sleep(0.1 * 2**attempt)
        return status, answer

    def call(self, method: str, path: str, raw: bytes | None = None, headers: dict | None = None) -> tuple[int, dict]:
        request = self._request(method, self._url + path, raw, headers or {})
        try:
            with self._open(request, timeout=40) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"{}")
        except OSError as lost:
            return 0, {"detail": repr(lost)}

    def _request(self, method: str, url: str, raw: bytes | None, headers: dict) -> urllib.request.Request:
        named = {"Authorization": f"Bearer {self._key}", "Accept": "application/json", **headers}
        if raw is not None:
            named["Content-Type"] = "application/json"
        return urllib.request.Request(url, data=raw, headers=named, method=method)
