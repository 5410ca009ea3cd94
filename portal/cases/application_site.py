"""Where the supply is wanted: inside the city, in the division named, and served by a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from portal.cases.application_findings import Context, Finding, refuse, remark
from portal.cases.application_parts import Person, Site
from portal.cases.application_utilities import Network
from portal.cases.identifiers import check_person_id, check_unit_no
from portal.catalog import routing
from portal.catalog.routing import NotServed, Routed

if TYPE_CHECKING:
    from portal.cases.application import Application

MAX_BOUNDARY_POINTS = 5000


def check_site(application: Application, context: Context) -> Iterator[Finding]:
    """The point lies in the city, street and unit number belong to the division, the red line is a polygon."""
    site = application.site
    placed = routing.place(context.catalog, site.location.lon, site.location.lat, site.division)
    if not placed.inside_city:
        yield refuse("site.location", "outside_city")
    elif not placed.agrees_with_division:
        yield remark("site.location", "point_division")
    yield from _division(site, context)
    if site.property_unit_no and (hint := check_unit_no(site.property_unit_no, division=site.division)):
        yield remark("site.property_unit_no", hint)
    if site.boundary is not None and not is_polygon(site.boundary.coordinates):
        yield refuse("site.boundary", "boundary")
    yield from _door(site.contact, context)


def check_served(application: Application, context: Context) -> Iterator[Finding]:
    """At least one of the utilities chosen has a network at the site; told only where the division is one of ours."""
    if context.catalog.division(application.site.division) is None:
        return
    routes = routes_of(application, context)
    if not any(routed.providers for routed in routes.values()):
        yield refuse("utilities", "none_served")


def routes_of(application: Application, context: Context) -> dict[str, Routed]:
    """Who would serve each utility chosen, and what is not served, in the application's order of utilities."""
    site = application.site
    location = (site.location.lon, site.location.lat)
    routes = {}
    for utility, section in application.utilities.sections().items():
        routes[utility] = routing.route(
            context.catalog,
            utility,
            division=site.division,
            street=site.street,
            address=site.address,
            location=location,
            operators=section.operators if isinstance(section, Network) else (),
        )
    return routes


def not_served(application: Application, context: Context) -> tuple[NotServed, ...]:
    """What the applicant must be told before filing: utilities without a network at the site."""
    return tuple(routed.not_served for routed in routes_of(application, context).values() if routed.not_served)


def is_polygon(rings: tuple[Any, ...]) -> bool:
    """Whether these are GeoJSON polygon coordinates: closed rings of at least four lon, lat points on Earth."""
    if not rings or not all(isinstance(ring, list) and len(ring) >= 4 and ring[0] == ring[-1] for ring in rings):
        return False
    points = [point for ring in rings for point in ring]
    return len(points) <= MAX_BOUNDARY_POINTS and all(_is_point(point) for point in points)


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) not in (2, 3):
        return False
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in point):
        return False
    return bool(-180 <= point[0] <= 180 and -90 <= point[1] <= 90)


def _division(site: Site, context: Context) -> Iterator[Finding]:
    division = context.catalog.division(site.division)
    if division is None:
        yield refuse("site.division", "division")
    elif site.street and site.street not in {street.code for street in division.streets}:
        yield refuse("site.street", "street")


def _door(person: Person | None, context: Context) -> Iterator[Finding]:
    if person and person.id_no and (wrong := check_person_id(person.id_no, person.id_type, on=context.on)):
        yield refuse("site.contact.id_no", wrong)
