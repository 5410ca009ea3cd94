"""A quote that changed after review, on the applicant's case page: shown, decided, and what it does to the bill."""

from sqlalchemy import select

from portal.cases.tables import QuoteChange
from portal.journey.pages_case import case_page
from portal.kernel.database import db
from tests.journey.payment_world import PAYER
from tests.web.case_fixtures import confirm, site
from tests.web.case_world import CHARGED, LONG, Site, drawing

__all__ = ["site"]  # the fixture of this module


def requoted(site: Site) -> int:
    """One provider asks for two of what it had offered for nothing; answers the new sum in fen."""
    site.open_case(LONG)
    site.survey_all()
    site.find_all()
    for task in site.tasks("reply"):
        site.reply(task, charged=False)
    confirm(site, "A")
    task = next(task for task in site.tasks("review") if task.utility in CHARGED)
    form = next(f for f in site.page().forms_for("drawings") if f.named("provider")[0].value == task.provider)
    site.send(form, file=drawing(1))
    line = site._line(task)
    line |= {"quantity": "2", "amount_fen": 2 * line["unit_price_fen"]}
    site.report(task, "quote_final", quote=[line], reason="审图后多装一块表")
    return int(line["amount_fen"])


def test_a_changed_quote_is_shown_and_decided_on_the_page(site):
    now_fen = requoted(site)
    page = site.page()
    assert "审图后多装一块表" in page.text
    assert "确认调整后的报价" in page.text
    (form,) = page.forms_for("quote")
    change = db.session.scalars(select(QuoteChange)).one()
    change_id = change.id
    db.session.remove()
    refused = site.send(form, status=422)
    assert refused.errors == ((f"verdict-{change_id}", "请选择是否同意新的报价。"),)
    site.send(form, verdict="accept")
    page = site.page()
    assert not page.forms_for("quote")
    assert "重新签署" in page.text
    assert len(page.forms_for("sign")) == 1
    assert case_page(PAYER, site.case_no, site.at).money.owed_fen == now_fen
    again = site.send(form, verdict="refuse")
    assert again.url.endswith(f"/cases/{site.case_no}")
    assert "已经处理过" in site.page().text
