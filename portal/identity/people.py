"""Who somebody is right now: rights are read at every request, never kept in the session."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.identity.tables import Membership, Person, StaffSeat
from portal.kernel.policy import ANONYMOUS, Actor


def load_actor(session: Session, person_id: str) -> Actor:
    """The person as an actor: its roles, its seat, and everybody it may act for. Anonymous when it is disabled."""
    person = session.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        return ANONYMOUS
    seats = session.scalars(select(StaffSeat).where(StaffSeat.person_id == person_id, StaffSeat.ended_at.is_(None)))
    seats_now = list(seats)
    members = session.scalars(
        select(Membership.organisation_id).where(Membership.person_id == person_id, Membership.ended_at.is_(None))
    )
    subjects = {*members, *([person.subject_id] if person.subject_id else [])}
    roles = {seat.role for seat in seats_now} | ({"applicant"} if subjects or not seats_now else set())
    return Actor(
        kind="person",
        id=person.id,
        name=person.name,
        roles=frozenset(roles),
        subject_ids=frozenset(subjects),
        provider_code=next((seat.provider_code for seat in seats_now if seat.provider_code), None),
        office_code=next((seat.office_code for seat in seats_now if seat.office_code), None),
    )
