"""What the applicant does on its case page: confirm, sign, pay, answer, hand in drawings, say that it flows."""

from sqlalchemy import select

from portal.billing.tables import Payment
from portal.cases.tables import Contract, Drawing, Question
from portal.journey.pages_case import case_page
from portal.journey.payment import start_payment
from portal.kernel.database import db
from tests.journey.payment_fixtures import gateway_keys
from tests.journey.payment_world import PAYER
from tests.payment.gateway_world import wire_now
from tests.web.case_fixtures import confirm, replied, short, site, town
from tests.web.case_world import LONG, Site, drawing

__all__ = ["gateway_keys", "replied", "short", "site", "town"]  # the fixtures of this module


def test_confirming_brings_contracts_and_bill(town, replied):
    confirm(replied)
    page = replied.page()
    assert not page.forms_for("confirm")
    assert len(page.forms_for("sign")) == 1
    assert len(page.forms_for("pay")) == 1
    money = case_page(PAYER, replied.case_no, replied.at).money
    assert money.free_fen == money.owed_fen > 0
    assert "已选择" in page.text


def test_confirming_again_is_told_kindly(town, replied):
    form = replied.page().forms_for("confirm")[0]
    confirm(replied)
    again = replied.send(form, **{c.name: "B" for c in form.controls if c.kind == "radio"})
    assert again.url.endswith(f"/cases/{replied.case_no}")
    assert "目前没有需要确认的答复" in replied.page().text


def test_signing_needs_consent_and_signs_all(town, replied):
    confirm(replied)
    form = replied.page().forms_for("sign")[0]
    page = replied.send(form, status=422)
    assert page.errors == (("agree", "请先阅读合同，并勾选同意。"),)
    assert not [row for row in db.session.query(Contract) if row.signed_at]
    db.session.remove()
    replied.do("sign")
    assert all(row.signed_at for row in db.session.query(Contract))
    assert not replied.page().forms_for("sign")


def test_paying_goes_over_the_cashier_and_ends_paid(town, replied):
    confirm(replied)
    form = replied.page().forms_for("pay")[0]
    replied.send(form)
    page = replied.page()
    assert not page.forms_for("pay")
    assert not [link for link in page.links if link.act == "cashier"]
    assert "正在向支付平台申请缴费链接" in page.text
    replied.send(form)
    assert db.session.query(Payment).count() == 1
    db.session.remove()
    town.deliver()
    cashiers = [link for link in replied.page().links if link.act == "cashier"]
    assert cashiers
    assert all(link.href.startswith(town.gateway.sim.url) for link in cashiers)
    town.pay(start_again(replied))
    town.hear(len(cashiers))
    town.work("apply_notice")
    page = replied.page()
    assert not [link for link in page.links if link.act == "cashier"]
    assert not page.forms_for("pay")
    assert "已缴清" in page.text
    assert "收到缴费" in page.text


def start_again(site: Site):
    payment = db.session.scalars(select(Payment)).one()
    case_id, key = payment.case_id, payment.idempotency_key
    db.session.remove()
    return start_payment(PAYER, case_id=case_id, line_ids=None, idempotency_key=key, at=site.at, wire_at=wire_now())


def test_one_provider_alone_can_be_paid(town, replied):
    confirm(replied)
    alone = [f for f in replied.page().forms if f.action.endswith("/pay") and not f.act]
    payees = case_page(PAYER, replied.case_no, replied.at).money.payees
    assert len(alone) == len(payees) > 1
    replied.send(alone[0])
    money = case_page(PAYER, replied.case_no, replied.at).money
    assert money.free_fen == money.owed_fen - payees[0].free_fen
    assert len(replied.page().forms_for("pay")) == 1


def test_a_question_is_answered_with_a_paper(short):
    task = short.tasks("reply")[0]
    items = [{"code": "load_list", "text": "请补充设备清单。", "material_kind": "equipment_list", "why": "核算容量"}]
    short.report(task, "question", items=items)
    (form,) = short.page().forms_for("answer")
    assert "轮到您" in short.page().text
    page = short.send(form, status=422)
    question = db.session.query(Question).one()
    assert page.errors[0][0] == f"answer-{question.id}"
    db.session.remove()
    page = short.send(form, status=422, file=b"not a paper", answer="见附件")
    assert page.errors[0][0] == f"file-{question.id}"
    assert "见附件" in page.forms_for("answer")[0].named("answer")[0].value
    short.send(form, file=drawing(1), answer="见附件")
    db.session.remove()
    answered = db.session.query(Question).one()
    assert (answered.state, answered.answer) == ("answered", "见附件")
    assert answered.material_id
    assert not short.page().forms_for("answer")


def test_connection_is_confirmed_by_the_applicant_only_once_reported(town, replied):
    confirm(replied, "A")
    replied.do("sign")
    task = replied.tasks("connection")[0]
    points = [{"account_no": "6100012345", "meter_no": "M-1", "supply_point": "一层"}]
    replied.report(task, "connected", connected_at=replied.at.isoformat(), points=points)
    page = replied.page()
    assert "6100012345" in page.text
    (form,) = page.forms_for("flow")
    assert form.named("task_id")[0].value == task.id
    replied.do("flow")
    assert not replied.page().forms_for("flow")
    assert replied.tasks("connection")[0].state == "done"
    assert "已确认" in replied.page().text


def test_a_question_before_the_connection_is_nothing_to_confirm(town, replied):
    confirm(replied, "A")
    replied.do("sign")
    task = replied.tasks("connection")[0]
    replied.report(task, "question", items=[{"code": "access", "text": "何时可以进场？", "why": "安排人员"}])
    page = replied.page()
    assert not page.forms_for("flow")
    answer = replied.client.post(f"/cases/{replied.case_no}/flow", data={"task_id": task.id})
    assert answer.status_code == 302
    assert replied.tasks("connection")[0].state == "waiting_applicant"


def test_drawings_are_asked_for_handed_in_and_asked_for_again(site):
    site.open_case(LONG)
    site.survey_all()
    assert "一同上门" in site.page().text
    site.find_all()
    for task in site.tasks("reply"):
        site.reply(task, charged=False)
    confirm(site, "A")
    reviews = {task.provider: task for task in site.tasks("review")}
    forms = site.page().forms_for("drawings")
    assert {form.named("provider")[0].value for form in forms} == set(reviews)
    assert len(reviews) > 1
    provider = forms[0].named("provider")[0].value
    refused = site.send(forms[0], status=422, file=b"no pdf")
    assert refused.errors[0][0] == f"file-{provider}"
    site.send(forms[0], file=drawing(1))
    assert len(site.page().forms_for("drawings")) == len(reviews) - 1
    first = db.session.query(Drawing).one()
    comment = {
        "drawing_sha256": first.sha256,
        "location": "图 3",
        "clause": "GB 50015-2019 3.4.1",
        "severity": "must",
        "text": "管径偏小，请放大一级。",
    }
    versions = [{"sha256": first.sha256, "version": 1}]
    site.report(reviews[provider], "review", verdict="rework", round=1, drawings=versions, comments=[comment])
    page = site.page()
    assert "管径偏小" in page.text
    (again,) = [f for f in page.forms_for("drawings") if f.named("provider")[0].value == provider]
    site.send(again, file=drawing(2))
    assert provider not in {f.named("provider")[0].value for f in site.page().forms_for("drawings")}
    assert "第 2 版" in site.page().text
