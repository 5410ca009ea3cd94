"""Chinese glyphs for the test browser: the fonts the portal carries for its papers, beside the machine's own."""

from __future__ import annotations

import os
from pathlib import Path

FONTS = Path(__file__).resolve().parents[2] / "static" / "fonts"
_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


def browser_environment(folder: Path) -> dict[str, str]:
    """The environment to start the browser with; `folder` takes its font settings."""
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "fonts.conf"
    conf.write_text(_CONF.format(fonts=FONTS, cache=folder / "cache"), encoding="utf-8")
    return {**os.environ, "FONTCONFIG_FILE": str(conf)}
