"""The bundled fonts: the only ones a document may use, and the check that they can draw all its characters."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

from fontTools.ttLib import TTFont

FONT_FOLDER = Path(__file__).resolve().parents[2] / "static" / "fonts"
FONT_FILES = ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf")
FONT_FAMILY = "Noto Sans SC"

_LAYOUT_ONLY = frozenset("\n\r\t")
_CONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


@contextmanager
def bundled_fonts_only() -> Iterator[None]:
    """While it lasts, a new FontConfiguration sees the bundled fonts and nothing else.

    Afterwards FONTCONFIG_FILE is as before: what this process starts (a browser, say) keeps the system's fonts.
    """
    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(_config_file())
    try:
        yield
    finally:
        if before is None:
            del os.environ["FONTCONFIG_FILE"]
        else:
            os.environ["FONTCONFIG_FILE"] = before


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="yikou-fonts-")  # removed when the process ends


@functools.cache
def _config_file() -> Path:
    folder = Path(_folder().name)
    config = folder / "fonts.conf"
    text = _CONFIG.format(fonts=escape(str(FONT_FOLDER)), cache=escape(str(folder / "cache")))
    config.write_text(text, encoding="utf-8")
    return config


@functools.cache
def drawable_characters() -> frozenset[str]:
    """Every character that all bundled fonts can draw."""
    sets = []
    for name in FONT_FILES:
        with TTFont(FONT_FOLDER / name, lazy=True) as font:
            sets.append({chr(code) for code in font.getBestCmap()})
    return frozenset.intersection(*map(frozenset, sets))


def missing_characters(text: str) -> tuple[str, ...]:
    """The characters of `text` no bundled font can draw, sorted, each once; line ends and tabs are not drawn."""
    return tuple(sorted(set(text) - drawable_characters() - _LAYOUT_ONLY))
