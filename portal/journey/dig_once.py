"""一次开挖: from the findings of all providers to one works plan, one permit request and one call to the neighbours."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import dig_plans
from portal.cases.conflicts import TrenchLine
from portal.cases.tables import JointWorks
from portal.catalog.ground import PlannedWorks
from portal.catalog.queries import calendar_of
from portal.journey import case_files
from portal.journey.case_files import CaseFile
from portal.journey.conflict_checks import answers_of, conflicts_of, lines_of
from portal.journey.events import note_event, send_case_event
from portal.journey.notices import common_values, party
from portal.journey.papers import order_document
from portal.kernel.clock import local_date
from portal.kernel.ids import new_id
from portal.kernel.money import format_yuan
from portal.kernel.policy import SYSTEM

LEAD_WORKING_DAYS = 2  # from the plan to the first spade, before anybody has planned: the permit is asked for meanwhile
USUAL_WORKS_DAYS = 10


def works_of(session: Session, case_id: str) -> JointWorks | None:
    """The works plan of a case, if it opens the ground."""
    return session.scalars(select(JointWorks).where(JointWorks.case_id == case_id)).one_or_none()


def make_plan(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> JointWorks | None:
    """Step: make or remake the plan from what is known now; the neighbours are called when it is made first.

    None where nobody of the case digs. Once somebody has started, the plan stands.
    """
    lines = [line for line in lines_of(file) if "works" in file.tracks[line.provider].stages]
    row = works_of(session, file.case.id)
    if not lines or (row is not None and row.state != "planned"):
        return row
    values = _values(session, file, lines, at)
    if row is None:
        row = JointWorks(id=new_id(), case_id=file.case.id, division=file.body["site"]["division"], version=1, **values)
        session.add(row)
        session.flush()
        facts = {"saved_m": row.saved_m, "saved_fen": row.saved_fen}
        note_event(session, case_id=file.case.id, kind="works_planned_jointly", actor=SYSTEM, at=at, facts=facts)
        _call_neighbours(session, file, row, at=at, wire_at=wire_at)
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        session.flush()
    return row


def _values(session: Session, file: CaseFile, lines: list[TrenchLine], at: dt.datetime) -> dict[str, Any]:
    rules, routes = file.catalog.ground_rules, {line.provider: line.route for line in lines}
    plan = dig_plans.plan_dig(routes, rules.trench_fen_per_m)
    assert plan is not None
    start_on, end_on = window_of(session, file, at)
    opened = list(routes.values())
    near = dig_plans.near_works(opened, start_on, end_on, _planned(session, file), rules.near_works_m)
    protected = dig_plans.protected_roads(opened, start_on, file.catalog.roads, rules)
    return {
        "state": "planned",
        "start_on": start_on,
        "end_on": end_on,
        "lines": [
            {
                "provider": line.provider,
                "utility": line.utility,
                "depth_m": line.depth_m,
                "coordinates": [list(position) for position in line.route],
            }
            for line in lines
        ],
        "single_m": plan.saving.single_m,
        "union_m": plan.saving.union_m,
        "saved_m": plan.saving.saved_m,
        "price_fen": plan.price_fen,
        "saved_fen": plan.saved_fen,
        "shares": [asdict(share) for share in plan.shares],
        "protected": [asdict(road) | {"until_on": road.until_on.isoformat()} for road in protected],
        "near": [
            asdict(works) | {"from_on": works.from_on.isoformat(), "until_on": works.until_on.isoformat()}
            for works in near
        ],
        "made_at": at,
    }


def window_of(session: Session, file: CaseFile, at: dt.datetime) -> tuple[dt.date, dt.date]:
    """The days the ground is open: as planned by the providers, else from the longest option confirmed."""
    windows = answers_of(file).windows
    if windows:
        return min(window.start_on for window in windows), max(window.end_on for window in windows)
    calendar = calendar_of(session)
    start_on = calendar.add_working_days(local_date(at), LEAD_WORKING_DAYS)
    options = case_files.confirmed_options(session, file.case.id).values()
    days = max((int(option["works_days"]) for option in options), default=USUAL_WORKS_DAYS)
    return start_on, calendar.add_working_days(start_on, max(days - 1, 0))


def _planned(session: Session, file: CaseFile) -> list[PlannedWorks]:
    """What others dig: the city's announced works, and other cases' trenches that are not closed yet."""
    others = session.scalars(
        select(JointWorks).where(
            JointWorks.division == file.body["site"]["division"],
            JointWorks.case_id != file.case.id,
            JointWorks.state != "finished",
        )
    )
    own = [
        PlannedWorks(
            code=f"case-{row.id[:12]}",
            name="另一联合办件的管线施工",
            division=row.division,
            owner="联合报装",
            from_on=row.start_on,
            until_on=row.end_on,
            line=tuple((lon, lat) for lon, lat in line["coordinates"]),
        )
        for row in others
        for line in row.lines[:1]
    ]
    return [*file.catalog.planned_works, *own]


def _call_neighbours(
    session: Session, file: CaseFile, row: JointWorks, *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """共沟征询: whoever has a network in the division and no part in the case may lay along, told roughly where."""
    called = [p.code for p in file.catalog.providers if row.division in p.divisions and p.code not in file.tracks]
    if not called:
        return
    data = {
        "works_id": row.id,
        "division": row.division,
        "stretch": {"type": "MultiPoint", "coordinates": [list(p) for p in dig_plans.coarse_line(longest(row))]},
        "window": {"start_on": row.start_on.isoformat(), "end_on": row.end_on.isoformat()},
        "contact": file.catalog.lead_agency.name,
    }
    send_case_event(session, case_id=None, providers=called, type_="works.planned", data=data, at=at, wire_at=wire_at)
    note_event(
        session, case_id=file.case.id, kind="neighbours_called", actor=SYSTEM, at=at, facts={"providers": called}
    )


def longest(row: JointWorks) -> list[list[float]]:
    """The line with the most corners or, among equals, the first: enough to say which street."""
    lines: list[list[list[float]]] = [line["coordinates"] for line in row.lines]
    return max(lines, key=len)


def permit_request(file: CaseFile, row: JointWorks) -> dict[str, Any]:
    """The one road-opening request, derived from the plan: nobody fills it in."""
    widths = [
        float(task.result["findings"]["trench"]["width_m"])
        for task in file.stage_tasks("survey")
        if (task.result.get("findings") or {}).get("trench")
    ]
    width_m = max(widths, default=0.0)
    return {
        "length_m": row.union_m,
        "width_m": width_m,
        "area_m2": round(row.union_m * width_m, 1),
        "depth_m": max(line["depth_m"] for line in row.lines),
        "start_on": row.start_on.isoformat(),
        "end_on": row.end_on.isoformat(),
        "providers": [line["provider"] for line in row.lines],
        "saved_m": row.saved_m,
        "protected": row.protected,
        "near": row.near,
    }


def follow_works(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Step, after a report of works: the plan follows; the paper is issued once everybody has planned."""
    row = works_of(session, file.case.id)
    if row is None:
        return
    tasks = [task for task in file.stage_tasks("works") if task.state not in ("declined", "withdrawn")]
    states = [(task.result.get("works") or {}).get("status") for task in tasks]
    if row.state == "planned" and all(state is not None for state in states):
        make_plan(session, file, at=at, wire_at=wire_at)
        if not case_files.case_events(session, file.case.id, "works_plan_issued"):
            note_event(session, case_id=file.case.id, kind="works_plan_issued", actor=SYSTEM, at=at)
            _order_paper(session, file, row, at, wire_at)
    if row.state == "planned" and "started" in states:
        row.state = "started"
    if all(state == "finished" for state in states):
        row.state = "finished"
    session.flush()


def _order_paper(session: Session, file: CaseFile, row: JointWorks, at: dt.datetime, wire_at: dt.datetime) -> None:
    number = f"{file.case.case_no}-SG"
    contact = file.body["site"].get("contact") or file.body["applicant"]["contact"]
    values = {
        **common_values(file, number=number, at=at),
        "windows": [
            {
                **party(file, window.provider),
                "start_on": window.start_on,
                "end_on": window.end_on,
                "needs_road_opening": any(line["provider"] == window.provider for line in row.lines),
            }
            for window in answers_of(file).windows
        ],
        "trenches": _groups(file, row),
        "permits": [
            {
                "kind_name": file.catalog.code_text(task.result["permit"]["kind"]),
                "office_name": file.catalog.office(task.provider).name,
                "permit_no": task.result["permit"].get("permit_no"),
            }
            for task in file.stage_tasks("permits")
        ],
        "site_contact": contact["name"],
        "notes": _notes(session, file, row),
    }
    order_document(
        session,
        kind="works_plan",
        case_id=file.case.id,
        subject_id=file.case.subject_id,
        number=number,
        values=values,
        at=at,
        wire_at=wire_at,
    )


def _groups(file: CaseFile, row: JointWorks) -> list[dict[str, Any]]:
    if len(row.lines) < 2 or row.saved_m <= 0:
        return []
    members = [party(file, line["provider"])["provider_name"] for line in row.lines]
    route = file.body["site"]["address"]
    return [{"route": route, "members": members, "shared_m": row.union_m, "separate_m": row.single_m}]


def _notes(session: Session, file: CaseFile, row: JointWorks) -> list[str]:
    """The cost shares, what is near, what was decided about windows."""
    notes = []
    if row.saved_fen:
        said = "；".join(
            f"{party(file, s['provider'])['provider_name']} {s['length_m']:g} 米，分摊 {format_yuan(s['share_fen'])} 元"
            f"（单独开挖 {format_yuan(s['alone_fen'])} 元）"
            for s in row.shares
        )
        source = file.catalog.ground_rules.trench_price_source
        notes.append(f"共沟节约 {format_yuan(row.saved_fen)} 元，按各自线路长度分摊：{said}。单价：{source}。")
    notes += [
        f"附近同期施工：{works['name']}（{works['owner']}，{works['from_on']} 至 {works['until_on']}，"
        f"相距 {works['distance_m']:g} 米），请协调一次开挖。"
        for works in row.near
    ]
    notes += [f"所经道路处于保护期：{road['name']}，至 {road['until_on']}。" for road in row.protected]
    if any(c.kind == "window" and c.state == "settled" for c in conflicts_of(session, file.case.id)):
        notes.append("施工时间互相排斥的专业，按已核定的先后施工。")
    return [note[:900] for note in notes]
