"""The gateway this portal pays through, as the composition root has set it."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app

from portal.billing.port import Gateway
from portal.kernel.settings import Settings

_EXTENSION = "yikou.gateway"


def use_gateway(app: Flask, gateway: Gateway, *, retry_scale: float | None = None) -> None:
    """Set the gateway of `app`, and by how much its waiting times are stretched (default: the app's setting)."""
    if retry_scale is None:
        settings = app.config.get("PORTAL")
        retry_scale = settings.retry_scale if isinstance(settings, Settings) else 1.0
    app.extensions[_EXTENSION] = (gateway, retry_scale)


def gateway_in_use() -> Gateway:
    """The gateway of the current application. Raises KeyError where none was set."""
    return cast(Gateway, current_app.extensions[_EXTENSION][0])


def retry_scale_in_use() -> float:
    """The factor on all waiting times before the gateway is asked again."""
    return cast(float, current_app.extensions[_EXTENSION][1])
