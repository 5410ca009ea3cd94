"""Who sends a request and when: the one place where pages meet the clocks and the session cookie."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, g, request
from flask_login import LoginManager, UserMixin, current_user

from portal.journey.signing_in import actor_of_session
from portal.kernel.clock import Clock
from portal.kernel.policy import ANONYMOUS, Actor

WITHOUT_PERSON = ("/api/", "/static/", "/healthz")


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps: the session's token, and whom it stands for right now."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        """The cookie carries the token of the server-side session, not the person."""
        return self.token


def bind_request(app: Flask, clock: Clock) -> None:
    """Set `g.at`, `g.wire_at` and `g.actor` before every page."""
    manager = LoginManager()
    manager.session_protection = None  # the session is checked on the server at each request
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> SignedIn | None:
        actor = actor_of_session(token, wire_at=g.wire_at)
        return SignedIn(token, actor) if actor.kind == "person" else None

    @app.before_request
    def bind() -> None:
        g.actor = ANONYMOUS
        if request.path.startswith(WITHOUT_PERSON):
            return
        g.at, g.wire_at = clock.business_now(), clock.wire_now()
        if current_user.is_authenticated:
            g.actor = cast(SignedIn, current_user).actor


def session_token() -> str | None:
    """The token of the session this request came with."""
    user: Any = current_user
    return user.token if user.is_authenticated else None
