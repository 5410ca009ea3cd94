"""Every view names its action. The name is what the URL-map test and the policy table share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g

from portal.kernel.policy import ANONYMOUS, POLICY, Actor, require

View = TypeVar("View", bound=Callable[..., Any])


def current_actor() -> Actor:
    """Whoever sent this request, as the sign-in layer found; anonymous when it found nobody."""
    return cast(Actor, getattr(g, "actor", ANONYMOUS))


def action(name: str, check: bool = True) -> Callable[[View], View]:
    """Mark a view with its policy action; `name` must stand in POLICY.

    With `check`, the view is entered only if `may(actor, name)` holds without facts: NotSignedIn for the anonymous,
    NotAllowed for others. Views whose answer depends on the object pass `check=False`; their use case calls
    `require(actor, action, facts)` once it knows the object.
    """
    assert name in POLICY, f"{name} is not in the policy table"

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if check:
                require(current_actor(), name)
            return view(*args, **kwargs)

        guarded.__dict__["policy_action"] = name
        return cast(View, guarded)

    return mark
