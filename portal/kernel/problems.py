"""A refusal as a problem document (RFC 9457). The type is ours and stable; `code` says the same for programs."""

from __future__ import annotations

from typing import Any

from portal.kernel.errors import DomainError, Invalid

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "请求无法理解",
    401: "需要登录",
    403: "没有权限",
    404: "没有找到",
    409: "与当前状态冲突",
    422: "内容有误",
    429: "请求过于频繁",
    503: "暂时无法办理",
}


def problem_of(error: DomainError) -> dict[str, Any]:
    """type, title, status, detail and `code`; for wrong input also `errors: [{field, message, code}]`.

    The error's facts stand beside them (`task`, `expects` …), never over them.
    """
    body: dict[str, Any] = dict(error.facts)
    body |= {
        "type": f"urn:yikou:problem:{error.code}",
        "title": _TITLES.get(error.status, "请求被拒绝"),
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if isinstance(error, Invalid):
        body["errors"] = [{"field": e.field, "message": e.message, "code": e.code} for e in error.errors]
    return body
