"""Settings: a wrong value stops the start and names itself."""

from __future__ import annotations

import pytest

from portal.kernel.settings import SettingError, read_settings


def test_nothing_set_is_a_loopback_portal_on_sqlite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert (settings.mode, settings.bind, settings.is_sqlite) == ("dev", "127.0.0.1:8080", True)
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/yikou-dev.db"
    assert settings.base_url == "http://127.0.0.1:8080"


def test_the_demo_retries_quickly_and_has_a_database_of_its_own(tmp_path):
    demo = read_settings({"PORTAL_MODE": "demo", "PORTAL_INSTANCE": str(tmp_path)})
    assert demo.retry_scale == 0.001
    assert demo.database_url.endswith("yikou-demo.db")
    assert read_settings({"PORTAL_MODE": "production"}).retry_scale == 1


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PORTAL_MODE": "live"}, "PORTAL_MODE"),
        ({"PORTAL_BIND": "8080"}, "PORTAL_BIND"),
        ({"PORTAL_BIND": "127.0.0.1:http"}, "PORTAL_BIND"),
        ({"PORTAL_BIND": "0.0.0.0:8080"}, "PORTAL_BIND"),
        ({"PORTAL_MODE": "demo", "PORTAL_BIND": "192.168.1.7:80"}, "PORTAL_BIND"),
        ({"PORTAL_RETRY_SCALE": "0"}, "PORTAL_RETRY_SCALE"),
        ({"PORTAL_RETRY_SCALE": "fast"}, "PORTAL_RETRY_SCALE"),
        ({"PORTAL_WORKER_PORT": "-1"}, "PORTAL_WORKER_PORT"),
        ({"PORTAL_LEASE_S": "0"}, "PORTAL_LEASE_S"),
        ({"PORTAL_ENGINE": "celery"}, "PORTAL_ENGINE"),
        ({"PORTAL_ENGINE": "procrastinate"}, "PORTAL_DATABASE_URL"),
    ],
)
def test_a_wrong_value_names_itself(environ, named):
    with pytest.raises(SettingError, match=named):
        read_settings(environ)


def test_only_production_leaves_the_loopback_address():
    assert read_settings({"PORTAL_MODE": "production", "PORTAL_BIND": "0.0.0.0:80"}).bind == "0.0.0.0:80"


def test_another_database_is_another_address():
    settings = read_settings({"PORTAL_DATABASE_URL": "postgresql://portal@db/portal"})
    assert not settings.is_sqlite
    assert settings.engine == "procrastinate"
    embedded = {"PORTAL_DATABASE_URL": "postgresql://portal@db/portal", "PORTAL_ENGINE": "embedded"}
    assert read_settings(embedded).engine == "embedded"
    assert read_settings({}).engine == "embedded"


def test_each_worker_has_a_name_of_its_own_that_stays():
    first, second = (read_settings({"PORTAL_WORKER_PORT": port}).worker_name for port in ("8079", "8080"))
    assert first != second
    assert first == read_settings({}).worker_name
    assert read_settings({"PORTAL_WORKER_NAME": "node-a"}).worker_name == "node-a"
