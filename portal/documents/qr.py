"""QR codes as pictures that need no fetching."""

from __future__ import annotations

import segno


def qr_data_uri(text: str) -> str:
    """`text` as a QR code (error correction M, quiet zone 2: the paper around it is white), an SVG `data:` URI."""
    uri: str = segno.make(text, error="m", micro=False).svg_data_uri(border=2, dark="#000")
    return uri
