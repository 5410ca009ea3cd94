"""Each kind, short and long: pages, margins, seal box, fonts, tags and the text read back by another engine."""

from __future__ import annotations

import functools
from io import BytesIO
from typing import Any

import pikepdf
import pytest

from portal.documents.kinds import KINDS
from portal.documents.render import Rendered, render
from tests.documents.papers_to_print import MAKERS, long_values, short_values
from tests.documents.reading import fonts_of, page_texts, squeezed, text_boxes

MILLIMETRE = 72 / 25.4
SIDE = 18 * MILLIMETRE
WIDTH, HEIGHT = 210 * MILLIMETRE, 297 * MILLIMETRE
URL = "https://yikou.example/verify/7QK2M9XR4H"
MOST_PAGES = {  # (short, long)
    "acceptance_notice": (2, 3),
    "survey_record": (2, 4),
    "joint_reply": (3, 16),
    "review_opinion": (2, 5),
    "works_plan": (2, 3),
    "acceptance_opinion": (2, 5),
    "supply_contract": (2, 2),
    "joint_bill": (2, 5),
    "payment_receipt": (1, 3),
    "completion_notice": (1, 10),
}
BOTH = [(kind, size) for kind in MAKERS for size in ("short", "long")]


def values_of(kind: str, size: str) -> dict[str, Any]:
    return short_values(kind) if size == "short" else long_values(kind)


@functools.cache
def paper(kind: str, size: str) -> Rendered:
    return render(kind, values_of(kind, size), verify_url=URL)


def test_every_kind_has_a_sample_here() -> None:
    assert set(MAKERS) == set(KINDS) == set(MOST_PAGES)


@pytest.mark.parametrize(("kind", "size"), BOTH)
def test_it_stays_short(kind: str, size: str) -> None:
    rendered = paper(kind, size)
    assert rendered.pages == len(page_texts(rendered.pdf)) <= MOST_PAGES[kind][size == "long"]


@pytest.mark.parametrize(("kind", "size"), BOTH)
def test_no_text_leaves_the_margins(kind: str, size: str) -> None:
    for box in text_boxes(paper(kind, size).pdf):
        assert box.left >= SIDE - 0.5, box
        assert box.right <= WIDTH - SIDE + 0.5, box
        assert box.bottom >= 8 * MILLIMETRE, box
        assert box.top <= HEIGHT - 8 * MILLIMETRE, box


@pytest.mark.parametrize(("kind", "size"), BOTH)
def test_no_text_lies_on_other_text(kind: str, size: str) -> None:
    boxes = list(text_boxes(paper(kind, size).pdf))
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            if other.page != one.page:
                continue
            wide = min(one.right, other.right) - max(one.left, other.left)
            high = min(one.top, other.top) - max(one.bottom, other.bottom)
            assert wide < 1.5 or high < 1.5, (one, other)


@pytest.mark.parametrize(("kind", "size"), BOTH)
def test_the_place_of_the_seal_is_on_the_last_page_and_empty(kind: str, size: str) -> None:
    rendered = paper(kind, size)
    seal = rendered.seal_box
    assert seal is not None
    assert seal.page == rendered.pages
    assert seal.width >= 30 * MILLIMETRE - 1
    assert seal.height >= 30 * MILLIMETRE - 1
    for box in text_boxes(rendered.pdf):
        if box.page == seal.page:
            beside = box.right <= seal.left or box.left >= seal.left + seal.width
            above_or_below = box.bottom >= seal.bottom + seal.height - 1 or box.top <= seal.bottom + 1
            assert beside or above_or_below, box


@pytest.mark.parametrize("count", range(8, 22))
def test_the_seal_never_stands_on_a_page_alone(count: int) -> None:
    values = short_values("payment_receipt")
    order = values["orders"][0]
    order["shares"] = [{"payee": f"收款单位{i}", "amount_fen": 100} for i in range(count)]
    order["amount_fen"] = values["total_fen"] = 100 * count
    rendered = render("payment_receipt", values, verify_url=URL)
    seal = rendered.seal_box
    assert seal is not None
    issuer_and_date = 16 * MILLIMETRE
    body = [
        box
        for box in text_boxes(rendered.pdf)
        if box.page == seal.page
        and box.top < HEIGHT - 20 * MILLIMETRE
        and box.bottom > seal.bottom + seal.height + issuer_and_date
    ]
    assert body


@pytest.mark.parametrize("kind", MAKERS)
def test_only_bundled_fonts_and_all_embedded(kind: str) -> None:
    fonts = fonts_of(paper(kind, "long").pdf)
    assert {name.split("+")[1] for name in fonts} == {"Noto-Sans-SC", "Noto-Sans-SC-Bold"}
    assert all(fonts.values())


def words_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for part in value.values() for word in words_of(part)]
    if isinstance(value, list):
        return [word for part in value for word in words_of(part)]
    return [value] if isinstance(value, str) and any("\u4e00" <= c <= "\u9fff" for c in value) else []


@pytest.mark.parametrize(("kind", "size"), BOTH)
def test_every_chinese_value_can_be_read_back(kind: str, size: str) -> None:
    text = squeezed(paper(kind, size).pdf)
    missing = {word for word in words_of(values_of(kind, size)) if "".join(word.split()) not in text}
    assert not missing


@pytest.mark.parametrize("kind", MAKERS)
def test_each_page_bears_number_code_and_count(kind: str) -> None:
    rendered = paper(kind, "long")
    for index, text in enumerate(page_texts(rendered.pdf), start=1):
        flat = "".join(text.split())
        assert "验真码7QK2M-9XR4H" in flat
        assert "编号" + values_of(kind, "long")["number"] in flat
        assert f"第{index}页，共{rendered.pages}页" in flat


@pytest.mark.parametrize("kind", MAKERS)
def test_it_is_tagged_and_says_what_it_is(kind: str) -> None:
    with pikepdf.open(BytesIO(paper(kind, "short").pdf)) as document:
        assert str(document.Root.Lang) == "zh-Hans-CN"
        assert document.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in document.Root
        assert values_of(kind, "short")["number"] in str(document.docinfo["/Title"])
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"


@pytest.mark.parametrize("kind", MAKERS)
def test_same_values_give_the_same_bytes(kind: str) -> None:
    again = render(kind, short_values(kind), verify_url=URL)
    assert again.pdf == paper(kind, "short").pdf
