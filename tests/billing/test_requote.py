"""A changed quote against what is billed and paid: always adds up to the new quote, and nothing is asked twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.billing.drafts import LineDraft
from portal.billing.requote import Standing, requote


def draft(item: str, amount: int) -> LineDraft:
    return LineDraft("p", "公司", "1", item, item, "1", "户", amount, amount, "9", "依据", True, "works")


def test_nothing_paid_is_asked_anew():
    outcome = requote([Standing("a", "pipe", 500, 0)], [draft("pipe", 300)])
    assert (outcome.void, dict(outcome.owed_back)) == (("a",), {})
    assert [(line.title, line.amount_fen) for line in outcome.added] == [("pipe", 300)]


def test_a_dearer_quote_asks_for_the_difference():
    outcome = requote([Standing("a", "pipe", 500, 500)], [draft("pipe", 800)])
    assert (outcome.void, dict(outcome.owed_back)) == ((), {})
    (line,) = outcome.added
    assert (line.title, line.quantity, line.unit_price_fen, line.amount_fen) == ("pipe（补差）", "1", 300, 300)


def test_a_cheaper_quote_owes_the_difference_back():
    outcome = requote([Standing("a", "pipe", 500, 500), Standing("b", "meter", 90, 90)], [draft("pipe", 200)])
    assert outcome.added == ()
    assert dict(outcome.owed_back) == {"a": 300, "b": 90}


items = st.sampled_from(("pipe", "meter", "check"))
standing_lines = st.lists(st.tuples(items, st.integers(1, 999), st.booleans()), max_size=6)


@given(standing_lines, st.lists(st.tuples(items, st.integers(0, 999)), max_size=6))
def test_what_stands_afterwards_is_the_new_quote(old: list[tuple[str, int, bool]], new: list[tuple[str, int]]):
    standing = [Standing(str(n), item, due, due if paid else 0) for n, (item, due, paid) in enumerate(old)]
    outcome = requote(standing, [draft(item, amount) for item, amount in new])
    for item in ("pipe", "meter", "check"):
        kept = sum(x.kept_fen - outcome.owed_back.get(x.line_id, 0) for x in standing if x.item_code == item)
        asked = sum(x.amount_fen for x in outcome.added if x.item_code == item)
        assert kept + asked == sum(amount for code, amount in new if code == item)
        assert not (asked and any(outcome.owed_back.get(x.line_id) for x in standing if x.item_code == item))
    assert all(0 < back <= standing[int(line)].kept_fen for line, back in outcome.owed_back.items())
    assert set(outcome.void) == {x.line_id for x in standing if not x.kept_fen}
