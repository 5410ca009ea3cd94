"""Thin pages, one blueprint per audience. `register_web` puts them onto the application."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_wtf import CSRFProtect

from portal.kernel.clock import Clock
from portal.kernel.settings import Settings


def register_web(app: Flask, clock: Clock, settings: Settings) -> CSRFProtect:
    """Pages, sign-in, CSRF, headers and error pages; answers the CSRF guard, from which app.py takes the API out."""
    from portal.web import (
        account,
        agency,
        applicant,
        applications,
        counter,
        demo,
        desk,
        documents,
        errors,
        filters,
        finance,
        gateway,
        headers,
        health,
        navigation,
        oversight,
        public,
        requests,
    )

    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session: a long form never goes stale
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.mode == "production",
        SESSION_COOKIE_NAME="__Host-yikou" if settings.mode == "production" else "yikou",
        MAX_FORM_PARTS=5_000,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )
    csrf = CSRFProtect(app)
    requests.bind_request(app, clock)
    filters.register_filters(app)
    headers.register_headers(app, cashier=settings.gateway_url, is_https=settings.base_url.startswith("https://"))
    errors.register_errors(app)
    pages = [public, account, applicant, applications, counter, desk, agency, oversight, finance, health, documents]
    for module in pages:
        app.register_blueprint(module.bp)
    app.register_blueprint(gateway.bp)
    csrf.exempt(gateway.bp)  # its signature is the credential
    if settings.mode == "demo":
        app.register_blueprint(demo.bp)
        csrf.exempt(demo.clock_bp)
        app.register_blueprint(demo.clock_bp)

    @app.context_processor
    def words() -> dict[str, Any]:
        return {
            "actor": g.actor,
            "now_at": g.at,
            "is_demo": settings.mode == "demo",
            "city_name": "巴彦淖尔市",
            "navigation": lambda: navigation.entries_for(g.actor),
        }

    return csrf
