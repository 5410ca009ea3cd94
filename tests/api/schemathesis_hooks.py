"""Loaded by schemathesis: a provider's credentials on whatever bytes are about to leave."""

from __future__ import annotations

import os
import uuid

import requests
import schemathesis

from portal.exchange.signatures import sign
from portal.kernel.clock import RealClock

KEY, SECRET = os.environ["TRIED_KEY"], os.environ["TRIED_SECRET"]


class Signed(requests.auth.AuthBase):
    """The bearer key on every call, the signature on those that change something."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        request.headers["Authorization"] = f"Bearer {KEY}"
        if request.method == "POST":
            request.headers.update(sign((SECRET,), uuid.uuid4().hex, RealClock().wire_now(), raw))
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["auth"] = Signed()
