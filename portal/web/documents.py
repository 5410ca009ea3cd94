"""Documents as files: the stored bytes, never rendered again."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request
from werkzeug.wrappers import Response as Answer

from portal.journey import materials, papers
from portal.kernel.errors import Conflict
from portal.kernel.routes import action, current_actor

bp = Blueprint("documents", __name__)


@bp.get("/documents/<document_id>.pdf")
@action("document.view", check=False)
def download(document_id: str) -> Answer:
    """The PDF; while it is being made the reader is told so and sent back."""
    try:
        file = papers.document_pdf(current_actor(), document_id)
    except Conflict as pending:
        if request.accept_mimetypes.accept_html and request.referrer:
            flash(pending.message)
            return redirect("/cases")
        raise
    return _file(file.content, file.name, "application/pdf")


@bp.get("/materials/<material_id>")
@action("material.view", check=False)
def material(material_id: str) -> Answer:
    """A paper that was handed in."""
    content = materials.material_bytes(current_actor(), material_id)
    return _file(content.content, content.name, content.media_type)


def _file(content: bytes, name: str, media_type: str) -> Response:
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
