"""Files handed in: only PDF, JPEG and PNG, and never the bytes as sent: each is rewritten without what could act.

Raises Invalid naming the field `file` for everything that cannot be taken.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageOps

from portal.cases.uploads_pdf import refusal, rewrite_pdf

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_NAME = 120
_PIXELS_TEXT = "图片尺寸过大，请缩小到 5000 万像素以内。"
_MATERIAL_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SIGNATURES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_SUFFIXES = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file fit to be stored: rewritten bytes, their SHA-256 (hex), media type and a safe name."""

    name: str
    media_type: str
    content: bytes
    sha256: str


def is_material_id(text: str) -> bool:
    """Whether `materials[].file` is the id of stored bytes rather than a file name."""
    return _MATERIAL_ID.fullmatch(text) is not None


def clean_upload(name: str, content: bytes) -> Upload:
    """The rewritten file. The same content always gives the same bytes.

    Limits: 20 MiB, 50 million pixels. Raises Invalid (field `file`).
    """
    if not content:
        raise refusal("文件是空的，请重新选择。", "file_empty")
    if len(content) > MAX_BYTES:
        raise refusal("文件超过 20 MB，请压缩后再上传。", "file_too_large")
    media_type = next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), None)
    if media_type is None:
        raise refusal("只接收 PDF、JPG、PNG 文件，请转换格式后再上传。", "file_type")
    rewritten = rewrite_pdf(content) if media_type == "application/pdf" else _rewrite_image(content, media_type)
    if len(rewritten) > MAX_BYTES:
        raise refusal("文件整理后超过 20 MB，请降低清晰度后再上传。", "file_too_large")
    return Upload(safe_name(name, media_type), media_type, rewritten, hashlib.sha256(rewritten).hexdigest())


def safe_name(name: str, media_type: str) -> str:
    """The last part of `name` without control and direction characters, ending as its type does."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*;')
    stem, suffix = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", kept).strip(" ."), _SUFFIXES[media_type]
    return (stem[: MAX_NAME - len(suffix)] or "材料") + suffix


def _rewrite_image(content: bytes, media_type: str) -> bytes:
    kind = "JPEG" if media_type == "image/jpeg" else "PNG"
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise refusal(_PIXELS_TEXT, "file_pixels")
            return _encode(ImageOps.exif_transpose(image), kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise refusal(_PIXELS_TEXT, "file_pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise refusal("图片打不开，可能已损坏，请重新拍照或扫描。", "file_broken") from error


def _encode(image: Image.Image, kind: str) -> bytes:
    # A new image from bare pixels carries no EXIF, no text chunks, no colour profile and no second frame.
    has_alpha = kind == "PNG" and (image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info)
    mode = "RGBA" if has_alpha else ("L" if image.mode in ("1", "L", "I", "I;16", "I;16B") else "RGB")
    if image.mode.startswith(("I", "F")):  # 16 bits of grey, as some scanners write
        image = image.convert("I").point(lambda value: value / 256)
    pixels = image.convert(mode)
    bare = Image.frombytes(mode, pixels.size, pixels.tobytes())
    out = io.BytesIO()
    if kind == "JPEG":
        bare.save(out, "JPEG", quality=88)
    else:
        bare.save(out, "PNG")
    return out.getvalue()
