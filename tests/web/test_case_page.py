"""The applicant's case page over a case opened and driven by the real use cases."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from portal.billing.gateway import use_gateway
from portal.billing.tables import Payment
from portal.cases.tables import CaseEvent, Confirmation, Contract, Drawing, Question
from portal.journey.pages_case import case_page
from portal.journey.pages_case_timeline import SENTENCES
from portal.journey.payment import start_payment
from portal.journey.reports import STEPS
from portal.kernel.database import db
from portal.kernel.policy import ANONYMOUS
from tests.journey.payment_fixtures import gateway_keys  # noqa: F401 - a fixture
from tests.journey.payment_world import CLERK, PAYER, STRANGER, Town
from tests.payment.gateway_world import make_world, wire_now
from tests.web.case_world import LONG, ROOT, SHORT, Site, drawing, make_app


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app = make_app(f"sqlite:///{tmp_path / 'test.db'}")
    with app.app_context():
        db.create_all()
        yield Site(app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def short(site: Site) -> Site:
    site.open_case(SHORT)
    return site


@pytest.fixture
def replied(short: Site) -> Site:
    for task in short.tasks("reply"):
        short.reply(task)
    return short


@pytest.fixture
def town(replied: Site, gateway_keys: Path) -> Iterator[Town]:  # noqa: F811 - the fixture imported above
    gateway = make_world(gateway_keys)
    use_gateway(replied.app, gateway.client, retry_scale=0.0)
    yield Town(replied.app, gateway, replied.case)
    db.session.remove()
    gateway.close()


def choose(site: Site, code: str) -> dict[str, str]:
    form = site.page().forms_for("confirm")[0]
    return {c.name: code for c in form.controls if c.kind == "radio"}


def confirm(site: Site, code: str = "B") -> None:
    site.send(site.page().forms_for("confirm")[0], **choose(site, code))


def test_a_fresh_case_tells_where_it_stands_and_asks_nothing(short):
    page = short.page()
    assert "目前没有需要您办理的事项" in page.text
    assert short.application().query_code in page.text
    assert "轮到 " in page.text
    assert short.application().body["project"]["name"] in page.text
    assert not [form for form in page.forms if form.act]
    for row in case_page(PAYER, short.case_no, short.at).providers:
        assert row.name in page.text


def test_strangers_and_missing_cases_look_the_same(short):
    short.who = STRANGER
    foreign = short.page(status=404)
    absent = short.page("/cases/LB000000-NOCASE", status=404)
    assert foreign.text.replace(short.case_no, "") == absent.text.replace("LB000000-NOCASE", "")
    short.who = ANONYMOUS
    assert "/sign-in" in short.page(status=302).url


def test_a_stranger_can_do_nothing(replied):
    forms = replied.page().forms_for("confirm")
    replied.who = STRANGER
    replied.send(forms[0], status=404, **{c.name: "A" for c in forms[0].controls if c.kind == "radio"})
    assert db.session.query(Confirmation).count() == 0


def test_staff_see_the_case_without_forms(replied):
    replied.who = CLERK
    page = replied.page()
    assert not [form for form in page.forms if form.act]
    assert "轮到申请人" in page.text


def test_options_stand_side_by_side_with_prices_and_nothing_is_preselected(replied):
    page = replied.page()
    (form,) = page.forms_for("confirm")
    radios = [control for control in form.controls if control.kind == "radio"]
    providers = {task.provider for task in replied.tasks("reply")}
    assert {radio.name for radio in radios} == {f"option-{provider}" for provider in providers}
    assert len(radios) == 2 * len(providers)
    assert not any(radio.checked for radio in radios)
    assert "推荐" in page.text
    assert "费用最低" in page.text
    assert "加快接入" in page.text
    assert "阀门、报警和切断装置安装" in page.text
    assert "3,500.00" in page.text


def test_a_missing_choice_is_named_and_the_others_are_kept(replied):
    chosen = choose(replied, "B")
    left_out = chosen.popitem()[0]
    page = replied.send(replied.page().forms_for("confirm")[0], status=422, **chosen)
    assert [anchor for anchor, _ in page.errors] == [left_out]
    assert f'id="{left_out}"' in page.text
    kept = {c.name for c in page.forms_for("confirm")[0].controls if c.kind == "radio" and c.checked}
    assert kept == set(chosen)
    assert db.session.query(Confirmation).count() == 0


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


def test_drawings_are_asked_for_handed_in_and_asked_for_again(site, gateway_keys):  # noqa: F811 - a fixture
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


def test_queries_do_not_grow_with_the_providers(site):
    counts = []
    for sample in (LONG, SHORT):  # three providers, five providers
        site.open_case(sample)
        case_page(PAYER, site.case_no, site.at)
        counts.append(count_queries(site))
    assert counts[0] == counts[1] <= 25


def count_queries(site: Site) -> int:
    seen: list[str] = []
    db.session.remove()
    event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: seen.append(statement))
    case_page(PAYER, site.case_no, site.at)
    return len([statement for statement in seen if statement.startswith("SELECT")])


def test_the_list_shows_own_cases_with_whose_turn(replied):
    page = replied.page("/cases")
    assert replied.case_no in page.text
    assert "轮到您" in page.text
    assert "确认答复" in page.text
    assert {row.turn for row in case_page(PAYER, replied.case_no, replied.at).providers} == {"轮到您"}
    replied.who = STRANGER
    assert replied.case_no not in replied.page("/cases").text


def test_every_kind_of_event_has_its_sentence(replied):
    noted = {kind for path in (ROOT / "portal" / "journey").glob("*.py") for kind in kinds_noted_in(path)}
    assert len(noted) > 20
    assert noted | {f"report_{kind}" for kind in STEPS} <= SENTENCES.keys()
    assert {row.kind for row in db.session.query(CaseEvent)} <= SENTENCES.keys()


def kinds_noted_in(path: Path) -> set[str]:
    """The literal kinds of timeline rows that a module writes."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    named = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("note_event", "raise_alarm")]
    values = [keyword.value for call in named for keyword in call.keywords if keyword.arg == "kind"]
    return {value.value for value in values if isinstance(value, ast.Constant)}
