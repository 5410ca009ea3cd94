"""Bytes of materials by API: uploaded first, then named by id in the application."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Blueprint, Response, g, jsonify, request

from portal.api.answers import MaterialStored
from portal.api.auth import caller_key
from portal.api.problems import BadRequest, register_problem_handlers
from portal.cases.uploads import MAX_BYTES
from portal.journey.materials import store_material
from portal.kernel.routes import action, current_actor

_FORM_ROOM = 64 * 1024  # what a multipart form needs around the file

bp = Blueprint("api_materials", __name__, url_prefix="/api/v1")
register_problem_handlers(bp)


@bp.post("/materials")
@action("api.material")
def post_material() -> tuple[Response, int]:
    """201 {material_id, sha256} for a PDF, JPEG or PNG.

    Either multipart with `file` and optionally `kind`, or the bare bytes with the header `X-File-Name`
    (percent-encoded UTF-8) and `?kind=`. A provider signs the call; its `webhook-id`, or anybody's `Idempotency-Key`,
    stands for one file. The digest is of the bytes as stored, which are rewritten.
    """
    request.max_content_length = MAX_BYTES + _FORM_ROOM
    actor = current_actor()
    key = caller_key(actor)
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        if file is None:
            raise BadRequest("请在表单项 file 中附上文件。", code="file_missing")
        name, content, kind = file.filename or "", file.read(), request.form.get("kind")
    else:
        name, content = unquote(request.headers.get("X-File-Name", "")), request.get_data(cache=False)
        kind = request.args.get("kind")
    stored = store_material(actor, name=name, content=content, kind=kind or None, at=g.at, idempotency_key=key)
    return jsonify(MaterialStored(material_id=stored.material_id, sha256=stored.sha256).plain()), 201
