"""The same key gives the first answer, another body is refused, and of callers at once only one works."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.idempotency import IdempotencyRecord, fingerprint_of, recall, remember
from tests.conftest import AT

PRINT = fingerprint_of({"a": 1})


def _ask(key: str, body: object, answer: dict) -> tuple[bool, dict]:
    with transaction() as session:
        known = recall(session, "test:1", key, fingerprint_of(body), at=AT)
        if known is not None:
            return False, known
        remember(session, "test:1", key, answer)
        return True, answer


def test_replay_gives_the_first_answer(bare_app: Flask):
    assert _ask("k", {"a": 1}, {"no": "first"}) == (True, {"no": "first"})
    assert _ask("k", {"a": 1}, {"no": "second"}) == (False, {"no": "first"})


def test_another_body_under_the_same_key_is_refused(bare_app: Flask):
    _ask("k", {"a": 1}, {"no": "first"})
    with pytest.raises(Invalid) as caught:
        _ask("k", {"a": 2}, {"no": "second"})
    assert caught.value.code == "idempotency_mismatch"


def test_keys_of_different_scopes_do_not_meet(bare_app: Flask):
    with transaction() as session:
        assert recall(session, "a", "k", PRINT, at=AT) is None
        assert recall(session, "b", "k", PRINT, at=AT) is None


def test_a_failed_request_leaves_its_key_free(bare_app: Flask):
    def fail() -> None:
        with transaction() as session:
            assert recall(session, "a", "k", PRINT, at=AT) is None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with transaction() as session:
        assert recall(session, "a", "k", PRINT, at=AT) is None


def test_a_claim_without_answer_is_in_flight(bare_app: Flask):
    with transaction() as session:
        recall(session, "a", "k", PRINT, at=AT)
        with pytest.raises(Conflict) as caught:
            recall(session, "a", "k", PRINT, at=AT)
        assert caught.value.code == "in_flight"


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "\x00"])
def test_a_bad_key_is_named(bare_app: Flask, key: str):
    with pytest.raises(Invalid) as caught, transaction() as session:
        recall(session, "a", key, PRINT, at=AT)
    assert caught.value.errors[0].field == "Idempotency-Key"


def test_eight_at_once_make_one_effect(bare_app: Flask):
    results: list[tuple[bool, dict]] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        with bare_app.app_context():
            barrier.wait()
            results.append(_ask("k", {"a": 1}, {"by": number}))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(worked for worked, _ in results) == 1
    assert len({answer["by"] for _, answer in results}) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyRecord)) == 1


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_the_fingerprint_does_not_know_the_order_of_keys(body: dict):
    assert fingerprint_of(body) == fingerprint_of(dict(reversed(body.items())))
