"""What every provider adapter must do, against a real HTTP server. A utility's test is a subclass and nothing else."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from dataclasses import replace
from typing import ClassVar

import pytest

from portal.exchange.outbox import MAX_BODY
from portal.exchange.port import Delivered, Endpoint, Message, Refused, Unknown
from portal.exchange.signatures import new_secret, verify
from providers import ADAPTERS
from providers.transports.http import MAX_ANSWER, HttpDoor
from tests.contract.raw_server import raw_server
from tests.exchange.stub_provider import StubProvider

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
OLD, NEW = new_secret(), new_secret()


def about(*promises: str):
    """Says which promises of the list a test holds the adapter's side of."""

    def mark(test):
        test.promises = promises
        return test

    return mark


class AdapterContract:
    """Subclasses name the utility and a part of an application it would get."""

    utility: str
    part: ClassVar[dict]

    @pytest.fixture
    def adapter(self):
        return ADAPTERS[self.utility](HttpDoor(timeout_s=0.5))

    def message(self, url, *, secrets=(OLD,), level="push", path="", message_id="m1", revision=2):
        document = {"task_id": "t1", "revision": revision, "part": self.part}
        body = json.dumps({"type": "task.issued", "id": message_id, "data": document}, ensure_ascii=False).encode()
        endpoint = Endpoint(self.utility, url, secrets, level)
        return Message(message_id, "provider:x", "task.issued", path, body, "t1", "c1", 1, NOW, endpoint)

    def send(self, adapter, answer, **options):
        with StubProvider(lambda call, _n: answer(call) if callable(answer) else answer) as stub:
            return adapter.deliver(self.message(stub.url, **options)), stub

    def test_it_is_registered_under_its_own_name(self, adapter):
        assert adapter.utility == self.utility
        assert adapter.repetition == "idempotent"
        assert adapter.vital_fields
        assert set(self.part) & set(adapter.vital_fields)

    @about("takes_a_signed_event", "ignores_unknown_fields")
    def test_the_exact_bytes_arrive_signed(self, adapter):
        outcome, stub = self.send(adapter, (202, {}, b"{}"), path="/in")
        assert outcome == Delivered(202, b"{}")
        (call,) = stub.calls
        assert (call.method, call.path) == ("POST", "/in")
        assert call.body == self.message("http://x").body
        assert call.headers["content-type"] == "application/json"
        assert verify(OLD, call.headers, call.body, NOW) == "m1"

    @about("takes_two_signatures")
    def test_while_a_secret_rotates_both_verify(self, adapter):
        _, stub = self.send(adapter, (200, {}, b""), secrets=(NEW, OLD))
        for secret in (OLD, NEW):
            assert verify(secret, stub.calls[0].headers, stub.calls[0].body, NOW) == "m1"

    @about("takes_a_replay")
    def test_a_second_sending_carries_the_same_id_and_bytes(self, adapter):
        with StubProvider() as stub:
            for _ in range(2):
                assert isinstance(adapter.deliver(self.message(stub.url)), Delivered)
        first, second = stub.calls
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == "m1"

    @about("takes_test_ping")
    def test_a_ping_without_a_task_is_not_read_back(self, adapter):
        with StubProvider() as stub:
            message = replace(self.message(stub.url, level="two_way"), kind="test.ping", task_id=None)
            assert adapter.deliver(message) == Delivered(202, b"{}")
        assert [call.method for call in stub.calls] == ["POST"]

    @about("takes_a_large_event")
    def test_the_largest_message_arrives_whole(self, adapter):
        with StubProvider() as stub:
            message = replace(self.message(stub.url), body=b"x" * MAX_BODY)
            assert isinstance(adapter.deliver(message), Delivered)
        assert len(stub.calls[0].body) == MAX_BODY

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_2xx_is_delivered(self, adapter, status):
        assert isinstance(self.send(adapter, (status, {}, b""))[0], Delivered)

    @about(
        "refuses_a_foreign_signature",
        "refuses_an_altered_body",
        "refuses_an_old_message",
        "refuses_an_unsigned_message",
        "bounds_bodies",
    )
    @pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 413, 422, 500, 502])
    def test_everything_else_is_refused_and_nothing_followed(self, adapter, status):
        outcome, stub = self.send(adapter, (status, {"Location": "/elsewhere"}, b"x"))
        assert isinstance(outcome, Refused)
        assert (outcome.status, outcome.gone, outcome.retry_after_s) == (status, False, None)
        assert len(stub.calls) == 1

    def test_410_is_gone(self, adapter):
        assert self.send(adapter, (410, {}, b""))[0].gone is True

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("7", 7.0), ("Mon, 23 Nov 2026 01:00:30 GMT", 30.0), ("soon", None), ("-5", None), ("", None), ("٣", None)],
    )
    def test_retry_after_is_read_from_both_forms(self, adapter, status, text, seconds):
        # A header is bytes on the wire; what is no ASCII goes as UTF-8 read as latin-1.
        outcome, _ = self.send(adapter, (status, {"Retry-After": text.encode().decode("latin-1")}, b""))
        assert outcome.retry_after_s == seconds

    def test_nobody_there_means_nothing_arrived(self, adapter):
        outcome = adapter.deliver(self.message("http://127.0.0.1:9"))
        assert isinstance(outcome, Refused)
        assert outcome.status == 0

    @about("takes_a_signed_event")
    def test_no_answer_in_time_is_unknown(self, adapter):
        with StubProvider(delay_s=1.0) as stub:
            assert isinstance(adapter.deliver(self.message(stub.url)), Unknown)

    @pytest.mark.parametrize(
        "garbage", [b"", b"\x00\xff" * 50, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
    )
    def test_garbage_and_broken_answers_are_unknown(self, adapter, garbage):
        with raw_server(garbage) as url:
            assert isinstance(adapter.deliver(self.message(url)), Unknown)

    @pytest.mark.parametrize("drip_s", [0.0, 0.1])
    def test_an_answer_without_end_is_cut_off_in_time_and_size(self, adapter, drip_s):
        begun = time.monotonic()
        endless = b"x" * (1 if drip_s else 65_536)
        with raw_server(b"HTTP/1.1 200 OK\r\n\r\n", drip_s=drip_s, endless=endless) as url:
            assert isinstance(adapter.deliver(self.message(url)), Unknown)
        assert time.monotonic() - begun < 3

    def test_a_compressed_answer_is_not_unpacked(self, adapter):
        outcome, stub = self.send(adapter, (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b bomb"))
        assert outcome == Delivered(200, b"\x1f\x8b bomb")
        assert stub.calls[0].headers.get("accept-encoding", "identity") == "identity"

    def test_an_answer_over_the_limit_is_refused_whole(self, adapter):
        assert isinstance(self.send(adapter, (200, {}, b"x" * (MAX_ANSWER + 1)))[0], Unknown)
        assert isinstance(self.send(adapter, (200, {}, b"x" * MAX_ANSWER))[0], Delivered)

    @pytest.mark.parametrize(
        "url", ["http://192.0.2.1", "http://[64:ff9b::7f00:1]", "ftp://127.0.0.1", "http://u@127.0.0.1", "x"]
    )
    def test_it_calls_nobody_outside_the_allowed_networks(self, adapter, url):
        begun = time.monotonic()
        outcome = adapter.deliver(self.message(url))
        assert isinstance(outcome, Refused)
        assert outcome.status == 0
        assert time.monotonic() - begun < 6

    def two_way(self, adapter, held):
        def answer(call):
            if call.method == "POST":
                return 202, {}, b""
            assert verify(OLD, call.headers, b"", NOW)
            assert call.path == "/tasks/t1"
            return (404, {}, b"") if held is None else (200, {}, held)

        return self.send(adapter, answer, level="two_way")[0].read_back

    @about("reads_back", "takes_revisions_out_of_order", "refuses_an_unsigned_read_back")
    def test_two_way_reads_back_what_was_accepted(self, adapter):
        document = {"task_id": "t1", "revision": 2, "part": self.part}
        assert self.two_way(adapter, json.dumps(document).encode()) == "match"
        assert self.two_way(adapter, b'{"task_id": "t1", "revision": 3}') == "match"
        assert self.two_way(adapter, b'{"task_id": "t1", "revision": 1}') == "mismatch"
        assert self.two_way(adapter, b'{"task_id": "t2", "revision": 2}') == "mismatch"
        assert self.two_way(adapter, b"[]") == "mismatch"
        assert self.two_way(adapter, b"<html>") == "mismatch"
        assert self.two_way(adapter, None) == "unread"

    @about("survives_one_id_with_another_body")
    def test_a_vital_field_held_wrong_is_a_mismatch(self, adapter):
        name = next(name for name in adapter.vital_fields if name in self.part)
        document = {"task_id": "t1", "revision": 2, "part": {**self.part, name: "wrong"}}
        assert self.two_way(adapter, json.dumps(document).encode()) == "mismatch"

    def test_many_threads_share_it(self, adapter):
        outcomes = []
        with StubProvider(delay_s=0.02) as stub:
            threads = [
                threading.Thread(
                    target=lambda n=n: outcomes.append(adapter.deliver(self.message(stub.url, message_id=f"m{n}")))
                )
                for n in range(32)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(stub.effects) == 32
        assert all(isinstance(outcome, Delivered) for outcome in outcomes)
