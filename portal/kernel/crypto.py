"""Secrets at rest: AES-256-GCM under one key file that only its owner can read.

What is sealed is bound to a context (table, column and row): a ciphertext copied into another row does not open.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, current_app

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"
_EXTENSION = "yikou.vault"


class SealBroken(Exception):
    """A sealed value does not open: wrong key, wrong context, or altered bytes."""


class Vault:
    """Seals and opens short secrets with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes; it needs {_KEY_BYTES}")
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, context: str) -> bytes:
        """Version byte, nonce and ciphertext; a fresh nonce each time."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The secret sealed under the same context. Raises SealBroken."""
        if sealed[:1] != _VERSION or len(sealed) <= 1 + _NONCE_BYTES:
            raise SealBroken("not a sealed value")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, context.encode())
        except InvalidTag as broken:
            raise SealBroken("wrong key, wrong place or altered") from broken


def load_key(path: Path) -> bytes:
    """The key in `path`, made on first use with rights for the owner only. Raises PermissionError for a lax file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}") from None
        return path.read_bytes()
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def init_vault(app: Flask, instance: Path) -> None:
    """Give `app` the vault whose key lies in `instance/secrets/vault.key`."""
    app.extensions[_EXTENSION] = Vault(load_key(instance / "secrets" / "vault.key"))


def current_vault() -> Vault:
    """The vault of the current application."""
    vault = current_app.extensions[_EXTENSION]
    assert isinstance(vault, Vault)
    return vault
