"""What the applicant's case page shows, over a case opened and driven by the real use cases."""

import ast
from pathlib import Path

from sqlalchemy import event

from portal.cases.tables import CaseEvent, Confirmation
from portal.journey.pages_case import case_page
from portal.journey.pages_case_timeline import SENTENCES
from portal.journey.reports import STEPS
from portal.kernel.database import db
from portal.kernel.policy import ANONYMOUS
from tests.journey.payment_world import CLERK, PAYER, STRANGER
from tests.web.case_fixtures import choose, replied, short, site
from tests.web.case_world import LONG, ROOT, SHORT, Site

__all__ = ["replied", "short", "site"]  # the fixtures of this module


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
