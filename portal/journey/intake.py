"""受理: accepting an application opens the case, its tracks and the first tasks, all in one transaction."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.tables import Application, Case, Track
from portal.catalog import levels, routing
from portal.catalog.model import Catalog, Provider
from portal.catalog.queries import catalog_of
from portal.journey import case_files, notices, progress
from portal.journey.events import note_event
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.guard import change
from portal.kernel.ids import new_id, new_number
from portal.kernel.policy import Actor, require


def accept_application(actor: Actor, *, application_no: str, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Accept a filed application and open its case; answers the case number.

    Raises NotFound, NotAllowed, or Conflict when it has been decided already.
    """
    require(actor, "counter.accept")
    with transaction() as session:
        application = session.scalars(
            select(Application).where(Application.application_no == application_no).with_for_update()
        ).one_or_none()
        if application is None:
            raise NotFound
        if application.state != "filed":
            raise Conflict("该申请已经处理过了。", code="already_decided", facts={"state": application.state})
        values = {"state": "accepted", "decided_at": at, "version": application.version + 1}
        change(session, Application, application.id, {"state": "filed", "version": application.version}, values)
        session.expire(application)
        case = _open_case(session, application, actor=actor, at=at)
        audit.record(
            session,
            actor=actor,
            action="application.accepted",
            subject=application_no,
            detail={"case_no": case.case_no},
            at=at,
        )
        progress.advance(session, case_id=case.id, at=at, wire_at=wire_at)
        notices.order_acceptance_notice(session, case_id=case.id, clerk=actor.name, at=at, wire_at=wire_at)
        return case.case_no


def _open_case(session: Session, application: Application, *, actor: Actor, at: dt.datetime) -> Case:
    catalog = catalog_of(session, application.catalog_version)
    case = Case(
        id=new_id(),
        case_no=new_number("LB", case_files.day_code(at)),
        application_id=application.id,
        subject_id=application.subject_id,
        state="open",
        stage="intake",
        catalog_version=catalog.version,
        accepted_at=at,
        version=1,
    )
    session.add(case)
    session.flush()
    for utility, provider in _routed(application, catalog):
        session.add(_track(catalog, case, application, utility, provider))
    session.flush()
    note_event(session, case_id=case.id, kind="accepted", actor=actor, at=at)
    return case


def _routed(application: Application, catalog: Catalog) -> list[tuple[str, Provider]]:
    site, chosen = application.body["site"], application.body["utilities"]
    pairs: list[tuple[str, Provider]] = []
    for utility in catalog.utilities:
        if utility.code not in chosen:
            continue
        routed = routing.route(
            catalog,
            utility.code,
            division=site["division"],
            street=site.get("street"),
            address=site["address"],
            location=(site["location"]["lon"], site["location"]["lat"]),
            operators=tuple(chosen[utility.code].get("operators", ())),
        )
        pairs += [(utility.code, provider) for provider in routed.providers]
    return pairs


def _track(catalog: Catalog, case: Case, application: Application, utility: str, provider: Provider) -> Track:
    level = levels.service_level(catalog, utility, case_files.level_facts(application.body, utility))
    return Track(
        id=new_id(),
        case_id=case.id,
        provider=provider.code,
        utility=utility,
        service_level=level.code,
        stages=list(level.stages),
        limits={stage: float(days) for stage, days in level.limits.items()},
        cap_days=level.cap_days,
        state="open",
        split_off=[],
    )
