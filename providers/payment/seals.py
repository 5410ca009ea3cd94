"""Signatures and sealed resources of WeChat Pay API v3: RSA-SHA256 over lines of text, AES-256-GCM for resources."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
TOLERANCE_S = 300
_PAIR = re.compile(r'(\w+)="([^"]*)"')


class BadSeal(Exception):
    """A signature, its freshness or an encrypted resource is not what it should be."""


def sign_lines(key: RSAPrivateKey, *lines: str) -> str:
    """Base64 signature over the lines, each ended by a newline."""
    message = "".join(f"{line}\n" for line in lines).encode()
    signature: bytes = key.sign(message, PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode()


def verify_lines(key: RSAPublicKey, signature: str, *lines: bytes) -> None:
    """Return if `signature` (base64) is good over the lines; raises BadSeal."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, b"".join(line + b"\n" for line in lines), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as bad:
        raise BadSeal("the signature does not match") from bad


def authorization(
    key: RSAPrivateKey, *, merchant_id: str, serial: str, method: str, target: str, body: bytes, at: dt.datetime
) -> str:
    """The Authorization header of a request; `target` is path and query."""
    stamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
    signature = sign_lines(key, method, target, stamp, nonce, body.decode())
    return (
        f'{SCHEME} mchid="{merchant_id}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{stamp}",serial_no="{serial}"'
    )


def verify_authorization(
    header: str, keys: Mapping[str, RSAPublicKey], *, method: str, target: str, body: bytes, at: dt.datetime
) -> str:
    """The merchant number behind a request's Authorization header; raises BadSeal."""
    scheme, _, rest = header.partition(" ")
    fields: dict[str, str] = dict(_PAIR.findall(rest))
    if scheme != SCHEME or not {"mchid", "nonce_str", "signature", "timestamp", "serial_no"} <= fields.keys():
        raise BadSeal("no usable Authorization header")
    _check_fresh(fields["timestamp"], at)
    key = keys.get(fields["serial_no"])
    if key is None:
        raise BadSeal("unknown serial number")
    lines = (method.encode(), target.encode(), fields["timestamp"].encode(), fields["nonce_str"].encode(), body)
    verify_lines(key, fields["signature"], *lines)
    return fields["mchid"]


def answer_headers(key: RSAPrivateKey, *, serial: str, body: bytes, at: dt.datetime) -> dict[str, str]:
    """The signature headers of an answer or a notification."""
    stamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign_lines(key, stamp, nonce, body.decode()),
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": SCHEME,
    }


def verify_answer(
    headers: Mapping[str, str], body: bytes, keys: Mapping[str, RSAPublicKey], *, at: dt.datetime
) -> None:
    """Return if an answer or notification is signed by a known platform key within 300 s of `at`; raises BadSeal."""
    lower = {name.lower(): value for name, value in headers.items()}
    stamp, nonce = lower.get("wechatpay-timestamp", ""), lower.get("wechatpay-nonce", "")
    signature = lower.get("wechatpay-signature", "")
    if lower.get("wechatpay-signature-type", SCHEME) != SCHEME or not nonce.isascii():
        raise BadSeal("unknown signature type")
    _check_fresh(stamp, at)
    key = keys.get(lower.get("wechatpay-serial", ""))
    if key is None:
        raise BadSeal("unknown serial number")
    verify_lines(key, signature, stamp.encode(), nonce.encode(), body)


def seal_resource(key: bytes, plain: bytes, associated: str) -> dict[str, str]:
    """An encrypted resource as notifications carry it."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(key).encrypt(nonce.encode(), plain, associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "nonce": nonce,
        "associated_data": associated,
    }


def open_resource(key: bytes, resource: Mapping[str, object]) -> bytes:
    """The plain bytes of an encrypted resource; raises BadSeal."""
    if resource.get("algorithm") != "AEAD_AES_256_GCM":
        raise BadSeal("unknown algorithm")
    try:
        sealed = base64.b64decode(str(resource.get("ciphertext", "")), validate=True)
        nonce = str(resource.get("nonce", "")).encode()
        return AESGCM(key).decrypt(nonce, sealed, str(resource.get("associated_data") or "").encode())
    except (InvalidTag, binascii.Error, ValueError) as bad:
        raise BadSeal("the resource cannot be opened") from bad


def _check_fresh(stamp: str, at: dt.datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSeal("no usable timestamp")
    if abs(int(stamp) - at.timestamp()) > TOLERANCE_S:
        raise BadSeal("the timestamp is too far from now")
