"""The joint visit: proposals, one click, the next round, the fewest visits, standing hours, calendar files."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.tables import Visit, VisitRound
from portal.journey import clocks, crews, visit_choices, visit_files
from portal.journey.pages_case import case_page
from portal.journey.pages_staff_visits import day_plans, planned_times
from portal.kernel.clock import SHANGHAI, local_date
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from tests.conftest import AT
from tests.journey.players import MILL, CaseWalk, staff_of

WATER, POWER = "water-wuyuan", "power-bayannur"
HOUR = dt.timedelta(hours=1)


def open_mill(app: Flask) -> CaseWalk:
    walk = CaseWalk(MILL, outside_line_m=140, takes_first_visit=False).open()
    assert {WATER, POWER} < set(walk.tracks())
    return walk


def span(walk: CaseWalk, day: int, start: int, end: int) -> dict[str, str]:
    """Hours of a working day after today's, as a slot."""
    on = local_date(walk.at) + dt.timedelta(days=day)
    at = [dt.datetime.combine(on, dt.time(hour), SHANGHAI).isoformat() for hour in (start, end)]
    return {"start_at": at[0], "end_at": at[1]}


def offer(walk: CaseWalk, **slots: list[dict[str, str]]) -> None:
    """Everybody offers time: by utility, `other` for those not named."""
    for task in walk.tasks("survey"):
        walk.report(task, "availability", slots=slots.get(task.utility or "", slots["other"]), people=[task.provider])


def starts(walk: CaseWalk) -> list[str]:
    return [p.visits[0]["start_at"][8:16] for p in walk.proposals()]


def tick(walk: CaseWalk) -> None:
    db.session.remove()
    clocks.tick(at=walk.at, wire_at=walk.at)


def test_three_times_are_offered_and_one_click_fixes_the_visit_for_all(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, other=[span(walk, 1, 9, 17)])
    assert starts(walk) == ["24T09:00", "24T11:00", "24T13:00"]
    assert not walk.visits()
    assert case_page(walk.applicant, walk.case_no, walk.at).head.turn == "轮到您"
    chosen = walk.proposals()[1]
    walk.choose_visit(chosen.id)
    (visit,) = walk.visits()
    assert (visit.state, sorted(visit.providers)) == ("fixed", sorted(walk.tracks()))
    assert visit.crews[WATER] == WATER
    assert len(walk.messages("visit.fixed")) == len(walk.tracks())
    with pytest.raises(Conflict):
        walk.choose_visit(chosen.id)
    assert len(walk.visits()) == 1


def test_without_an_answer_the_best_time_is_taken_when_the_round_ends(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, other=[span(walk, 2, 9, 17)])
    end = db.session.scalars(select(VisitRound.ends_at)).one()
    assert clocks.next_due(db.session(), at=walk.at) == end
    walk.at = end - dt.timedelta(minutes=1)
    tick(walk)
    assert not walk.visits()
    walk.at = end
    tick(walk)
    (visit,) = walk.visits()
    assert visit.start_at == dt.datetime(2026, 11, 25, 1, tzinfo=dt.UTC)
    assert walk.events("visit_fixed")[0].actor == "系统"


def test_declining_all_begins_the_next_round_with_the_day_wished_for(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, other=[span(walk, 1, 9, 17), span(walk, 3, 9, 17)])
    assert starts(walk)[0] == "24T09:00"

    def decline(on: str = "") -> None:
        db.session.remove()
        visit_choices.decline_proposals(
            walk.applicant, case_no=walk.case_no, note="", wish_on=on, wish_half="morning", at=walk.at, wire_at=walk.at
        )

    with pytest.raises(Invalid) as early:
        decline("2026-11-20")
    assert [error.field for error in early.value.errors] == ["wish_on"]
    decline("2026-11-26")
    assert starts(walk)[0] == "26T09:00"
    assert not {"24T09:00", "24T11:00", "24T13:00"} & set(starts(walk))
    decline()
    with pytest.raises(Conflict) as refused:
        decline()
    assert refused.value.code == "last_round"
    assert starts(walk)


def test_a_dispatcher_calls_a_fixed_visit_off_and_the_next_round_begins(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, other=[span(walk, 1, 9, 12), span(walk, 2, 9, 12)])
    walk.choose_visit(walk.proposals()[0].id)
    task = walk.task(WATER, "survey")
    (planned,) = planned_times(staff_of(WATER), task_id=task.id)
    assert planned.is_fixed

    def veto(provider: str, reason: str) -> None:
        db.session.remove()
        visit_choices.veto_time(
            staff_of(provider), task_id=task.id, start_at=planned.key, reason=reason, at=walk.at, wire_at=walk.at
        )

    with pytest.raises(NotFound):
        veto(POWER, "生病")
    with pytest.raises(Invalid):
        veto(WATER, " ")
    veto(WATER, "抢修")
    assert [visit.state for visit in walk.visits()] == ["cancelled"]
    assert len(walk.messages("visit.cancelled")) == len(walk.tracks())
    assert starts(walk)
    assert "24T09:00" not in starts(walk)
    walk.choose_visit(walk.proposals()[0].id)
    assert sorted(visit.state for visit in walk.visits()) == ["cancelled", "fixed"]
    file = visit_files.case_calendar(walk.applicant, case_no=walk.case_no, at=walk.at).decode()
    assert file.count("BEGIN:VEVENT") == 2
    assert "STATUS:CANCELLED" in file


def test_other_slots_end_a_round_that_no_longer_suits(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, other=[span(walk, 1, 9, 17), span(walk, 2, 9, 17)])
    walk.report(walk.task(WATER, "survey"), "availability", slots=[span(walk, 2, 14, 16)])
    assert starts(walk) == ["25T14:00"]


def test_without_a_common_time_others_are_asked_for_and_then_the_fewest_visits_are_offered(bare_app: Flask):
    walk = open_mill(bare_app)
    offer(walk, water=[span(walk, 3, 9, 11)], other=[span(walk, 4, 9, 11)])
    assert walk.proposals() == []
    (round_,) = db.session.scalars(select(VisitRound))
    assert (round_.state, len(walk.events("visit_not_found"))) == ("asked", 1)
    walk.at = round_.ends_at
    for task in walk.tasks("survey"):
        later = span(walk, 1, 9, 11) if task.provider == WATER else span(walk, 2, 9, 11)
        walk.report(task, "availability", slots=[later], people=[task.provider])
    tick(walk)
    (proposal,) = walk.proposals()
    assert len(proposal.visits) == 2
    assert "最少需要上门 2 次" in proposal.reason
    walk.choose_visit(proposal.id)
    assert len(walk.visits()) == 2
    document = walk.document(walk.task(WATER, "survey"))
    assert "findings" in document["expects"]
    walk.provide("survey")
    assert {visit.state for visit in walk.visits()} == {"done"}


def test_a_crew_on_its_way_from_another_case_is_not_called(bare_app: Flask):
    first = open_mill(bare_app)
    offer(first, other=[span(first, 1, 9, 12)])
    first.choose_visit(first.proposals()[0].id)
    second = open_mill(bare_app)
    offer(second, other=[span(second, 1, 9, 12)])
    assert starts(second)[0] == "24T10:00"  # the same site: no way to go, but nobody is in two places


def test_standing_hours_answer_by_themselves(bare_app: Flask):
    hours = dict.fromkeys(range(5), ("09:00", "17:00"))
    for provider in (WATER, POWER, "network-telecom"):
        skills = ("high_voltage",) if provider == POWER else ()
        entry = crews.CrewEntry(name="一班", people=("王工",), skills=skills, hours=hours)
        crews.save_crew(staff_of(provider), crew_id=None, entry=entry, version=1, at=AT)
    walk = open_mill(bare_app)
    assert starts(walk)[0] == "24T09:00"
    assert all("availability" in task.result for task in walk.tasks("survey"))
    walk.choose_visit(walk.proposals()[0].id)
    (plan,) = day_plans(staff_of(WATER), on=dt.date(2026, 11, 24))
    assert (plan.crew, [stop.case_no for stop in plan.stops]) == ("一班", [walk.case_no])
    assert day_plans(staff_of(WATER), on=dt.date(2026, 11, 25)) == ()


def test_a_crew_without_the_skill_does_not_answer(bare_app: Flask):
    entry = crews.CrewEntry(name="低压班", people=("李工",), skills=(), hours={0: ("09:00", "17:00")})
    crews.save_crew(staff_of(POWER), crew_id=None, entry=entry, version=1, at=AT)
    walk = open_mill(bare_app)
    level = walk.tracks()[POWER].service_level
    assert ("availability" in walk.task(POWER, "survey").result) == (not level.startswith("power-hv"))


def test_wrong_hours_are_named_by_their_day(bare_app: Flask):
    entry = crews.CrewEntry(name="一班", people=(), skills=(), hours={2: ("17:00", "09:00"), 3: ("9", "")})
    with pytest.raises(Invalid) as refused:
        crews.save_crew(staff_of(WATER), crew_id=None, entry=entry, version=1, at=AT)
    assert [error.field for error in refused.value.errors] == ["day-2", "day-3"]


def test_nobody_else_gets_the_calendar_file(bare_app: Flask):
    walk = open_mill(bare_app)
    task = walk.task(WATER, "survey")
    with pytest.raises(NotFound):
        visit_files.task_calendar(staff_of(WATER), task_id=task.id, at=walk.at)
    offer(walk, other=[span(walk, 1, 9, 12)])
    walk.choose_visit(walk.proposals()[0].id)
    assert b"DTSTART:20261124T010000Z" in visit_files.task_calendar(staff_of(WATER), task_id=task.id, at=walk.at)
    with pytest.raises(NotFound):
        visit_files.task_calendar(staff_of(POWER), task_id=task.id, at=walk.at)


def test_a_silent_provider_is_passed_by_from_the_clock_alone(bare_app: Flask):
    walk = open_mill(bare_app)
    for task in walk.tasks("survey"):
        if task.provider != WATER:
            walk.report(task, "availability", slots=[span(walk, n, 9, 12) for n in range(1, 12)])
    assert not walk.proposals()
    due = clocks.next_due(db.session(), at=walk.at)
    assert due is not None
    walk.at = due
    tick(walk)
    assert walk.events("late_passed_by")
    assert walk.proposals()
    assert db.session.scalars(select(Visit)).first() is None
    assert walk.task(WATER, "survey").state == "issued"
