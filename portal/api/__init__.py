"""The JSON interface, version 1."""

from __future__ import annotations

from flask import Flask

from portal.kernel.clock import Clock


def register_api(app: Flask, clock: Clock) -> None:
    """Serve `/api/v1`: who calls is found by the bearer key alone, never by a cookie. Call it after `register_web`."""
    from portal.api import applications, auth, description, materials, reference, reports, tasks

    auth.register_authentication(app, clock)
    for module in (applications, materials, tasks, reports, reference, description):
        app.register_blueprint(module.bp)
