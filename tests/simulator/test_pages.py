"""Reading pages and making sample papers."""

from __future__ import annotations

import io

import pikepdf
import pytest

from providers.simulator.html_pages import read_page
from providers.simulator.pages import filled, willing
from providers.simulator.sample_pdf import sample_pdf

HTML = """<!doctype html><html><body>
<div class="govuk-error-summary"><h2>有问题</h2><ul><li><a href="#site.address">请填写<b>地址</b></a></li><br>
<li><a href="#kind">请选择</a></li></ul></div><a href="#main">跳到正文</a>
<form action="/x?a=1" method="POST" data-act="confirm"><input type="hidden" name="csrf_token" value="abc">
<input type="hidden" name="provider" value="water"><input name="note" value="旧"><input type="text" name="off" disabled>
<input type="radio" name="option" value="A"><input type="radio" name="option" value="B" checked>
<input type="radio" name="other" value="1"><input type="radio" name="other" value="2">
<input type="checkbox" name="agree" required value="y"><input type="checkbox" name="news" value="y">
<select name="size"><option value="s">小</option><option value="m" selected>中</option></select>
<textarea name="text">
第一行 &amp; 二</textarea><input type="date" name="valid_until_on"><button name="go" value="1">好</button>
<button name="stop" value="1">不</button></form>
<form><input type="search" name="q"></form><a data-act="cashier" href="//127.0.0.1:9/c">去 缴费</a></body></html>"""


@pytest.fixture
def page():
    return read_page("http://127.0.0.1:1/cases/1", 200, HTML)


def test_a_form_sends_what_a_browser_would_send(page):
    (form,) = page.forms_for("confirm")
    assert (form.action, form.method) == ("http://127.0.0.1:1/x?a=1", "post")
    assert form.defaults() == [
        ("csrf_token", "abc"), ("provider", "water"), ("note", "旧"), ("option", "B"), ("size", "m"),
        ("text", "第一行 & 二"), ("valid_until_on", ""), ("go", "1"),
    ]  # fmt: skip


def test_given_values_replace_the_forms_own(page):
    (form,) = page.forms_for("confirm")
    pairs = filled(form, {"note": "新", "extra": ["1", "2"]})
    assert ("note", "旧") not in pairs
    assert pairs[-3:] == [("note", "新"), ("extra", "1"), ("extra", "2")]


def test_a_willing_person_answers_only_what_is_open(page):
    (form,) = page.forms_for("confirm")
    given = willing(form, today="2026-11-23", until="2027-05-22")
    assert given == {"other": "1", "agree": "y", "valid_until_on": "2027-05-22"}


def test_errors_and_links_are_found(page):
    assert page.errors == (("site.address", "请填写地址"), ("kind", "请选择"))
    assert [(link.href, link.text) for link in page.links if link.act == "cashier"] == [
        ("http://127.0.0.1:9/c", "去 缴费")
    ]


def test_two_forms_are_told_apart_without_their_tokens(page):
    (form,) = page.forms_for("confirm")
    assert form.identity == "confirm|http://127.0.0.1:1/x?a=1|provider=water"


def test_sample_papers_are_valid_and_differ_by_their_lines():
    with pikepdf.open(io.BytesIO(sample_pdf("Sample (1)", "back\\slash", "中文"))) as pdf:
        assert len(pdf.pages) == 1
        assert pdf.check_pdf_syntax() == []
    assert sample_pdf("a") == sample_pdf("a") != sample_pdf("b")
