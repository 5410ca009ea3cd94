"""Statements of this portal that anybody can check without asking it: Ed25519 over canonical JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import Flask, current_app

from portal.kernel.crypto import load_key

_EXTENSION = "yikou.attestation"
_OWN = ("public_key", "signature")


def init_attestation(app: Flask, instance: Path) -> None:
    """Give `app` the key in `instance/secrets/attestation.key`, made on first use."""
    seed = load_key(instance / "secrets" / "attestation.key")
    app.extensions[_EXTENSION] = Ed25519PrivateKey.from_private_bytes(seed)


def attest(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement with `public_key` and `signature` (both base64) over everything else in it."""
    key: Ed25519PrivateKey = current_app.extensions[_EXTENSION]
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return {**statement, "public_key": public, "signature": base64.b64encode(key.sign(_bytes(statement))).decode()}


def is_attested(statement: Mapping[str, Any], public_key: str) -> bool:
    """Whether the statement carries a good signature of this public key (base64)."""
    try:
        signature = base64.b64decode(str(statement["signature"]), validate=True)
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True)).verify(
            signature, _bytes(statement)
        )
    except (KeyError, ValueError, InvalidSignature):
        return False
    return True


def _bytes(statement: Mapping[str, Any]) -> bytes:
    """Sorted keys, no spaces, UTF-8, without the signature itself."""
    rest = {name: value for name, value in statement.items() if name not in _OWN}
    return json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
