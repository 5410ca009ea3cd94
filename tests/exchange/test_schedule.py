"""Retry schedule and breaker as pure rules."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exchange import breaker
from portal.exchange.breaker import Health
from portal.exchange.schedule import DELAYS_S, MAX_ATTEMPTS, job_delay_s, retry_delay_s

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def test_the_list_is_the_protocols():
    given_s = [retry_delay_s(n, jitter=0, scale=1) for n in range(1, MAX_ATTEMPTS + 1)]
    hours = [2, 5, 10, 14, 20, 24]
    assert given_s == [5, 300, 1800, *(h * 3600 for h in hours), None]
    assert DELAYS_S[0] == 0


@given(st.integers(1, 9), st.floats(0, 1), st.floats(1e-6, 10), st.none() | st.floats(0, 1e7))
def test_jitter_only_stretches_and_retry_after_is_obeyed_up_to_a_day(attempts, jitter, scale, asked):
    delay = retry_delay_s(attempts, jitter=jitter, scale=scale, retry_after_s=asked)
    base = DELAYS_S[attempts] * scale
    assert delay >= base
    assert delay >= min(asked or 0, 86_400)
    assert delay <= max(base * 1.2 + 1e-6, min(asked or 0, 86_400))


def test_a_message_is_retried_only_after_a_try():
    with pytest.raises(ValueError, match="after a try"):
        retry_delay_s(0, jitter=0, scale=1)


def test_jobs_come_back_ever_later():
    delays = [job_delay_s(n) for n in range(1, 12)]
    assert delays == sorted(delays)
    assert delays[0] == 1


def fail(times: int) -> Health:
    health = Health()
    for _ in range(times):
        health = breaker.after_failure(health, NOW, scale=1)
    return health


def test_four_failures_leave_it_closed_and_the_fifth_opens_it():
    assert breaker.room(fail(4), NOW, usual=16) == 16
    assert breaker.room(fail(5), NOW, usual=16) == 0


def test_half_open_lets_one_probe_through_at_a_time():
    health = fail(5)
    later = health.opened_until
    assert breaker.room(health, later, usual=16) == 1
    probing = breaker.start_probe(health, later)
    assert breaker.room(probing, later, usual=16) == 0
    assert breaker.room(probing, later + breaker.PROBE_LEASE, usual=16) == 1


def test_each_failed_probe_doubles_the_wait_up_to_ten_minutes():
    waits = [(fail(n).opened_until - NOW).total_seconds() for n in range(5, 13)]
    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]


def test_one_success_closes_it():
    assert breaker.room(breaker.after_success(fail(9)), NOW, usual=16) == 16
