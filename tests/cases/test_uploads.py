"""Files come out rewritten: what they show is kept, what could act or tell on somebody is gone."""

from __future__ import annotations

import hashlib
import io
import random
import zlib

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, PngImagePlugin

from portal.cases.uploads import MAX_BYTES, clean_upload, is_material_id, safe_name
from portal.kernel.errors import Invalid


def pdf_bytes(change=None, **save) -> bytes:
    pdf = Pdf.new()
    pdf.add_blank_page(page_size=(200, 300))
    pdf.pages[0].Contents = Stream(pdf, b"0 0 m 100 100 l S % the drawing")
    if change:
        change(pdf)
    out = io.BytesIO()
    pdf.save(out, **save)
    return out.getvalue()


def jpeg_bytes(**save) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), (200, 10, 10)).save(out, "JPEG", **save)
    return out.getvalue()


def refused(name: str, content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        clean_upload(name, content)
    (error,) = caught.value.errors
    assert error.field == "file"
    return error.code


def _script(pdf: Pdf) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _open_action(pdf: Pdf) -> None:
    pdf.Root.OpenAction = pdf.make_indirect(_script(pdf))


def _open_action_direct(pdf: Pdf) -> None:
    pdf.Root.OpenAction = _script(pdf)


def _page_actions(pdf: Pdf) -> None:
    pdf.pages[0].AA = Dictionary(O=_script(pdf))


def _named_script(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), _script(pdf)])))


def _attachment(pdf: Pdf) -> None:
    pdf.attachments["evil.exe"] = b"MZ evil"


def _launch_link(pdf: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))
    link.A = Dictionary(S=Name.Launch, F=String("cmd.exe"))
    pdf.pages[0].Annots = Array([pdf.make_indirect(link)])


def _chained_script(pdf: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))
    link.A = Dictionary(S=Name.GoTo, D=String("x"), Next=Array([_script(pdf)]))
    pdf.pages[0].Annots = Array([link])


def _file_annotation(pdf: Pdf) -> None:
    file = Dictionary(Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=Stream(pdf, b"MZ evil")))
    note = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 9, 9]), FS=file)
    pdf.pages[0].Annots = Array([pdf.make_indirect(note)])


def _xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(XFA=Stream(pdf, b"<xdp>evil</xdp>"), Fields=Array([]))


def _author(pdf: Pdf) -> None:
    pdf.docinfo["/Author"] = "Somebody"
    with pdf.open_metadata() as meta:
        meta["dc:creator"] = ["Somebody"]


ACTIVE = [
    _open_action,
    _open_action_direct,
    _page_actions,
    _named_script,
    _attachment,
    _launch_link,
    _chained_script,
    _file_annotation,
    _xfa,
    _author,
]
TRACES = (b"JavaScript", b"app.alert", b"Launch", b"evil", b"EmbeddedFile", b"XFA", b"Somebody", b"OpenAction", b"/AA")


@pytest.mark.parametrize("change", ACTIVE, ids=lambda change: change.__name__)
def test_active_content_and_metadata_are_gone_and_the_page_stays(change):
    content = pdf_bytes(change)
    upload = clean_upload("图纸.pdf", content)
    with Pdf.open(io.BytesIO(upload.content)) as pdf:
        assert len(pdf.pages) == 1
        assert b"the drawing" in pdf.pages[0].Contents.read_bytes()
        plain = io.BytesIO()
        pdf.save(plain, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    for trace in TRACES:
        assert trace not in plain.getvalue(), trace
    assert upload.sha256 == hashlib.sha256(upload.content).hexdigest()


def test_rewriting_is_the_same_every_time():
    content = pdf_bytes(_author)
    assert clean_upload("a.pdf", content) == clean_upload("a.pdf", content)


def test_what_is_appended_to_a_pdf_is_dropped():
    upload = clean_upload("a.pdf", pdf_bytes() + b"PK\x03\x04<script>evil</script>")
    assert b"evil" not in upload.content


def test_encrypted_pdfs_are_refused_even_when_they_open_without_password():
    for user in ("", "secret"):
        content = pdf_bytes(encryption=pikepdf.Encryption(owner="o", user=user))
        assert refused("a.pdf", content) == "file_encrypted"


def test_a_pdf_that_swells_beyond_measure_is_refused():
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(450)) + packer.flush()
    head = b"%%PDF-1.7\n1 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed)
    assert len(packed) < 1024 * 1024
    assert refused("bomb.pdf", head + packed + b"\nendstream\nendobj\n%%EOF") == "file_bomb"


def test_an_object_stream_has_a_narrower_limit():
    packed = zlib.compress(bytes(40 * 1024 * 1024), 9)
    head = b"%%PDF-1.7\n1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Length %d /Filter /FlateDecode >>\nstream\n"
    assert refused("bomb.pdf", head % len(packed) + packed + b"\nendstream\nendobj\n%%EOF") == "file_bomb"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"MZ\x90\x00", "file_type"),
        (b"<html>%PDF-1.7</html>", "file_type"),
        (b"GIF89a", "file_type"),
        (b"%PDF-1.7 nothing more", "file_broken"),
        (b"\xff\xd8\xff\xe0 no picture", "file_broken"),
        (b"\x89PNG\r\n\x1a\n no picture", "file_broken"),
        (b"%PDF-" + bytes(MAX_BYTES), "file_too_large"),
    ],
)
def test_what_cannot_be_taken_is_told(content: bytes, code: str):
    assert refused("x.pdf", content) == code


def test_a_photo_loses_its_place_and_keeps_its_look():
    exif = Image.Exif()
    exif[0x0110] = "SecretCamera"
    exif[0x0112] = 6  # turned by 90 degrees
    upload = clean_upload("IMG.JPEG", jpeg_bytes(exif=exif, comment=b"SecretCamera"))
    assert upload.name == "IMG.jpg"
    assert b"SecretCamera" not in upload.content
    with Image.open(io.BytesIO(upload.content)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("JPEG", (20, 40), {})
        red, green, _ = image.convert("RGB").getpixel((5, 5))
        assert red > 180
        assert green < 40


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_pictures_of_every_mode_lose_their_texts(mode: str):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Somebody")
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "PNG", pnginfo=text)
    upload = clean_upload("a.png", out.getvalue() + b"<script>evil</script>")
    assert b"Somebody" not in upload.content
    assert b"evil" not in upload.content
    with Image.open(io.BytesIO(upload.content)) as image:
        assert image.size == (8, 8)


@pytest.mark.parametrize("side", [8000, 12_000, 20_000])
def test_a_flood_of_pixels_is_refused_before_it_is_unpacked(side: int):
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    assert refused("big.png", out.getvalue()) == "file_pixels"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\图\\总平面图.PDF", "总平面图.pdf"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x.pdf"),
        ("\u202egnp.exe", "gnp.pdf"),
        ("", "材料.pdf"),
        ("x" * 400, "x" * 116 + ".pdf"),
    ],
)
def test_names_are_made_safe(name: str, safe: str):
    assert safe_name(name, "application/pdf") == safe


def test_ids_are_told_from_names():
    assert is_material_id("0123456789abcdef0123456789abcdef")
    assert not is_material_id("lease.pdf")
    assert not is_material_id("0123456789ABCDEF0123456789ABCDEF")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([0, 1, 2, 3]), st.integers(0, 2**32))
def test_damaged_files_are_refused_or_clean_and_nothing_else(which: int, seed: int):
    chance = random.Random(seed)
    content = bytearray([pdf_bytes(_launch_link), pdf_bytes(_xfa), jpeg_bytes(), _PNG][which])
    for _ in range(chance.randint(1, 12)):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    content = bytes(content[: chance.randint(16, len(content))])
    upload, fields = _cleaned(content)
    assert fields == ["file"] if upload is None else b"/Launch" not in upload.content


def _cleaned(content: bytes):
    try:
        return clean_upload("x", content), []
    except Invalid as refusal:
        return None, [error.field for error in refusal.errors]


_OUT = io.BytesIO()
Image.new("RGB", (30, 30), (1, 2, 3)).save(_OUT, "PNG")
_PNG = _OUT.getvalue()
