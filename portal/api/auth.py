"""Who calls the API: a bearer key on every call, and a signature over the body on those that change a task."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, g, request

from portal.exchange import access
from portal.exchange.signatures import verify
from portal.journey.provider_reads import signing_secrets
from portal.kernel.clock import Clock
from portal.kernel.database import db
from portal.kernel.errors import NotSignedIn
from portal.kernel.policy import ANONYMOUS, Actor

PREFIX = "/api/v1/"
_MAX_HEADER = 400


def register_authentication(app: Flask, clock: Clock) -> None:
    """Set `g.actor`, `g.at` and `g.wire_at` before each call under /api/v1."""

    def authenticate() -> None:
        if not request.path.startswith(PREFIX):
            return
        g.at, g.wire_at = clock.business_now(), clock.wire_now()
        g.actor = ANONYMOUS  # a session cookie is no credential here
        if "Authorization" in request.headers:
            g.actor = _read_actor()

    app.before_request(authenticate)


def _read_actor() -> Actor:
    header = request.headers["Authorization"]
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or len(header) > _MAX_HEADER:
        raise NotSignedIn("请在 Authorization 请求头中提供 Bearer 访问密钥。", code="bad_key")
    return access.actor_of_key(db.session(), key.strip(), g.wire_at)


def caller_key(actor: Actor) -> str | None:
    """The idempotency key of a call that changes something: `Idempotency-Key`, else the `webhook-id`.

    A provider signs such a call over its raw body; a government portal has no secret to sign with. Set
    `request.max_content_length` first. Raises NotSignedIn `bad_signature`.
    """
    key = request.headers.get("Idempotency-Key")
    if actor.kind != "provider":
        return key
    message_id = signed_message_id(actor, dict(request.headers), request.get_data())
    return key or message_id


def signed_message_id(actor: Actor, headers: Mapping[str, str], body: bytes) -> str:
    """The `webhook-id` of a call signed by this provider. Raises NotSignedIn `bad_signature`."""
    return verify(signing_secrets(actor), headers, body, g.wire_at)
