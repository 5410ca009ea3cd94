"""What a message says, for people who look after its delivery: mobiles, identity and bank numbers are masked.

Pure. Known names are masked whole; every other text is searched for what looks like such a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_BY_NAME = frozenset({"mobile", "phone", "id_no", "bank_account", "tel", "email"})
_SECRET = frozenset({"secret", "key", "token", "password", "authorization", "signature"})
# 18 characters of an identity number, or 11 of a mobile: not inside a longer number.
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])([1-9]\d{5})\d{8}(\d{3}[0-9Xx])(?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(1[3-9]\d)\d{4}(\d{4})(?![0-9A-Za-z])")
MAX_SHOWN = 20_000


def masked_text(text: str) -> str:
    """`text` with every number that looks like an identity or mobile number masked in the middle."""
    return _MOBILE.sub(r"\1****\2", _IDENTITY.sub(r"\1********\2", text))


def masked(value: Any, name: str = "") -> Any:
    """A JSON value with everything personal masked; `name` is the key it stands under."""
    if isinstance(value, Mapping):
        return {str(key): masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, name) for inner in value]
    if name.lower() in _SECRET and value:
        return "***"
    if name.lower() in _BY_NAME and isinstance(value, str | int) and value:
        return _middle(str(value))
    return masked_text(value) if isinstance(value, str) else value


def shown_body(body: bytes | None, media_type: str | None = None) -> str:
    """A body as text to show: JSON is laid out, form fields stand one a line, what cannot be read is described."""
    if not body:
        return ""
    if media_type == "application/x-www-form-urlencoded":
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return "\n".join(f"{name}={masked(value, name)}" for name, value in pairs)[:MAX_SHOWN]
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        return masked_text("".join(c if c.isprintable() or c in "\n\t" else "�" for c in text))[:MAX_SHOWN]
    return json.dumps(masked(value), ensure_ascii=False, indent=1)[:MAX_SHOWN]


def _middle(text: str) -> str:
    """The ends stay readable when the text is long enough for that."""
    if len(text) < 7:
        return "*" * len(text)
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
