"""Tests speak to this machine only; the guard in conftest refuses everything else by name."""

from __future__ import annotations

import smtplib
import socket

import pytest
import requests


def test_another_machine_is_refused_by_address():
    with pytest.raises(RuntimeError, match=r"another machine: 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_another_machine_is_refused_by_name():
    with pytest.raises(RuntimeError, match=r"another machine: example\.org"):
        requests.get("http://example.org/", timeout=1)


def test_mail_is_refused():
    with pytest.raises(RuntimeError, match="another machine"):
        smtplib.SMTP("mail.example.org", 25, timeout=1)


def test_a_datagram_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        sender.sendto(b"x", ("192.0.2.1", 9))


def test_this_machine_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=1).close()
