"""Thin pages, one blueprint per audience. `register_web` puts them onto the application."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_wtf import CSRFProtect

from portal.kernel.clock import Clock
from portal.kernel.policy import ANONYMOUS
from portal.kernel.settings import Settings
from portal.web import (
    account,
    agency,
    applicant,
    applications,
    counter,
    demo,
    desk,
    desk_line,
    desk_links,
    desk_visits,
    documents,
    errors,
    filters,
    finance,
    gateway,
    hand_overs,
    headers,
    health,
    mappings,
    oversight,
    public,
    requests,
    sandbox,
)
from portal.web.navigation import entries_for

PAGES = (
    public,
    account,
    applicant,
    applications,
    counter,
    desk,
    desk_line,
    desk_links,
    sandbox,
    desk_visits,
    agency,
    oversight,
    finance,
    health,
    hand_overs,
    mappings,
    documents,
)


def register_web(app: Flask, clock: Clock, settings: Settings) -> CSRFProtect:
    """Pages, sign-in, CSRF, headers and error pages; answers the CSRF guard, from which app.py takes the API out."""
    _configure(app, settings)
    requests.bind_request(app, clock)  # before the CSRF guard: its refusal is a page, and a page shows who reads it
    csrf = CSRFProtect(app)
    filters.register_filters(app)
    headers.register_headers(app, cashier=settings.gateway_url, is_https=settings.base_url.startswith("https://"))
    errors.register_errors(app)
    _register_pages(app, csrf, settings)
    _register_words(app, settings)
    return csrf


def _configure(app: Flask, settings: Settings) -> None:
    is_production = settings.mode == "production"
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session: a long form never goes stale
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=is_production,
        SESSION_COOKIE_NAME="__Host-yikou" if is_production else "yikou",
        MAX_FORM_PARTS=5_000,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )


def _register_pages(app: Flask, csrf: CSRFProtect, settings: Settings) -> None:
    for module in PAGES:
        app.register_blueprint(module.bp)
    app.register_blueprint(gateway.bp)
    csrf.exempt(gateway.bp)  # its signature is the credential
    if settings.mode == "demo":
        app.register_blueprint(demo.bp)
        app.register_blueprint(demo.clock_bp)
        csrf.exempt(demo.clock_bp)


def _register_words(app: Flask, settings: Settings) -> None:
    @app.context_processor
    def words() -> dict[str, Any]:
        # An error page may come before the request was bound: a foreign host name, a database that does not answer.
        actor = g.get("actor", ANONYMOUS)
        return {
            "actor": actor,
            "now_at": g.get("at"),
            "is_demo": settings.mode == "demo",
            "city_name": "巴彦淖尔市",
            "navigation": lambda: entries_for(actor),
        }
