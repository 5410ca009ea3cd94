"""Where the outbound door leads: only into the allowed networks, however an address is written."""

import ipaddress

import pytest

from providers.transports.addresses import LOOPBACK, AddressRefused, find_target

PRIVATE = (ipaddress.ip_network("10.20.0.0/16"),)
HOSTS = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "10.21.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "[fe80::1]",
    "[fc00::1]",
)
FORMS = (
    "http://{}/",
    "https://{}/",
    "http://{}:80/",
    "http://user@{}/",
    "http://{}#f",
    "http://{}\\@10.20.0.1/",
    "http://{} /",
    "//{}/",
    "gopher://{}/",
    "http://{}:99999/",
)


# What the system's resolver makes of the forms that are no plain address (measured on Linux, glibc).
RESOLVED = dict.fromkeys(("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"), "127.0.0.1") | {
    "0": "0.0.0.0"
}


def resolve(host, _port):
    if host not in RESOLVED:
        raise OSError(host)
    return [RESOLVED[host]]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("form", FORMS)
def test_with_one_private_network_allowed_no_other_address_is_called(host, form):
    with pytest.raises((AddressRefused, OSError)):
        find_target(form.format(host), PRIVATE, resolve)


def test_the_checked_address_is_the_one_called():
    target = find_target("https://10.20.1.2:8443/hook?x=1", PRIVATE)
    assert (target.address, target.host, target.port, target.path) == ("10.20.1.2", "10.20.1.2", 8443, "/hook?x=1")
    assert find_target("http://127.0.0.1:8081", LOOPBACK).path == "/"


def test_plain_http_stays_on_this_machine():
    with pytest.raises(AddressRefused, match="https"):
        find_target("http://10.20.1.2/", PRIVATE)


@pytest.mark.parametrize("name", ["①②⑦.⓪.⓪.①", "a\u202eb", "a\x00b", ""])
def test_odd_names_are_refused_before_they_are_resolved(name):
    with pytest.raises(AddressRefused):
        find_target(f"http://{name}/", LOOPBACK)


def test_a_name_with_one_bad_address_among_good_ones_is_refused():
    with pytest.raises(AddressRefused, match=r"169\.254"):
        find_target("https://p.example/", PRIVATE, lambda *_: ["10.20.1.2", "169.254.169.254"])


def test_a_name_that_changes_its_address_is_called_where_it_was_checked():
    answers = iter((["10.20.1.2"], ["127.0.0.1"]))
    target = find_target("https://p.example/", PRIVATE, lambda *_: next(answers))
    assert (target.host, target.address) == ("p.example", "10.20.1.2")
