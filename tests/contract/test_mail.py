"""The way by mail, against a real SMTP server: one letter a hand-over, the same on every try, and nothing personal."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from dataclasses import replace

import pytest

from portal.exchange.desk_links import LIFE, link_maker, make_link, read_link
from portal.exchange.port import Delivered, Endpoint, Message, Refused, Unknown
from portal.kernel.settings import SettingError, Smtp, read_settings
from providers import ADAPTERS
from providers.transports.mail import PostOffice
from tests.mail_server import StubMailServer

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
KEY = b"k" * 32
DATA = {"case_no": "LB1", "due_at": "2026-11-30T17:30:00+08:00", "applicant": {"name": "王五", "mobile": "13800000000"}}
utilities = pytest.mark.parametrize("utility", sorted(ADAPTERS))


def message(mailbox: str = "duty@water.example", **more) -> Message:
    body = json.dumps({"type": "task.issued", "data": {**DATA, **more.pop("data", {})}}, ensure_ascii=False).encode()
    endpoint = Endpoint("water", mailbox, (), "mail")
    made = Message("m1", "provider:x", "task.issued", "", body, "t1", "c1", 1, NOW, endpoint, enqueued_at=NOW)
    return replace(made, **more)


def adapter(server: Smtp | None, utility: str = "water", **more):
    link_of = link_maker(KEY, "https://portal.example")
    return ADAPTERS[utility](post=PostOffice(server, link_of, **more) if server else None)


@utilities
def test_a_letter_arrives_with_a_link_and_tells_nothing_personal(utility):
    with StubMailServer() as server:
        outcome = adapter(server.settings(), utility).deliver(message())
    assert isinstance(outcome, Delivered)
    (letter,) = server.letters
    text = letter.get_content()
    assert server.mailboxes == ["duty@water.example"]
    assert letter["Message-ID"] == "<m1@portal.example>"
    assert letter["Subject"] == "联合报装：新任务 LB1"
    assert "LB1" in text
    assert "2026-11-30" in text
    link = next(line for line in text.splitlines() if line.startswith("https://"))
    assert read_link(KEY, link.rpartition("/")[2], NOW) == "t1"
    assert "王五" not in text
    assert "138" not in text.replace(link, "")


def test_every_try_sends_the_same_letter():
    with StubMailServer() as server:
        way = adapter(server.settings())
        way.deliver(message())
        way.deliver(message(sent_at=NOW + dt.timedelta(hours=3), attempt=4))
    assert server.raw[0] == server.raw[1]


@pytest.mark.parametrize("said", ["451 later", "552 full", "421 bye"])
def test_a_letter_that_is_not_taken_is_refused(said):
    with StubMailServer(says=[said]) as server:
        outcome = adapter(server.settings()).deliver(message())
    assert isinstance(outcome, Refused)
    assert outcome.status == int(said[:3])
    assert server.letters == []


def test_an_unknown_mailbox_is_refused_with_what_was_said():
    with StubMailServer(refuses_mailbox="550 no such desk") as server:
        outcome = adapter(server.settings()).deliver(message())
    assert outcome == Refused(550, "SMTP 550: no such desk")


def test_nobody_there_means_nothing_was_sent():
    outcome = adapter(Smtp("127.0.0.1", 9, "a@b.example", "none", "", "")).deliver(message())
    assert isinstance(outcome, Refused)
    assert outcome.status == 0


def test_without_a_mail_server_the_reason_is_named():
    outcome = adapter(None).deliver(message())
    assert isinstance(outcome, Refused)
    assert "PORTAL_SMTP_HOST" in outcome.error


def test_silence_after_the_letter_is_unknown():
    with StubMailServer(hangs_s=1.0) as server:
        assert isinstance(adapter(server.settings(), timeout_s=0.3).deliver(message()), Unknown)


def test_a_server_that_breaks_off_before_the_letter_got_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            connection, _ = listener.accept()
            connection.sendall(b"220 hi\r\n")
            connection.recv(100)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        port = listener.getsockname()[1]
        outcome = adapter(Smtp("127.0.0.1", port, "a@b.example", "none", "", "")).deliver(message())
    assert isinstance(outcome, Refused)
    assert outcome.status == 0


def test_nothing_an_applicant_writes_becomes_a_header_or_another_receiver():
    with StubMailServer() as server:
        adapter(server.settings()).deliver(message(data={"case_no": "x\r\nBcc: evil@x.example\r\n\r\nhi"}))
        bad = adapter(server.settings()).deliver(message("a@b.example\r\nRCPT TO:<evil@x.example>"))
    assert isinstance(bad, Refused)
    assert server.mailboxes == ["duty@water.example"]
    assert server.letters[0]["Bcc"] is None


def test_a_link_has_its_own_end_and_purpose():
    token = make_link(KEY, task_id="t1", sent_at=NOW)
    assert read_link(KEY, token, NOW + LIFE) == "t1"
    assert read_link(KEY, token, NOW + LIFE + dt.timedelta(seconds=2)) is None
    assert read_link(b"x" * 32, token, NOW) is None
    task_id, until, signature = token.split(".")
    for forged in (f"t2.{until}.{signature}", f"{task_id}.{int(until) + 1}.{signature}", "", "a.b.c", token + "0"):
        assert read_link(KEY, forged, NOW) is None


def test_settings_for_mail_name_what_is_wrong():
    assert read_settings({}).smtp is None
    good = {"PORTAL_SMTP_HOST": "mail.example", "PORTAL_SMTP_SENDER": "a@b.example"}
    assert read_settings(good).smtp == Smtp("mail.example", 587, "a@b.example", "starttls", "", "")
    for wrong in ({"PORTAL_SMTP_TLS": "none"}, {"PORTAL_SMTP_SENDER": "a\nb@c"}, {"PORTAL_SMTP_PORT": "x"}):
        with pytest.raises(SettingError, match=next(iter(wrong))):
            read_settings({**good, **wrong})
