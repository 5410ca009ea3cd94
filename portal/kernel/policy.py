"""Who may do what: one table, deny by default. Every route names its action; facts about the object come as values.

`facts` keys used below: `applicant_ids` (organisations or persons the object belongs to), `provider` (code of the
provider whose part it is), `providers` (all providers of the case), `office` (agency seat), `mode`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from portal.kernel.errors import NotAllowed, NotFound, NotSignedIn

ActorKind = Literal["anonymous", "person", "provider", "portal", "system"]
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. `person` signs in, `provider` and `portal` hold a key, `system` is the worker.

    `roles`: applicant, clerk, provider_staff, lead_agency, supervisor, finance, auditor, admin.
    `subject_ids`: the person itself and every organisation it may act for right now.
    """

    kind: ActorKind = "anonymous"
    id: str = ""
    name: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    subject_ids: frozenset[str] = field(default_factory=frozenset)
    provider_code: str | None = None
    office_code: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system", id="system", name="系统")

Rule = Callable[[Actor, Facts], bool]


def anyone(_actor: Actor, _facts: Facts) -> bool:
    """Public."""
    return True


def signed_in(actor: Actor, _facts: Facts) -> bool:
    """Any person with a session."""
    return actor.kind == "person"


def role(*names: str) -> Rule:
    """A signed-in person with one of these roles."""

    def check(actor: Actor, _facts: Facts) -> bool:
        return actor.kind == "person" and not actor.roles.isdisjoint(names)

    return check


def own_application(actor: Actor, facts: Facts) -> bool:
    """A person acting for the applicant of the object."""
    ids = facts.get("applicant_ids")
    return actor.kind == "person" and isinstance(ids, frozenset) and not actor.subject_ids.isdisjoint(ids)


def own_part(actor: Actor, facts: Facts) -> bool:
    """Staff or system of the provider whose part the object is."""
    return actor.provider_code is not None and actor.provider_code == facts.get("provider")


def own_office(actor: Actor, facts: Facts) -> bool:
    """Staff of the agency seat the object waits for."""
    return actor.office_code is not None and actor.office_code == facts.get("office")


def key_with(scope: str) -> Rule:
    """A provider's or portal's key that carries `scope`."""

    def check(actor: Actor, _facts: Facts) -> bool:
        return actor.kind in ("provider", "portal") and scope in actor.scopes

    return check


def in_demo(_actor: Actor, facts: Facts) -> bool:
    """Only where the portal runs as a demo."""
    return facts.get("mode") == "demo"


def both(*rules: Rule) -> Rule:
    """All of these rules."""
    return lambda actor, facts: all(rule(actor, facts) for rule in rules)


_STAFF = role("clerk", "supervisor", "lead_agency", "admin", "auditor")

POLICY: dict[str, tuple[Rule, ...]] = {
    # public
    "public.page": (anyone,),
    "public.health": (anyone,),
    "public.verify": (anyone,),
    "public.badge": (anyone,),
    "public.progress": (anyone,),
    "public.static": (anyone,),
    "public.api_description": (anyone,),
    "gateway.notify": (anyone,),  # the signature is the credential
    # account
    "account.sign_in": (anyone,),
    "account.sign_out": (signed_in,),
    "account.home": (signed_in,),
    "account.password": (signed_in,),
    # applicant
    "application.start": (role("applicant", "clerk"),),
    "application.file": (role("applicant", "clerk"),),
    "application.view": (own_application, _STAFF),
    "application.list": (signed_in,),
    "material.upload": (role("applicant", "clerk"), key_with("applications")),
    "material.view": (own_application, own_part, _STAFF),
    "case.view": (own_application, _STAFF),
    "case.answer": (own_application, role("clerk")),
    "case.confirm": (own_application,),
    "case.sign": (own_application,),
    "case.pay": (own_application,),
    "case.confirm_flow": (own_application,),
    "document.view": (own_application, _STAFF, own_part, role("finance")),
    "document.render_again": (role("admin"),),
    # counter
    "counter.list": (role("clerk", "supervisor"),),
    "counter.accept": (role("clerk"),),
    "counter.override": (role("clerk"),),
    # desk
    "desk.list": (role("provider_staff"),),
    "desk.task": (both(role("provider_staff"), own_part),),
    "desk.crews": (role("provider_staff"),),
    "desk.report": (both(role("provider_staff"), own_part),),
    "desk.line": (role("provider_staff"),),
    # sandbox
    "sandbox.manage": (role("provider_staff"),),
    "sandbox.call": (anyone,),  # the sandbox's own key is the credential
    "desk.link": (anyone,),  # it only leads to the task, where one signs in
    # agency
    "agency.list": (role("lead_agency"),),
    "agency.decide": (role("lead_agency"),),
    # oversight
    "oversight.view": (role("supervisor", "lead_agency", "admin"),),
    "oversight.record": (role("supervisor", "auditor", "admin"),),
    "finance.view": (role("finance", "auditor", "supervisor"),),
    "health.view": (role("admin", "supervisor"),),
    # exchange: how providers are reached
    "exchange.switch_level": (role("admin"),),
    "exchange.give_to_desk": (role("admin"),),
    "exchange.resolve": (role("admin"),),
    "exchange.replay": (role("admin"),),
    "exchange.list": (role("admin", "supervisor", "lead_agency", "provider_staff"),),
    "exchange.view": (role("admin", "supervisor", "lead_agency"), both(role("provider_staff"), own_part)),
    "exchange.map": (role("admin"),),
    # api
    "api.file": (key_with("applications"),),
    "api.material": (key_with("applications"),),
    "api.status": (key_with("applications"),),
    "api.ping": (key_with("tasks"), key_with("applications")),
    "api.tasks": (key_with("tasks"),),
    "api.report": (key_with("reports"),),
    "api.material_read": (key_with("tasks"),),
    "api.codes": (key_with("tasks"),),
    "api.fee_items": (key_with("tasks"),),
    "api.works": (key_with("tasks"),),
    "api.settlements": (key_with("tasks"),),
    # demo
    "demo.clock": (in_demo,),
}


def may(actor: Actor, action: str, facts: Facts | None = None) -> bool:
    """Whether `actor` may do `action` on an object with these `facts`. An unknown action is a programming error."""
    rules = POLICY[action]
    return any(rule(actor, facts or {}) for rule in rules)


def require(actor: Actor, action: str, facts: Facts | None = None) -> None:
    """Return if `actor` may do `action`; otherwise raise.

    NotSignedIn for the anonymous; NotFound when `facts` tell of an object (foreign and absent look the same);
    NotAllowed when the action itself is not theirs.
    """
    if may(actor, action, facts):
        return
    if actor.kind == "anonymous":
        raise NotSignedIn("请先登录。")
    if facts is not None:
        raise NotFound
    raise NotAllowed("您没有办理这一事项的权限。")
