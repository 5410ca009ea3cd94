"""What a name or a note must not be able to do: load anything, run anything, draw a silent box."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from portal.documents.errors import DocumentError, ForbiddenFetch, MissingGlyph
from portal.documents.fonts import drawable_characters, missing_characters
from portal.documents.page import TEMPLATE_FOLDER
from portal.documents.render import html_to_pdf, render_pdf
from tests.documents.papers_to_print import long_values, short_values
from tests.documents.reading import squeezed

URL = "https://yikou.example/verify/7QK2M9XR4H"


class Listener:
    """A loopback port that counts who connects."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.socket.shutdown(socket.SHUT_RDWR)
    one.socket.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret.txt"
    file.write_text("THE-SECRET-OF-THIS-HOST")
    return file


TAGS = [
    "<img src='{}'>",
    '<img srcset="{} 1x">',
    "<image href='{}'/>",
    "<link rel=attachment href='{}'>",
    "<link rel=stylesheet href='{}'>",
    "<link rel=icon href='{}'>",
    "<a rel=attachment href='{}'>x</a>",
    "<object data='{}'></object>",
    "<embed src='{}'>",
    "<iframe src='{}'></iframe>",
    "<video poster='{}' src='{}'></video>",
    "<audio src='{}'></audio>",
    "<source src='{}'>",
    "<input type=image src='{}'>",
    "<body background='{}'>",
    "<table background='{}'><td>x",
    "<base href='{}'><img src=x>",
    "<style>@import url('{}');</style>",
    "<style>@font-face {{ font-family: x; src: url('{}') }} * {{ font-family: x }}</style>",
    "<style>* {{ background: url('{}') }}</style>",
    "<style>@page {{ background: url('{}') }}</style>",
    "<style>p::after {{ content: url('{}') }}</style>",
    "<style>li {{ list-style-image: url('{}') }}</style>",
    "<p style=\"background-image:url('{}')\">x</p>",
    "<p style='border-image-source:url({})'>x</p>",
    "<p style='cursor:url({})'>x</p>",
    "<svg><image href='{}'/></svg>",
    "<svg><image xlink:href='{}'/></svg>",
    "<svg><use href='{}#a'/></svg>",
    "<svg><style>@import url('{}');</style></svg>",
    "<svg><script href='{}'/></svg>",
    "<math><maction actiontype='statusline#{}'>x</maction></math>",
    "<meta http-equiv=refresh content='0;url={}'>",
    "<script src='{}'></script>",
    "<script>fetch('{}')</script>",
    "<form action='{}'><input type=submit></form>",
    "\"><img src='{}'>",
    "</td></tr></table><img src='{}'>",
    "--><img src='{}'><!--",
    "]]><img src='{}'>",
    "{{{{ cycler.__init__.__globals__ }}}}{{% include '{}' %}}",
    "url({})",
]


def payloads(target: str) -> list[str]:
    """Forty ways to ask for `target`."""
    return [tag.format(*[target] * tag.count("{}")) for tag in TAGS]


def test_hostile_texts_are_printed_and_nothing_is_fetched(listener: Listener, secret: Path) -> None:
    asked = payloads(f"http://127.0.0.1:{listener.port}/x") + payloads(secret.as_uri())
    assert len(asked) >= 80
    values = long_values("joint_bill")
    lines = values["payees"][0]["lines"]
    values["payees"][0]["lines"] = [lines[0] | {"item": text, "basis": text} for text in asked]
    values["total_fen"] = sum(line["amount_fen"] for payee in values["payees"] for line in payee["lines"])
    values |= {"applicant": asked[0], "project_name": asked[3], "address": asked[17], "notes": asked}
    pdf = render_pdf("joint_bill", values, verify_url=URL)
    text = squeezed(pdf)
    for payload in asked:
        assert "".join(payload.split()) in text
    assert "THE-SECRET" not in text
    assert b"THE-SECRET" not in pdf
    assert listener.visits == 0
    assert attachments(pdf) == []


def attachments(pdf: bytes) -> list[str]:
    import io

    with pikepdf.open(io.BytesIO(pdf)) as document:
        return list(document.attachments)


FETCHING = (0, 3, 4, 7, 8, 17, 18, 19, 20, 23)  # WeasyPrint asks for these: they must be refused loudly


@pytest.mark.parametrize("index", range(len(payloads(""))))
def test_even_as_markup_nothing_is_fetched(index: int, listener: Listener, secret: Path) -> None:
    for target in (f"http://127.0.0.1:{listener.port}/x", secret.as_uri()):
        source = f"<html lang=zh><title>x</title><body><p>正文</p>{payloads(target)[index]}</body></html>"
        try:
            pdf = html_to_pdf(source).pdf
        except ForbiddenFetch as refused:
            assert refused.is_final  # noqa: PT017 - either end is right, a fetch is not
        else:
            assert index not in FETCHING
            assert attachments(pdf) == []
            assert "THE-SECRET" not in squeezed(pdf)
    assert listener.visits == 0


def test_a_refused_fetch_is_an_ordinary_error(secret: Path) -> None:
    with pytest.raises(DocumentError):
        html_to_pdf(f"<p><img src='{secret.as_uri()}'></p>")


def test_rendering_goes_on_after_a_refused_fetch(secret: Path) -> None:
    with pytest.raises(ForbiddenFetch):
        html_to_pdf(f"<p><img src='{secret.as_uri()}'></p>")
    assert render_pdf("works_plan", short_values("works_plan"), verify_url=URL).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("𠮷野河套食品有限公司", "𠮷（U+20BB7）"),
        ("河套🍅食品", "🍅（U+1F345）"),
        ("河套\u202e司公限有", "不可见字符（U+202E）"),
        ("河套\x0b食品", "不可见字符（U+000B）"),
        ("河套\u200b食品", "不可见字符（U+200B）"),
    ],
)
def test_a_character_no_font_has_is_named(name: str, lacking: str) -> None:
    with pytest.raises(MissingGlyph) as caught:
        render_pdf("joint_bill", short_values("joint_bill") | {"applicant": name}, verify_url=URL)
    assert lacking in str(caught.value)
    assert caught.value.is_final


def test_rare_characters_of_names_are_drawn() -> None:
    name = "㙟䶮喆堃燊犇玥旻啰公司"
    pdf = render_pdf("joint_bill", short_values("joint_bill") | {"applicant": name}, verify_url=URL)
    assert name in squeezed(pdf)


def test_the_fonts_hold_all_of_gb2312() -> None:
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            assert character in drawable_characters()


def test_the_stylesheet_and_templates_need_no_other_characters() -> None:
    for file in TEMPLATE_FOLDER.iterdir():
        assert missing_characters(file.read_text(encoding="utf-8")) == (), file.name


def test_nothing_is_warned_about_while_rendering(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        render_pdf("joint_reply", long_values("joint_reply"), verify_url=URL)
    assert caplog.records == []
