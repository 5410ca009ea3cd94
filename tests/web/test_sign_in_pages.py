"""Signing in through the pages, tokens in forms, headers, error pages, and who gets in where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.journey import signing_in
from portal.kernel.database import db
from portal.kernel.settings import Settings
from portal.web.navigation import ENTRIES
from providers.simulator.html_pages import Form, Page
from tests.web.staff_world import PASSWORD, Town, Visitor

STAFF = ("clerk", "lead_agency", "supervisor", "finance", "auditor", "admin")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """No context stays open between requests: one that did would carry who signed in from one to the next."""
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
    yield town
    with town.app.app_context():
        db.engine.dispose()


@pytest.fixture
def visitor(town: Town) -> Visitor:
    with town.app.app_context():
        signing_in.add_person(login="zhao", name="赵某", password=PASSWORD, role="applicant")
    return Visitor(town.app.test_client())


def signed_in(town: Town, role: str, **seat: str) -> Visitor:
    with town.app.app_context():
        return town.sign_in(role, **seat)


def sign_in_form(page: Page) -> Form:
    return next(form for form in page.forms if form.named("password"))


def post_sign_in(visitor: Visitor, path: str = "/sign-in", password: str = PASSWORD):
    token = sign_in_form(visitor.page("/sign-in")).named("csrf_token")[0].value
    return visitor.client.post(path, data={"login": "zhao", "password": password, "csrf_token": token})


def test_signing_in_and_out(visitor):
    assert post_sign_in(visitor).headers["Location"] == "/home"
    page = visitor.page("/cases")
    assert "赵某" in page.text
    cookie = visitor.client.get_cookie("yikou")
    visitor.send(next(form for form in page.forms if form.action.endswith("/sign-out")), {})
    answer = visitor.client.get("/cases")
    assert answer.headers.get("Location") == "/sign-in?next=/cases", answer.text
    visitor.client.set_cookie("yikou", cookie.value)  # whoever kept the cookie has nothing
    assert visitor.client.get("/cases").status_code == 302


def test_a_wrong_password_keeps_the_login_and_never_shows_the_password(visitor):
    answer = post_sign_in(visitor, password="not the one")
    assert answer.status_code == 422
    assert 'value="zhao"' in answer.text
    assert "not the one" not in answer.text
    assert 'href="#login"' in answer.text


def test_too_many_tries_are_told_with_429(visitor):
    for _ in range(signing_in.FREE_TRIES):
        post_sign_in(visitor, password="wrong")
    answer = post_sign_in(visitor)
    assert answer.status_code == 429
    assert "请稍后再试" in answer.text


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"]
)
def test_signing_in_leads_nowhere_else(visitor, address):
    answer = visitor.client.post(
        "/sign-in",
        query_string={"next": address},
        data={
            "login": "zhao",
            "password": PASSWORD,
            "csrf_token": sign_in_form(visitor.page("/sign-in")).named("csrf_token")[0].value,
        },
    )
    assert answer.headers["Location"] == "/home"


def test_one_comes_back_to_the_page_one_wanted(visitor):
    assert post_sign_in(visitor, "/sign-in?next=/cases").headers["Location"] == "/cases"


def test_a_new_password_by_form(visitor):
    post_sign_in(visitor)
    form = next(form for form in visitor.page("/password").forms if form.named("old"))
    page = visitor.send(form, {"old": "wrong", "new": "x", "again": "y"}, status=422)
    assert {name for name, _ in page.errors} == {"old", "new", "again"}
    page = visitor.send(form, {"old": PASSWORD, "new": "another long phrase", "again": "another long phrase"})
    assert "密码已修改" in page.text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/password", "/applications/new", "/cases/LB1/pay"])
def test_a_form_without_its_token_does_nothing_and_gets_a_page(visitor, path):
    answer = visitor.client.post(path, data={"login": "zhao", "password": PASSWORD})
    assert answer.status_code == 400
    assert "yk-header" in answer.text
    assert "csrf" not in answer.get_data(as_text=True).lower().replace("csrf_token", "")


def test_the_token_of_another_session_is_no_good(town, visitor):
    stranger = Visitor(town.app.test_client())
    token = sign_in_form(stranger.page("/sign-in")).named("csrf_token")[0].value
    visitor.page("/sign-in")
    data = {"login": "zhao", "password": PASSWORD, "csrf_token": token}
    assert visitor.client.post("/sign-in", data=data).status_code == 400


def test_every_page_carries_the_security_headers(visitor):
    for path in ("/", "/sign-in", "/nowhere", "/cases", "/static/css/yikou.css", "/healthz"):
        with visitor.client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert path.startswith("/static/") or headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_out_of_reach_of_scripts(visitor):
    answer = post_sign_in(visitor)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_in_production_the_cookie_is_bound_to_the_host_and_to_https(tmp_path):
    from app import create_app

    settings = Settings(
        mode="production",
        instance=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'p.db'}",
        base_url="https://yikou.example",
    )
    app = create_app(settings)
    assert app.config["SESSION_COOKIE_NAME"] == "__Host-yikou"
    assert app.config["SESSION_COOKIE_SECURE"] is True
    with app.app_context():
        db.create_all()
    answer = app.test_client().get("/", base_url="https://yikou.example")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    foreign = app.test_client().get("/", base_url="https://evil.example")
    assert foreign.status_code == 400
    assert "请返回" in foreign.text


def test_refusals_are_pages_with_a_way_out(visitor):
    assert visitor.page("/nowhere", status=404).text.count("返回首页") == 1
    assert visitor.client.put("/sign-in").status_code == 405
    post_sign_in(visitor)
    refused = visitor.page("/counter", status=403)
    assert "没有权限" in refused.text
    assert "Traceback" not in refused.text


def test_a_crash_shows_a_page_and_no_trace(town, visitor, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.web.public.open_catalog", broken)
    answer = visitor.client.get("/")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "系统出了点问题" in answer.text


def test_the_api_takes_no_session_cookie(town):
    clerk = signed_in(town, "clerk")
    answer = clerk.client.post("/api/v1/applications", json={}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_healthz_says_ok_and_nothing_else(visitor):
    answer = visitor.client.get("/healthz")
    assert answer.get_json() == {"status": "ok"}
    assert "Set-Cookie" not in answer.headers


def test_the_demo_clock_is_not_there_outside_the_demo(visitor):
    assert visitor.client.get("/demo/clock").status_code == 404
    assert visitor.client.post("/demo/clock", json={"advance": True}).status_code in (400, 404)


ALLOWED = {
    "/applications/new": {"applicant", "clerk"},
    "/counter": {"clerk", "supervisor"},
    "/desk": {"provider_staff"},
    "/agency": {"lead_agency"},
    "/oversight": {"supervisor", "lead_agency", "admin"},
    "/finance": {"finance", "auditor", "supervisor"},
    "/health": {"admin", "supervisor"},
}


@pytest.mark.parametrize("role", [*STAFF, "provider_staff", "applicant"])
def test_each_role_opens_its_own_pages_and_no_others(town, role):
    seat = {"provider_code": "water-linhe"} if role == "provider_staff" else {}
    visitor = signed_in(town, role, **seat)
    opened = {path for path in ALLOWED if visitor.client.get(path).status_code == 200}
    assert opened == {path for path, roles in ALLOWED.items() if role in roles}


@pytest.mark.parametrize("role", [*STAFF, "provider_staff", "applicant"])
def test_the_navigation_offers_what_opens(town, role):
    seat = {"provider_code": "water-linhe"} if role == "provider_staff" else {}
    visitor = signed_in(town, role, **seat)
    page = visitor.page("/password")
    offered = {href for _, href, _ in ENTRIES if any(link.href.endswith(href) for link in page.links)}
    assert offered
    for href in offered:
        visitor.page(href)


@pytest.mark.parametrize("path", [*ALLOWED, "/cases", "/cases/LB1", "/applications/SL1", "/password", "/home"])
def test_nobody_gets_in_without_signing_in(visitor, path):
    answer = visitor.client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/sign-in?next={path}"
