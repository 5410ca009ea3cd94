"""Works in the city: who digs where and when. Exact lines and depths only for providers of the case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.cases.dig_plans import coarse_line
from portal.cases.plan_sketches import Sketch, legend, sketch
from portal.cases.tables import Case, JointWorks
from portal.catalog.queries import current_catalog
from portal.journey.dig_once import longest
from portal.kernel.database import db
from portal.kernel.policy import Actor

STATE_NAMES = {"planned": "计划中", "started": "施工中", "finished": "已完工"}
MAX_WORKS = 500


@dataclass(frozen=True, slots=True)
class WorksLine:
    """One entry of the public list: where roughly, when, by whom."""

    title: str
    division: str
    owner: str
    state: str
    start_on: dt.date
    end_on: dt.date
    length_m: float | None
    saved_m: float | None


@dataclass(frozen=True, slots=True)
class WorksMap:
    """The public page: a drawing of all works that are not over, and the same as a list."""

    plan: Sketch | None
    legend: tuple[tuple[str, str], ...]
    works: tuple[WorksLine, ...]


def works_map(*, on: dt.date, division: str = "") -> WorksMap:
    """What anybody may see of the works that are not over on `on`; `division`: of this one only."""
    catalog = current_catalog(db.session())
    names = {row.code: row.name for row in catalog.divisions}
    rows = _rows(on, division)
    planned = [w for w in catalog.planned_works if w.until_on >= on and division in ("", w.division)]
    drawn: list[tuple[str, Sequence[Sequence[float]]]] = [("joint", _seen(row)) for row in rows]
    drawn += [("planned", [list(position) for position in works.line]) for works in planned]
    plan = sketch(drawn) if drawn and division else None
    lines = [
        WorksLine(
            title="联合报装管线施工（一次开挖）",
            division=names.get(row.division, ""),
            owner=f"{len(row.lines)} 家供应单位",
            state=STATE_NAMES[row.state],
            start_on=row.start_on,
            end_on=row.end_on,
            length_m=row.union_m,
            saved_m=row.saved_m,
        )
        for row in rows
    ]
    lines += [
        WorksLine(w.name, names.get(w.division, ""), w.owner, "已公布", w.from_on, w.until_on, None, None)
        for w in planned
    ]
    keys = legend(plan, {"joint": "联合报装施工", "planned": "其他已公布的施工"}) if plan else ()
    return WorksMap(plan, keys, tuple(sorted(lines, key=lambda line: (line.start_on, line.title))))


def works_geojson(actor: Actor, *, on: dt.date, division: str = "") -> dict[str, Any]:
    """All works that are not over on `on` as a GeoJSON FeatureCollection (lon/lat, EPSG:4490).

    A provider of the case gets each line with its depth; everybody else a stretch to about a hundred metres.
    """
    catalog, features = current_catalog(db.session()), []
    for row in _rows(on, division):
        is_own = any(line["provider"] == actor.provider_code for line in row.lines)
        shapes = [(line, line["coordinates"]) for line in row.lines] if is_own else [({}, _seen(row))]
        features += [_feature(row, line, coordinates, is_exact=is_own) for line, coordinates in shapes]
    for works in catalog.planned_works:
        if works.until_on >= on and division in ("", works.division):
            about: dict[str, Any] = {
                "works_id": works.code,
                "kind": "announced",
                "name": works.name,
                "owner": works.owner,
            }
            about |= {"start_on": works.from_on.isoformat(), "end_on": works.until_on.isoformat()}
            about |= {"division": works.division, "is_exact": True}
            features.append(_shape([list(position) for position in works.line], about))
    return {"type": "FeatureCollection", "features": features}


def _rows(on: dt.date, division: str) -> list[JointWorks]:
    query = (
        select(JointWorks)
        .join(Case, Case.id == JointWorks.case_id)
        .where(JointWorks.state != "finished", Case.state == "open")
        .order_by(JointWorks.start_on, JointWorks.id)
        .limit(MAX_WORKS)
    )
    if division:
        query = query.where(JointWorks.division == division)
    return [row for row in db.session.scalars(query) if row.end_on >= on or row.state == "started"]


def _seen(row: JointWorks) -> list[list[float]]:
    """Roughly where: two points of a stretch, or one twice where it is shorter than what is told."""
    points = [list(point) for point in coarse_line(longest(row))]
    return points if len(points) > 1 else points * 2


def _feature(
    row: JointWorks, line: dict[str, Any], coordinates: list[list[float]], *, is_exact: bool
) -> dict[str, Any]:
    about: dict[str, Any] = {
        "works_id": row.id,
        "kind": "joint",
        "state": row.state,
        "start_on": row.start_on.isoformat(),
        "end_on": row.end_on.isoformat(),
        "division": row.division,
        "union_m": row.union_m,
        "saved_m": row.saved_m,
        "is_exact": is_exact,
    }
    if is_exact:
        about |= {"provider": line["provider"], "utility": line["utility"], "depth_m": line["depth_m"]}
    return _shape(coordinates, about)


def _shape(coordinates: list[list[float]], about: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "LineString", "coordinates": coordinates}, "properties": about}
