"""Refusals as pages: what happened, in plain words, and what to do next."""

from __future__ import annotations

import re
import traceback
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.kernel.errors import DomainError, NotSignedIn, TooMany
from portal.kernel.problems import MEDIA_TYPE, problem_of
from portal.kernel.routes import current_actor

_log = structlog.get_logger("web")
API = "/api/"
TEXTS = {
    400: ("请求无法理解", "请返回上一页重新操作。"),
    401: ("请先登录", "登录后可以继续办理。"),
    403: ("没有权限", "您的账号不能办理这项业务。如有疑问，请拨打 12345。"),
    404: ("没有找到页面", "网址可能有误，或者内容已经变动。请从首页重新进入。"),
    405: ("不支持这样操作", "请返回上一页重新操作。"),
    409: ("内容已经变化", "请返回上一页刷新后再试，您填写的内容没有丢失。"),
    413: ("上传的内容过大", "单个文件不超过 20 MB，请压缩后重新上传。"),
    422: ("填写的内容有误", "请返回上一页按提示修改。"),
    429: ("操作过于频繁", "请稍后再试。"),
    500: ("系统出了点问题", "我们已经记录，请稍后再试。您已保存的内容没有丢失。"),
    503: ("暂时无法办理", "请稍后再试。"),
}
Answer = tuple[str, int] | Response


def register_errors(app: Flask) -> None:
    """One face for every refusal; the API answers problem documents instead."""
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _broken)


def _page(status: int, detail: str | None = None) -> tuple[str, int]:
    title, way_out = TEXTS.get(status, TEXTS[400])
    return render_template("error.html", title=title, detail=detail, way_out=way_out), status


def refused(error: DomainError) -> Answer:
    """A refusal as its page; whoever is not signed in is sent to sign in and comes back."""
    if request.path.startswith(API):
        return _problem(error)
    if isinstance(error, NotSignedIn):
        back = request.path if request.method == "GET" else "/home"
        return redirect(url_for("account.show_sign_in", next=back))  # type: ignore[return-value]
    return _page(error.status, error.message)


def _stale_form(_error: CSRFError) -> Answer:
    """Nothing was done, and nothing is lost: our own page's entries come back, to be looked at and sent once more."""
    if current_actor().kind == "anonymous" or not _comes_from_us():
        return _page(400, "页面停留过久或已重新登录，这次操作没有执行。请返回上一页，刷新后再提交。")
    entries = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    shown = [value for name, value in entries if value.strip() and not _UNSEEN.search(name)]
    files = [upload.filename for upload in request.files.values() if upload.filename]
    return render_template("stale_form.html", entries=entries, shown=shown, files=files, back=_form_page()), 400


# What a form carries for the portal and not for its reader.
_UNSEEN = re.compile(r"(^|_)(id|key|kind|revision|version|provider|password)$")


def _form_page() -> str:
    """Where the form stood, as the browser tells; only its path is taken over."""
    return urlsplit(request.referrer or "").path or "/home"


def _comes_from_us() -> bool:
    """Whether the browser says that one of our own pages sent the form: a foreign page's entries are not kept."""
    return request.headers.get("Origin") == request.host_url.rstrip("/")


def _http_error(error: HTTPException) -> Answer:
    if request.path.startswith(API):
        return _problem(HttpRefusal(error))
    return _page(error.code or 500)


def _broken(error: Exception) -> Answer:
    _log.error("unexpected", path=request.path, error="".join(traceback.format_exception(error)))
    if request.path.startswith(API):
        return _problem(HttpRefusal(InternalServerError()))
    return _page(500)


class HttpRefusal(DomainError):
    """A routing error or a crash as a problem document: the status, and no trace."""

    def __init__(self, error: HTTPException) -> None:
        status = error.code or 500
        super().__init__(TEXTS.get(status, TEXTS[400])[0], code=f"http_{status}")
        self.status = status


def _problem(error: DomainError) -> Response:
    answer = jsonify(problem_of(error))
    answer.status_code, answer.content_type = error.status, MEDIA_TYPE
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer
