"""Pages for everybody: the start page, checking a document, following a case by its query code, and the pulse."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, render_template, request

from portal.documents.queries import find_by_verify_code
from portal.journey.pages_public import find_progress, open_catalog
from portal.journey.pages_works import works_map
from portal.kernel.clock import local_date
from portal.kernel.database import db
from portal.kernel.routes import action

bp = Blueprint("public", __name__)


@bp.get("/")
@action("public.page")
def start() -> str:
    """What the portal does, and where to begin."""
    return render_template("public/start.html", catalog=open_catalog())


@bp.get("/fees")
@action("public.page")
def fees() -> str:
    """The public fee list."""
    return render_template("public/fees.html", catalog=open_catalog())


@bp.get("/works")
@action("public.page")
def works() -> str:
    """Where the ground is or will be opened, roughly."""
    catalog = open_catalog()
    wanted = request.args.get("division", "")
    division = wanted if catalog.division(wanted) else ""
    found = works_map(on=local_date(g.at), division=division)
    return render_template("public/works.html", map=found, divisions=catalog.divisions, division=division)


@bp.get("/progress")
@action("public.progress")
def progress() -> str:
    """Step and date of a case by the query code on the acceptance notice; no names."""
    code = request.args.get("code", "").strip()[:32]
    found = find_progress(code) if code else None
    return render_template("public/progress.html", code=code, found=found)


@bp.get("/verify/<code>")
@action("public.verify")
def verify(code: str) -> str | tuple[str, int]:
    """Whether a paper with this code was issued here, and what its file must hash to."""
    found = find_by_verify_code(db.session(), code)
    return render_template("public/verify.html", found=found), 200 if found else 404


@bp.get("/healthz")
@action("public.health")
def healthz() -> Response:
    """Says ok when the process answers; nothing else."""
    return jsonify(status="ok")
