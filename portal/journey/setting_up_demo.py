"""Who and what a demo portal starts with: sign-ins with fresh passwords, provider endpoints, keys, the calendar."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.cases.application_document import subject_of
from portal.catalog.calendar import Calendar, exceptions_of
from portal.catalog.model import Catalog, Provider
from portal.journey import demo_clock, setting_up, signing_in
from portal.kernel.clock import SHANGHAI, local_date
from portal.kernel.crypto import Vault

STAFF = {
    "clerk": "窗口人员",
    "lead_agency": "牵头部门",
    "supervisor": "监管人员",
    "finance": "资金管理",
    "auditor": "审计人员",
    "admin": "系统管理员",
}


@dataclass(frozen=True, slots=True)
class DemoSetUp:
    """Shown once: sign-ins ({role, login, password, subject}), what provider systems must know, the portal's key."""

    people: list[dict[str, str]]
    providers: list[setting_up.ProviderSetUp]
    gov_portal_key: str


def set_up_demo(
    vault: Vault,
    catalog: Catalog,
    *,
    bodies: Sequence[object],
    push_url: Callable[[Provider], str],
    wire_at: dt.datetime,
) -> DemoSetUp:
    """Make everything a demo needs on an empty portal. `bodies`: the applications whose applicants shall sign in.

    Its calendar starts when the counter opens next: what happens then does not depend on when somebody tried it out.
    """
    demo_clock.set_clock(next_opening(catalog, wire_at))
    people = [_add(role, role.replace("_", "-"), name) for role, name in STAFF.items()]
    people += _applicants(bodies)
    people.append(_add("applicant", "newcomer", "新用户"))
    providers = []
    for provider in catalog.providers:
        made = setting_up.set_up_provider(vault, provider, push_url=push_url(provider), wire_at=wire_at)
        providers.append(made)
        people.append(_add("provider_staff", provider.code, provider.short_name, provider_code=provider.code))
    key = setting_up.set_up_portal_key("政务服务平台", subject_ids=(), wire_at=wire_at)
    return DemoSetUp(people, providers, key)


def next_opening(catalog: Catalog, at: dt.datetime) -> dt.datetime:
    """When the counter opens at or after `at`."""
    hour = dt.time.fromisoformat(catalog.hours.open_at)
    day = local_date(at)
    if at > dt.datetime.combine(day, hour, SHANGHAI):
        day += dt.timedelta(days=1)
    calendar = Calendar(exceptions_of(catalog.calendar_days))
    return dt.datetime.combine(calendar.add_working_days(day, 0), hour, SHANGHAI)


def _applicants(bodies: Sequence[object]) -> list[dict[str, str]]:
    """A sign-in for each applicant the applications name; one that names nobody gets none."""
    people: list[dict[str, str]] = []
    seen: set[str] = set()
    for body in bodies:
        subject = subject_of(body)
        if not isinstance(body, dict) or not subject or subject in seen:
            continue
        seen.add(subject)
        applicant, login = body["applicant"], f"applicant-{len(seen)}"
        name = str(applicant.get("name") or "申请人")[:100]
        if subject.startswith("uscc:"):
            uscc = subject.removeprefix("uscc:")
            people.append(_add("applicant", login, name, subject=uscc, organisation=(uscc, name)))
        else:
            people.append(_add("applicant", login, name, subject=str(applicant.get("id_no")), subject_id=subject))
    return people


def _add(role: str, login: str, name: str, *, subject: str = "", **seat: Any) -> dict[str, str]:
    password = secrets.token_urlsafe(9)
    signing_in.add_person(login=login, name=name, password=password, role=role, **seat)
    return {"role": role, "login": login, "password": password, "subject": subject}
