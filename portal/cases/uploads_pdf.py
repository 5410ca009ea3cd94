"""A PDF without anything that acts: opened, stripped, and written anew, so that nothing hidden survives beside it."""

from __future__ import annotations

import io
import re
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from portal.kernel.errors import FieldError, Invalid

MAX_PAGES = 1000
MAX_OBJECTS = 200_000
MAX_DEPTH = 60
MAX_EXPANDED = 400 * 1024 * 1024
MAX_STRUCTURE = 32 * 1024 * 1024
_CHUNK = 1024 * 1024

# Keys that start or hold something active, wherever they stand; metadata and private data go with them.
_ACTIVE_KEYS = ("/OpenAction", "/AA", "/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/AF", "/XFA", "/Collection")
_TRACES = ("/Metadata", "/PieceInfo", "/LastModified", "/URI")
_ROOT_TRACES = ("/Perms", "/DSS", "/Threads", "/SpiderInfo")
# Actions may lead to another place in the same document, and nowhere else.
_HARMLESS_ACTIONS = ("/GoTo", "/Named", "/SetOCGState")
_ACTIVE_ANNOTATIONS = ("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D", "/TrapNet")
_STREAM = re.compile(rb"stream\r?\n")


def refusal(message: str, code: str) -> Invalid:
    """The error for a file that cannot be taken."""
    return Invalid([FieldError("file", message, code)])


def rewrite_pdf(content: bytes) -> bytes:
    """The same pages, written anew without scripts, actions, attachments, forms that compute, and metadata.

    Encrypted files, broken ones and ones that swell beyond 400 MiB are refused: raises Invalid (field `file`).
    """
    refuse_bomb(content)
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise refusal("PDF 已加密，请去掉密码后再上传。", "file_encrypted")
            if len(pdf.objects) > MAX_OBJECTS or not 0 < len(pdf.pages) <= MAX_PAGES:
                raise refusal("PDF 没有页面或过于复杂，请拆分或重新生成。", "file_complex")
            _strip(pdf)
            out = io.BytesIO()
            pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
            return out.getvalue()
    except pikepdf.PasswordError as error:
        raise refusal("PDF 已加密，请去掉密码后再上传。", "file_encrypted") from error
    except (pikepdf.PdfError, ValueError, RuntimeError, RecursionError) as error:
        raise refusal("PDF 打不开，可能已损坏，请重新生成。", "file_broken") from error


def refuse_bomb(content: bytes) -> None:
    """Raise Invalid when the compressed streams swell beyond measure.

    The reader expands whole object streams in memory before any of our limits could look, so those are measured
    beforehand, a piece at a time and without keeping the pieces; only plain Flate is allowed for them.
    """
    left = MAX_EXPANDED
    for match in _STREAM.finditer(content):
        head = content[max(0, match.start() - 600) : match.start()].rpartition(b" obj")[2]
        is_structure = any(mark in head for mark in (b"ObjStm", b"XRef", b"#"))
        if is_structure and (head.count(b"FlateDecode") > 1 or b"LZW" in head or b"RunLength" in head):
            raise refusal("PDF 结构异常，请重新生成。", "file_bomb")
        used = _expanded(content, match.end(), min(left, MAX_STRUCTURE) if is_structure else left)
        left -= used
        if left <= 0 or (is_structure and used >= MAX_STRUCTURE):
            raise refusal("PDF 展开后过大，请降低清晰度或重新生成。", "file_bomb")


def _expanded(content: bytes, start: int, limit: int) -> int:
    """How many bytes the Flate stream at `start` gives, up to `limit`; 0 when it is none."""
    if content[start : start + 1] not in (b"\x78", b"\x48", b"\x58", b"\x68", b"\x08", b"\x18", b"\x28", b"\x38"):
        return 0
    engine, total, at = zlib.decompressobj(), 0, start
    piece = b""
    try:
        while total < limit and not engine.eof:
            if not piece:
                piece, at = content[at : at + _CHUNK], at + _CHUNK
                if not piece:
                    break
            total += len(engine.decompress(piece, _CHUNK))
            piece = engine.unconsumed_tail
    except zlib.error:
        pass
    return total


def _strip(pdf: Pdf) -> None:
    root = pdf.Root
    for key in _ROOT_TRACES:
        _drop(root, key)
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    for found in list(pdf.objects):
        _clean(found, MAX_DEPTH)


def _clean(item: Object, depth: int) -> None:
    """Strip one object and what stands directly inside it; indirect ones have their own turn."""
    if depth == 0:
        raise refusal("PDF 结构过深，请重新生成。", "file_complex")
    if isinstance(item, Array):
        for inner in item:
            if _is_container(inner) and not inner.is_indirect:
                _clean(inner, depth - 1)
    elif isinstance(item, Dictionary | Stream):
        _clean_dictionary(item)
        for key in list(item.keys()):
            inner = item[key]
            if _is_container(inner) and not inner.is_indirect:
                _clean(inner, depth - 1)


def _clean_dictionary(item: Object) -> None:
    for key in (*_ACTIVE_KEYS, *_TRACES):
        _drop(item, key)
    for key in ("/A", "/Next", "/PA"):
        if _is_active(item.get(key)):
            _drop(item, key)
    annotations = item.get("/Annots")
    if isinstance(annotations, Array):
        kept = [inner for inner in annotations if not _is_active_annotation(inner)]
        item["/Annots"] = Array(kept)


def _is_active(action: object) -> bool:
    """Whether this is an action that leaves the document, or a list of actions; /Next of outlines is neither."""
    if isinstance(action, Array):
        return any(isinstance(inner, Dictionary) and "/S" in inner for inner in action)
    return isinstance(action, Dictionary) and "/S" in action and str(action["/S"]) not in _HARMLESS_ACTIONS


def _is_active_annotation(item: object) -> bool:
    return isinstance(item, Dictionary) and str(item.get("/Subtype", Name("/Link"))) in _ACTIVE_ANNOTATIONS


def _is_container(item: object) -> bool:
    return isinstance(item, Array | Dictionary | Stream)


def _drop(item: Object, key: str) -> None:
    if key in item:
        del item[key]
