"""Works of the city as GeoJSON, for providers' own maps."""

from __future__ import annotations

import re

from flask import Blueprint, Response, g, jsonify, request

from portal.api.answers import WorksCollection
from portal.api.problems import register_problem_handlers
from portal.journey.pages_works import works_geojson
from portal.kernel.clock import local_date
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.routes import action, current_actor

bp = Blueprint("api_works", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.get("/works")
@action("api.works")
def get_works() -> Response:
    """Joint works and works announced by others; what is over is left out."""
    division = request.args.get("division", "")
    if division and not re.fullmatch("[0-9]{6}", division):
        raise Invalid([FieldError("division", "应当是六位行政区划代码，例如 150802。", "pattern")])
    found = works_geojson(current_actor(), on=local_date(g.at), division=division)
    answer = jsonify(WorksCollection.model_validate(found).plain())
    answer.mimetype = "application/geo+json"
    return answer
