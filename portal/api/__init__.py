"""The JSON interface, version 1."""

from __future__ import annotations

from flask import Flask

from portal.kernel.clock import Clock


def register_api(app: Flask, clock: Clock) -> None:
    """Serve `/api/v1`: who calls is found by the bearer key alone, never by a cookie. Call it after `register_web`."""
    from portal.api import applications, auth, limits, materials, reference, reports, sandbox, statuses, tasks, works
    from portal.api.description import bp as description_bp
    from portal.api.description_page import bp as page_bp

    auth.register_authentication(app, clock)
    limits.register_limits(app)
    for module in (applications, materials, tasks, reports, reference, sandbox, statuses, works):
        app.register_blueprint(module.bp)
    app.register_blueprint(description_bp)
    app.register_blueprint(page_bp)
