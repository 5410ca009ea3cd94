"""Every refusal of the API as `application/problem+json` (RFC 9457); never a trace, never another format."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, current_app, json
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portal.kernel.errors import DomainError, TooMany
from portal.kernel.problems import MEDIA_TYPE, problem_of

log = structlog.get_logger(__name__)


class BadRequest(DomainError):
    """A request that cannot be read at all: no JSON, a header missing."""

    status = 400
    code = "bad_request"


class TooLarge(DomainError):
    """More bytes than the endpoint takes."""

    status = 413
    code = "too_large"


class Failed(DomainError):
    """Our own failure; the reader learns no more than that."""

    status = 500
    code = "internal"


def register_problem_handlers(target: Flask | Blueprint) -> None:
    """Answer every error under `target` with a problem document."""
    target.register_error_handler(DomainError, answer_problem)
    target.register_error_handler(HTTPException, answer_http_error)
    target.register_error_handler(Exception, _answer_failure)


def answer_problem(error: DomainError) -> Response:
    """The problem document of a refusal, not to be cached; 401 says which credential is wanted."""
    response = current_app.response_class(
        json.dumps(problem_of(error), ensure_ascii=False), status=error.status, content_type=MEDIA_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def answer_http_error(error: HTTPException) -> Response:
    """The problem document of a routing error (404, 405 …); app.py uses it for paths under /api/ as well."""
    if isinstance(error, RequestEntityTooLarge):
        return answer_problem(TooLarge("内容过大，请减小后再提交。"))
    status = error.code or 500
    refusal = DomainError("请求无法处理，请核对地址和格式。", code=HTTPStatus(status).phrase.lower().replace(" ", "_"))
    refusal.status = status
    response = answer_problem(refusal)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _answer_failure(error: Exception) -> Response:
    log.error("request_failed", exc_info=error)
    return answer_problem(Failed("系统暂时出错，请稍后再试。"))
