"""The rules by which providers behave: the same again for the same task, and believable."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from pathlib import Path

import pytest
from shapely.geometry import LineString

from providers.simulator.conduct import replying, sizing, surveying
from providers.simulator.conduct.building import works_window
from providers.simulator.conduct.quotes import amount_fen, decimal_text, quote
from providers.simulator.conduct.steps import Setting
from providers.simulator.config import UTILITIES, ConfigError, ProviderConfig, parse_config
from providers.simulator.task import BadDocument, read_task
from providers.simulator.workdays import Workdays
from tests.simulator.stand_in import FEES, SECRET

SAMPLES = sorted((Path(__file__).parents[1] / "samples" / "applications").glob("*.json"))
MONDAY = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
WORKDAYS = Workdays()


def task_of(utility, part, case_no="LB1", **changes):
    return read_task(
        {
            "task_id": "t1",
            "revision": 1,
            "case_no": case_no,
            "stage": "survey",
            "provider": f"{utility}-linhe",
            "utility": utility,
            "state": "issued",
            "issued_at": "2026-11-23T09:00:00+08:00",
            "due_at": None,
            "expects": [],
            "part": {"kind": "new", **part},
            "shared_facts": {"utilities": [], "visit": None},
            "site": {"address": "胜利北路18号", "location": {"lon": 107.4, "lat": 40.75}},
            **changes,
        }
    )


def setting_for(task):
    provider = ProviderConfig(task.provider, task.utility, "x", "key-1", SECRET)
    return Setting(provider, MONDAY, WORKDAYS, lambda _on: FEES, lambda _group: ())


@pytest.mark.parametrize("day", [dt.date(2026, 11, 20) + dt.timedelta(days=n) for n in range(14)])
def test_all_providers_share_a_window_whatever_the_day(day):
    offers = []
    for number in range(40):
        task = task_of("water", {}, provider=f"provider-{number}")
        offers.append({slot["start_at"] for slot in surveying.slots(task, day, WORKDAYS)})
    assert set.intersection(*offers)
    assert all(3 <= len(offer) <= 4 for offer in offers)


def test_providers_that_offer_a_day_apart_still_share_a_window():
    for first, second in itertools.pairwise(dt.date(2026, 11, 20) + dt.timedelta(days=n) for n in range(14)):
        one = {s["start_at"] for s in surveying.slots(task_of("gas", {}), first, WORKDAYS)}
        other = {s["start_at"] for s in surveying.slots(task_of("power", {}), second, WORKDAYS)}
        assert one & other, (first, second)


def test_the_same_case_is_answered_the_same_and_another_differently():
    part = {"added_kva": 2000, "voltage": "10kV"}
    for make in (surveying.findings, replying.reply):
        first = task_of("power", part)
        assert make(first, setting_for(first)) == make(task_of("power", part), setting_for(first))
        # The number a case happens to get is no part of its story: two runs of one application end in the same fen.
        assert make(task_of("power", part, case_no="LB2"), setting_for(first)) == make(first, setting_for(first))
    sites = [{"site": {"address": f"胜利路{n}号"}} for n in range(20)]
    lengths = {sizing.outside_line_m(task_of("power", part, **site)) for site in sites}
    assert len(lengths) > 10


@pytest.mark.parametrize("utility", UTILITIES)
def test_small_needs_are_answered_within_hours(utility):
    task = task_of(utility, {"service": "broadband"})
    at = replying.reply_at(task, WORKDAYS)
    assert task.issued_at < at <= task.issued_at + dt.timedelta(days=1, hours=1)


@pytest.mark.parametrize("utility", UTILITIES)
def test_small_needs_want_no_outside_line(utility):
    task = task_of(utility, {"service": "broadband"})
    assert sizing.outside_line_m(task) == 0
    assert surveying.findings(task, setting_for(task))["trench"] is None
    assert len(replying.options(task, FEES)) == 1


def test_an_estimate_of_zero_stays_zero_and_a_long_one_is_confirmed_nearby():
    site = {"address": "x", "location": {"lon": 107.4, "lat": 40.75}}
    big = {"added_kva": 2000, "voltage": "10kV"}
    none = task_of("power", big, site=site | {"outside_line_estimate_m": 0})
    some = task_of("power", big, site=site | {"outside_line_estimate_m": 1000})
    assert sizing.outside_line_m(none) == 0
    assert 850 <= sizing.outside_line_m(some) <= 1100


def test_the_trench_begins_near_the_site_and_is_as_long_as_found():
    task = task_of("water", {"pipe_dn_mm": 200})
    length = sizing.outside_line_m(task)
    points = surveying.route(task, length)
    metres = sum(
        (((a[0] - b[0]) * 84_400) ** 2 + ((a[1] - b[1]) * 111_320) ** 2) ** 0.5 for a, b in itertools.pairwise(points)
    )
    assert metres == pytest.approx(length, rel=0.02)
    assert abs(points[0][0] - 107.4) < 0.001


def test_lines_keep_their_distance_round_the_corner():
    water = surveying.route(task_of("water", {"pipe_dn_mm": 200}), 400)
    gas = surveying.route(task_of("gas", {"peak_m3_h": 200}), 400)
    lines = [LineString([(lon * 84_333, lat * 111_320) for lon, lat in points]) for points in (water, gas)]
    assert lines[0].distance(lines[1]) == pytest.approx(1.2, abs=0.05)
    assert LineString(lines[0].coords[1:]).distance(lines[1]) == pytest.approx(1.2, abs=0.05)


def test_quotes_follow_the_published_items():
    task = task_of("power", {"added_kva": 2000, "voltage": "10kV", "sources": "dual"})
    lines = {line["fee_item"]: line for line in quote(task, FEES)}
    assert "OLD-FEE" not in lines
    assert lines["OUTSIDE-LINE"]["payer"] == "provider"
    assert lines["HIGH-RELIABILITY"]["amount_fen"] == 2000 * 13000
    single = task_of("power", {"added_kva": 2000, "voltage": "10kV", "sources": "single"})
    assert "HIGH-RELIABILITY" not in {line["fee_item"] for line in quote(single, FEES)}


def test_a_transfer_costs_nothing_and_digs_nothing():
    task = task_of("water", {"kind": "transfer", "account_no": "SL-1"})
    assert quote(task, FEES) == []
    assert sizing.outside_line_m(task) == 0


@pytest.mark.parametrize(
    ("quantity", "price", "fen"), [("0.5", 1, 1), ("1.5", 1, 2), ("2.5", 1, 3), ("33.333", 100, 3333), ("0", 5, 0)]
)
def test_amounts_round_half_up(quantity, price, fen):
    assert amount_fen(quantity, price) == fen


def test_quantities_are_plain_decimals():
    assert [decimal_text(n) for n in (1000, 0.5, 12.3456, 100000.0)] == ["1000", "0.5", "12.346", "100000"]


def test_works_take_longer_for_longer_lines():
    near = works_window(task_of("gas", {"peak_m3_h": 10}), dt.date(2026, 11, 23), WORKDAYS)
    far = works_window(task_of("gas", {"peak_m3_h": 900}), dt.date(2026, 11, 23), WORKDAYS)
    assert near[0] == far[0] == dt.date(2026, 11, 24)
    assert far[1] > near[1]


def test_desks_close_on_weekends_and_holidays():
    workdays = Workdays(frozenset({dt.date(2026, 11, 24)}))
    friday_evening = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
    assert workdays.next_desk_time(friday_evening) == dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
    assert workdays.after(dt.date(2026, 11, 23), 1) == dt.date(2026, 11, 25)
    assert workdays.within(MONDAY, MONDAY + dt.timedelta(minutes=1), 0.5) == MONDAY


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem[:2])
def test_every_sample_can_be_answered_by_every_provider(path):
    body = json.loads(path.read_text(encoding="utf-8"))
    for utility, part in body["utilities"].items():
        task = task_of(utility, {"kind": body["kind"], **part})
        assert surveying.findings(task, setting_for(task))["line_length_m"] > 0
        assert replying.reply(task, setting_for(task))["options"]


def test_a_document_without_its_core_is_refused():
    with pytest.raises(BadDocument):
        read_task({"task_id": "t1"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"portal_url": "ftp://x"}, "portal_url"),
        ({"pace": "hurried"}, "pace"),
        ({"providers": [{"code": "a"}]}, "providers.0.utility"),
    ],
)
def test_a_wrong_configuration_names_its_field(change, field):
    provider = {"code": "a", "utility": "water", "name": "x", "key": "k", "secret": SECRET}
    with pytest.raises(ConfigError, match=field):
        parse_config({"portal_url": "http://127.0.0.1:1", "providers": [provider]} | change)
