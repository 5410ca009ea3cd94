"""The main forms in a real browser: with script and without, by keyboard, and with errors."""

from __future__ import annotations

import json
import re

import pytest

from providers.simulator.sample_pdf import sample_pdf
from tests.browser.chromium import new_page, sign_in, violations
from tests.web.staff_world import PASSWORD, SAMPLES


def fill(page, entries):
    for name, value in entries.items():
        field = page.locator(f'[name="{name}"]')
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


FIRM = json.loads(next(SAMPLES.glob("02-*.json")).read_text("utf-8"))["applicant"]
SHOP = {
    "kind": "new",
    "applicant.kind": "sole_trader",
    "applicant.contact.name": "李某",
    "applicant.contact.mobile": "13904780011",
    "project.name": "河套面馆二店",
    "site.division": "150802",
    "site.address": "胜利北路20号",
    "site.location.lon": "107.3920",
    "site.location.lat": "40.7610",
    "merged_bill": "true",
}
WATER = {"utilities.water.use": "commercial", "utilities.water.daily_m3": "5", "utilities.water.pipe_dn_mm": "25"}


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_an_applicant_mends_an_error_and_files(browser, world, has_script):
    page = new_page(browser, world.url, has_script=has_script)
    sign_in(page, "applicant-02")
    page.goto("/applications/new")
    fill(page, SHOP | {f"applicant.{name}": FIRM[name] for name in ("name", "uscc")})
    page.locator("summary", has_text="供水").click()
    page.check('[id="utilities.water"]')
    fill(page, WATER | {"utilities.water.daily_m3": "五方"})
    for kind in ("business_licence", "property_right"):
        paper = page.locator(".yk-paper", has=page.locator(f'input[value="{kind}"]'))
        paper.locator("select").select_option("upload")
        paper.locator("input[type=file]").set_input_files(
            {"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": sample_pdf("Sample", kind)}
        )
    page.check("#notice_version")
    page.locator("form[data-act=file] button", has_text="提交申请").last.click()
    if has_script:
        page.wait_for_selector(".govuk-error-summary:focus")
        assert violations(page) == []
    page.click(".govuk-error-summary a >> nth=0")
    if has_script:
        page.wait_for_selector('[name="utilities.water.daily_m3"]:focus')
    else:
        assert page.url.endswith("#utilities.water.daily_m3")
    assert page.input_value('[name="utilities.water.daily_m3"]') == "五方"
    assert page.input_value('[name="project.name"]') == SHOP["project.name"]
    fill(page, {"utilities.water.daily_m3": "５"})
    page.locator("form[data-act=file] button", has_text="提交申请").last.click()
    page.wait_for_url(re.compile(r"/applications/\w+-\w+$"))
    assert "正在等待受理" in page.content()
    page.context.close()


def test_enter_sends_the_form_and_adds_no_row(browser, world):
    page = new_page(browser, world.url)
    sign_in(page, "applicant-02")
    page.goto("/applications/new")
    rows = page.locator('[name^="survey_wishes."][name$=".start_at"]')
    before = rows.count()
    page.locator('[name="project.name"]').press("Enter")
    page.wait_for_selector(".govuk-error-summary")
    assert rows.count() == before
    page.locator('button[name=add][value="survey_wishes"]').click()
    page.wait_for_url(re.compile("#survey_wishes$"))
    assert rows.count() == before + 1
    page.context.close()


def test_signing_in_by_keyboard_alone(browser, world):
    page = new_page(browser, world.url)
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    for text in ("clerk", PASSWORD):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/counter(#main)?$"))
    page.context.close()
