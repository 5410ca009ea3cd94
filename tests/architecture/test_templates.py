"""Templates compile, and nothing in them reaches for another machine."""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, FileSystemLoader

from tests.architecture.source import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# What a browser would fetch; links a person follows may point elsewhere.
FETCHED = re.compile(
    r"""(?:src|srcset|action)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import""", re.IGNORECASE
)
INLINE = re.compile(r"""<script(?![^>]*\bsrc=)(?![^>]*type="application/json")|\son[a-z]+\s*=\s*["']""", re.IGNORECASE)
EXTENSIONS = ["jinja2.ext.i18n", "jinja2.ext.do"]


def test_there_are_templates():
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_compiles_and_fetches_nothing_from_elsewhere(path):
    source = path.read_text(encoding="utf-8")
    environment = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True, extensions=EXTENSIONS)
    environment.parse(source, filename=str(path))
    assert FETCHED.search(source) is None
    assert INLINE.search(source) is None, "scripts come from files, so that the content policy can stay strict"


@pytest.mark.parametrize("path", sorted((ROOT / "static").rglob("*.css")), ids=lambda path: path.name)
def test_a_style_sheet_fetches_nothing_from_elsewhere(path):
    assert FETCHED.search(path.read_text(encoding="utf-8")) is None
