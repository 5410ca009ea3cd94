"""Values → HTML → PDF. Nothing is fetched but `data:`, nothing is drawn but with the bundled fonts.

One stylesheet, one font configuration and one template environment serve the whole process. There is no shared image
cache: the only picture is the QR code, which no two documents have in common, so a cache would only grow.
"""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from weasyprint import CSS, HTML
from weasyprint.document import Document as Layout
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from portal.documents import page
from portal.documents.errors import ForbiddenFetch, MissingGlyph
from portal.documents.fonts import bundled_fonts_only, missing_characters
from portal.documents.kinds import KINDS
from portal.documents.qr import qr_data_uri

_STYLESHEET = page.TEMPLATE_FOLDER / "paper.css"
_PX_TO_PT = 0.75
_PAGE_HEIGHT_PT = 841.89  # A4
_lock = threading.Lock()  # Pango's font map may not be used by two threads at once


class SealBox(NamedTuple):
    """Where the electronic seal goes: page from 1, then points from the page's lower left corner, as PDF counts."""

    page: int
    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished paper."""

    pdf: bytes
    pages: int
    seal_box: SealBox | None


def render_pdf(kind: str, values: Mapping[str, Any], *, verify_url: str) -> bytes:
    """As `render`, the PDF only."""
    return render(kind, values, verify_url=verify_url).pdf


def render(kind: str, values: Mapping[str, Any], *, verify_url: str) -> Rendered:
    """A document of this kind. `verify_url` ends with the verify code and is what the QR code says.

    The same values and address give the same bytes. Raises pydantic's ValidationError for values that are not the
    kind's, MissingGlyph naming characters the fonts lack, ForbiddenFetch.
    """
    row = KINDS[kind]
    checked = row.model.model_validate(dict(values))
    source = page.compose(
        row.template,
        {
            "doc": checked,
            "title": row.title_for(checked),
            "verify_url": verify_url,
            "verify_code": verify_url.rsplit("/", 1)[-1],
            "qr": qr_data_uri(verify_url),
            "qr_of": qr_data_uri,
        },
    )
    return html_to_pdf(source)


def html_to_pdf(source: str) -> Rendered:
    """Lay out one HTML page and write it as tagged PDF (PDF/UA-1)."""
    if missing := missing_characters(html.unescape(source)):
        raise MissingGlyph(missing)
    with _lock:
        try:
            fonts = _fonts()
            layout = HTML(string=source, url_fetcher=_fetcher()).render(
                font_config=fonts, stylesheets=[_stylesheet()], cache={}, pdf_variant="pdf/ua-1"
            )
            pdf = layout.write_pdf(pdf_variant="pdf/ua-1")
        except FatalURLFetchingError as refused:  # a BaseException: no ordinary `except` would stop it
            raise ForbiddenFetch(str(refused)) from refused
    return Rendered(pdf=pdf, pages=len(layout.pages), seal_box=_seal_box(layout))


@functools.cache
def _fonts() -> FontConfiguration:
    with bundled_fonts_only():
        return FontConfiguration()


@functools.cache
def _stylesheet() -> CSS:
    text = Path(_STYLESHEET).read_text(encoding="utf-8")
    return CSS(string=text, font_config=_fonts(), url_fetcher=_fetcher())


def _fetcher() -> URLFetcher:
    return URLFetcher(allowed_protocols=["data"], allow_redirects=False, fail_on_errors=True)


def _seal_box(layout: Layout) -> SealBox | None:
    for number, sheet in enumerate(layout.pages, start=1):
        if "seal" in sheet.anchors:
            left, top, right, bottom = (value * _PX_TO_PT for value in sheet.anchors["seal"])
            box = (left, _PAGE_HEIGHT_PT - bottom, right - left, bottom - top)
            return SealBox(number, *(round(value, 2) for value in box))
    return None
