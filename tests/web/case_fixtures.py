"""Fixtures of the case page's tests: import them by name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.billing.gateway import use_gateway
from portal.kernel.database import db
from tests.journey.payment_world import Town
from tests.payment.gateway_world import make_world
from tests.web.case_world import SHORT, Site, make_app


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app = make_app(f"sqlite:///{tmp_path / 'test.db'}")
    with app.app_context():
        db.create_all()
        yield Site(app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def short(site: Site) -> Site:
    site.open_case(SHORT)
    return site


@pytest.fixture
def replied(short: Site) -> Site:
    for task in short.tasks("reply"):
        short.reply(task)
    return short


@pytest.fixture
def town(replied: Site, gateway_keys: Path) -> Iterator[Town]:
    gateway = make_world(gateway_keys)
    use_gateway(replied.app, gateway.client, retry_scale=0.0)
    yield Town(replied.app, gateway, replied.case)
    db.session.remove()
    gateway.close()


def choose(site: Site, code: str) -> dict[str, str]:
    form = site.page().forms_for("confirm")[0]
    return {c.name: code for c in form.controls if c.kind == "radio"}


def confirm(site: Site, code: str = "B") -> None:
    site.send(site.page().forms_for("confirm")[0], **choose(site, code))
