"""Notices are hostile until proven: forged, stale, cut, of another key, re-encrypted. None of it may pass or crash."""

from __future__ import annotations

import datetime as dt
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from portal.kernel.errors import Invalid, NotSignedIn
from providers.payment import wire
from providers.payment.keys import load_merchant_keys, load_platform_keys, make_keys
from providers.payment.seals import answer_headers, seal_resource
from providers.payment.wechat import WechatContract, WechatGateway
from providers.simulator.gateway.book import Book
from providers.simulator.gateway.messages import notification
from tests.conftest import AT
from tests.payment.gateway_world import combined

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
SEED = 20261122


@pytest.fixture(scope="module")
def sides(keys_folder: Path):
    make_keys(keys_folder)
    merchant, platform = load_merchant_keys(keys_folder), load_platform_keys(keys_folder)
    contract = WechatContract(
        "http://127.0.0.1:9", "wx0000000000000001", "1900000001", "http://127.0.0.1:9/n", merchant
    )
    return WechatGateway(contract, lambda: NOW), platform


@pytest.fixture(scope="module")
def good(sides) -> tuple[dict[str, str], bytes]:
    gateway, platform = sides
    book = Book()
    order = book.create(json.loads(gateway.render_order(combined("aaa", 5, 6)).body), is_combined=True)
    book.pay(order.token, AT)
    raw = notification(order, platform.api_v3_key, notice_id="n-1")
    return answer_headers(platform.private_key, serial=platform.serial, body=raw, at=NOW), raw


def test_a_good_notice_passes_whatever_the_case_of_its_headers(sides, good) -> None:
    headers, raw = good
    assert sides[0].verify_notice(headers, raw, NOW).notice_id == "n-1"
    assert sides[0].verify_notice({k.upper(): v for k, v in headers.items()}, raw, NOW).notice_id == "n-1"


@pytest.mark.parametrize("minutes", [6, -6, 60 * 24 * 365])
def test_a_stale_one_is_refused(sides, good, minutes: int) -> None:
    with pytest.raises(NotSignedIn):
        sides[0].verify_notice(*good, NOW + dt.timedelta(minutes=minutes))


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial"])
def test_every_signature_header_is_needed(sides, good, name: str) -> None:
    headers, raw = good
    with pytest.raises(NotSignedIn):
        sides[0].verify_notice({k: v for k, v in headers.items() if k != f"Wechatpay-{name}"}, raw, NOW)


def test_mutants_never_pass_and_never_crash(sides, good) -> None:
    headers, raw = good
    chance = random.Random(SEED)
    for number in range(1500):
        mutant, body = dict(headers), raw
        if number % 2:
            name = chance.choice(list(headers)[:4])
            text = list(mutant[name])
            text[chance.randrange(len(text))] = chance.choice("aZ0.+é\u0661\n\x00=")
            mutant[name] = "".join(text)
        else:
            cut = bytearray(raw)
            cut[chance.randrange(len(cut))] ^= 1 << chance.randrange(8)
            body = bytes(cut[: chance.choice([len(cut), len(cut), chance.randrange(len(cut))])])
        if (mutant, body) == (headers, raw) or _same(mutant, headers, body, raw):
            continue
        with pytest.raises(NotSignedIn):
            sides[0].verify_notice(mutant, body, NOW)


def _same(mutant, headers, body, raw) -> bool:
    import base64
    import binascii

    def signature(h):
        try:
            return base64.b64decode(h["Wechatpay-Signature"], validate=True)
        except (binascii.Error, ValueError):
            return h["Wechatpay-Signature"]

    rest = [{k: v for k, v in h.items() if k != "Wechatpay-Signature"} for h in (mutant, headers)]
    return rest[0] == rest[1] and signature(mutant) == signature(headers) and body == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"resource": 1}',
        b'{"resource": {"algorithm": "none"}}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_signed_nonsense_is_refused(sides, raw: bytes) -> None:
    gateway, platform = sides
    try:
        headers = answer_headers(platform.private_key, serial=platform.serial, body=raw, at=NOW)
    except UnicodeDecodeError:
        headers = {}
    with pytest.raises(NotSignedIn):
        gateway.verify_notice(headers, raw, NOW)


def test_a_resource_sealed_with_another_key_is_refused(sides) -> None:
    gateway, platform = sides
    raw = json.dumps({"id": "n-2", "resource": seal_resource(b"k" * 32, b"{}", "transaction")}).encode()
    headers = answer_headers(platform.private_key, serial=platform.serial, body=raw, at=NOW)
    with pytest.raises(NotSignedIn):
        gateway.verify_notice(headers, raw, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"total": "5", "currency": "CNY"}},
        {"amount": {"total": -5, "currency": "CNY"}},
        {"amount": {"total": 10**18, "currency": "CNY"}},
        {"amount": {"total": True, "currency": "CNY"}},
        {"amount": {"total": 5.0, "currency": "CNY"}},
        {"amount": None},
        {"success_time": "yesterday"},
        {"success_time": "2026-11-22T12:00:00"},
        {"out_trade_no": 7},
        {"trade_state": ""},
    ],
)
def test_an_order_with_a_wrong_field_is_named(change) -> None:
    body = {
        "appid": "wx1",
        "mchid": "16",
        "out_trade_no": "number1",
        "trade_state": "SUCCESS",
        "transaction_id": "42",
        "success_time": "2026-11-22T12:00:00+08:00",
        "amount": {"total": 5, "currency": "CNY"},
    }
    assert wire.read_order(json.dumps(body).encode(), merchant_id="1900000001").subs[0].amount_fen == 5
    with pytest.raises(Invalid):
        wire.read_order(json.dumps({**body, **change}).encode(), merchant_id="1900000001")


def test_a_cut_or_garbled_statement_is_refused() -> None:
    good = (
        "交易时间,特约商户号,微信订单号,商户订单号,交易状态,手续费,订单金额\r\n"
        "`2026-11-22 12:00:00,`16,`42,`n1,`SUCCESS,`0.00,`12.34\r\n"
        "总交易单数,订单总金额\r\n`1,`12.34\r\n"
    )
    assert wire.read_statement(good.encode())[0].amount_fen == 1234
    for bad in (
        good.replace("`12.34\r\n总", "`1234元\r\n总"),
        good.replace("`1,`12.34", "`2,`12.34"),
        good.replace("12:00:00", "noon"),
        good[:60],
        "",
        good.replace("`42,", ""),
    ):
        with pytest.raises(Invalid):
            wire.read_statement(bad.encode())
    with pytest.raises(Invalid):
        wire.read_statement(b"\xff\xff")


def test_orders_the_gateway_could_not_take_are_never_rendered(sides) -> None:
    gateway = sides[0]
    for order in (combined("one", 5), combined("many", *range(1, 52))):
        with pytest.raises(ValueError, match="2 to 50"):
            gateway.render_order(order)
    with pytest.raises(ValueError, match="one part"):
        gateway.render_order(replace(combined("two", 5, 6), rail="PLAIN"))
