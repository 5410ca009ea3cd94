"""Keys of the contract with the gateway: ours to sign with, theirs to verify with, and the shared APIv3 key.

A real merchant gets these from the gateway; for simulator and tests `make_keys` makes both sides.
"""

from __future__ import annotations

import json
import secrets
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

KEY_BITS = 2048
_FILES = ("merchant.key", "merchant.pub", "platform.key", "platform.pub", "serials", "apiv3.key", "account.json")
SIM_APP_ID, SIM_MERCHANT_ID = "wx0000000000000001", "1900000001"


@dataclass(frozen=True, slots=True)
class MerchantKeys:
    """Our side: the private key we sign with, its serial, the platform's public keys by serial, the APIv3 key."""

    serial: str
    private_key: RSAPrivateKey
    platform_keys: dict[str, RSAPublicKey]
    api_v3_key: bytes


@dataclass(frozen=True, slots=True)
class PlatformKeys:
    """The gateway's side, mirrored; only a simulator has it."""

    serial: str
    private_key: RSAPrivateKey
    merchant_keys: dict[str, RSAPublicKey]
    api_v3_key: bytes


def make_keys(folder: Path) -> None:
    """Make both sides' keys in `folder` (owner-only files) unless it has some. Safe to call from many processes."""
    if all((folder / name).exists() for name in _FILES):
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
        _make(Path(made) / "keys")
        try:
            (Path(made) / "keys").rename(folder)  # all files appear at once
        except OSError:
            if not all((folder / name).exists() for name in _FILES):
                raise  # not somebody faster, but a folder with something else in it


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    serials = []
    for side in ("merchant", "platform"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        _write(folder / f"{side}.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(folder / f"{side}.pub", key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        serials.append(secrets.token_hex(20).upper())
    alphabet = string.ascii_letters + string.digits
    _write(folder / "apiv3.key", "".join(secrets.choice(alphabet) for _ in range(32)).encode())
    _write(folder / "serials", "\n".join(serials).encode())
    _write(folder / "account.json", json.dumps({"app_id": SIM_APP_ID, "merchant_id": SIM_MERCHANT_ID}).encode())


def load_account(folder: Path) -> tuple[str, str]:
    """Our (app id, merchant number) from `account.json`. Raises FileNotFoundError, KeyError or ValueError."""
    account = json.loads((folder / "account.json").read_text())
    return str(account["app_id"]), str(account["merchant_id"])


def load_merchant_keys(folder: Path) -> MerchantKeys:
    """Our side's keys from `folder`. Raises FileNotFoundError, ValueError or TypeError when missing or broken."""
    merchant_serial, platform_serial = _serials(folder)
    return MerchantKeys(
        serial=merchant_serial,
        private_key=_private(folder / "merchant.key"),
        platform_keys={platform_serial: _public(folder / "platform.pub")},
        api_v3_key=(folder / "apiv3.key").read_bytes(),
    )


def load_platform_keys(folder: Path) -> PlatformKeys:
    """The gateway simulator's keys from `folder`."""
    merchant_serial, platform_serial = _serials(folder)
    return PlatformKeys(
        serial=platform_serial,
        private_key=_private(folder / "platform.key"),
        merchant_keys={merchant_serial: _public(folder / "merchant.pub")},
        api_v3_key=(folder / "apiv3.key").read_bytes(),
    )


def _serials(folder: Path) -> tuple[str, str]:
    merchant, platform = (folder / "serials").read_text().split()
    return merchant, platform


def _private(path: Path) -> RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path.name} is not an RSA private key")
    return key


def _public(path: Path) -> RSAPublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, RSAPublicKey):
        raise TypeError(f"{path.name} is not an RSA public key")
    return key


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
