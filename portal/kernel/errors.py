"""Domain errors: one class a kind of refusal, each with a stable code and the HTTP status it maps to.

Every error that a person can mend names the field (dotted path, as in `materials.0.kind`) and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ABSENT = "没有找到您要的内容。"  # one text: it must not tell what is there and belongs to somebody else


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field of an input.

    `field` is the dotted path of the offending value (`""` for the input as a whole), `message` says in the
    reader's language what is wrong and how to mend it, `code` is stable for programs.
    """

    field: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """A refusal the caller can understand. Subclasses fix `status` (HTTP) and a default `code`."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, code: str | None = None, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.facts = dict(facts or {})


class NotFound(DomainError):
    """Absent, or not this actor's to see: the two look the same."""

    status = 404
    code = "not_found"

    def __init__(
        self, message: str = ABSENT, *, code: str | None = None, facts: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message, code=code, facts=facts)


class NotAllowed(DomainError):
    """The actor is known and may not do this."""

    status = 403
    code = "not_allowed"


class NotSignedIn(DomainError):
    """No credential, or one that is no longer good."""

    status = 401
    code = "not_signed_in"


class Conflict(DomainError):
    """The state does not allow it, or somebody was faster. `facts` carries what is true now."""

    status = 409
    code = "conflict"


class Invalid(DomainError):
    """Input with one or more wrong fields; all of them are listed."""

    status = 422
    code = "invalid"

    def __init__(
        self, errors: Iterable[FieldError], *, message: str = "提交的内容有误，请按提示修改。", code: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.errors = tuple(errors)


class TooMany(DomainError):
    """Asked too often; `retry_after_s` seconds of real time later there is room again."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Something outside does not answer; trying again later may help."""

    status = 503
    code = "unavailable"
