"""What people who look after deliveries may read: the message, without numbers that belong to a person."""

import json

from portal.exchange.masking import masked_text, shown_body


def test_mobiles_and_identity_numbers_are_masked_wherever_they_stand():
    body = {
        "contact": {"name": "李某", "mobile": "13812345678"},
        "note": "请联系13912345678，身份证150802198503123316。",
    }
    shown = shown_body(json.dumps(body).encode())
    for number in ("13812345678", "13912345678", "150802198503123316"):
        assert number not in shown
    assert "138****5678" in shown
    assert "李某" in shown


def test_numbers_of_ours_stay_readable():
    for text in ("LB202611-0001", "91150800MA0N12345X", "20261123000001230001234", "revision 13"):
        assert masked_text(text) == text


def test_a_number_given_as_a_number_is_masked_too():
    assert "13812345678" not in shown_body(b'{"mobile": 13812345678}')


def test_secrets_are_not_shown_at_all():
    assert "whsec" not in shown_body(b'{"secret": "whsec_abc", "token": "x"}')


def test_form_fields_stand_one_a_line():
    shown = shown_body(b"field1=T1&field5=13812345678", "application/x-www-form-urlencoded")
    assert shown.splitlines() == ["field1=T1", "field5=138****5678"]


def test_what_is_no_json_is_shown_as_text_without_control_characters():
    shown = shown_body(b"<html>\x00\x1b[31m 13812345678 \xff</html>")
    assert "138****5678" in shown
    assert {"\x00", "\x1b"}.isdisjoint(shown)
    assert shown_body(None) == ""
