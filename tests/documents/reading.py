"""Reading a PDF back, by engines that did not write it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import pikepdf
import pypdfium2


class Box(NamedTuple):
    """One run of text on a page, in points from the lower left corner."""

    page: int
    left: float
    bottom: float
    right: float
    top: float
    text: str


def page_texts(pdf: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_text(page) for page in document]
    finally:
        document.close()


def _text(page: pypdfium2.PdfPage) -> str:
    reader = page.get_textpage()
    try:
        return reader.get_text_bounded()
    finally:
        reader.close()


def squeezed(pdf: bytes) -> str:
    """All text of a paper without blanks and line ends."""
    return "".join("".join(page_texts(pdf)).split())


def text_boxes(pdf: bytes) -> Iterator[Box]:
    """Every run of text with its place."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        for number, page in enumerate(document, start=1):
            reader = page.get_textpage()
            for index in range(reader.count_rects()):
                place = reader.get_rect(index)
                yield Box(number, *place, reader.get_text_bounded(*place))
            reader.close()
    finally:
        document.close()


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """Each font's base name and whether its outlines are inside the file."""
    found: dict[str, bool] = {}
    with pikepdf.open(BytesIO(pdf)) as document:
        for page in document.pages:
            for font in page.Resources.get("/Font", {}).values():
                descendant = font.DescendantFonts[0]
                found[str(descendant.BaseFont)] = "/FontFile2" in descendant.FontDescriptor
    return found
