"""The token bucket: never more than it holds, never more than came in."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from portal.exchange.rate import Limit, tokens_at

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def test_a_bucket_nobody_knows_anything_of_is_full():
    assert tokens_at(Limit(60, 5), left=None, since=None, now=NOW) == 5


def test_it_fills_at_its_rate_up_to_its_rim():
    limit = Limit(per_minute=60, burst=5)
    assert tokens_at(limit, left=0.0, since=NOW, now=NOW + dt.timedelta(seconds=3)) == 3
    assert tokens_at(limit, left=0.0, since=NOW, now=NOW + dt.timedelta(hours=1)) == 5


def test_a_slow_rate_still_lets_one_through():
    assert tokens_at(Limit(per_minute=2), left=0.0, since=NOW, now=NOW + dt.timedelta(seconds=30)) == 1


@given(
    rate=st.integers(1, 6000),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=40),
)
def test_never_more_than_the_burst_and_the_rate_together(rate, burst, gaps):
    limit, left, since, now, sent = Limit(rate, burst), float(burst), NOW, NOW, 0
    for gap in gaps:
        now += dt.timedelta(seconds=gap)
        tokens = tokens_at(limit, left=left, since=since, now=now)
        sent += int(tokens)
        left, since = tokens - int(tokens), now
    assert sent <= burst + (now - NOW).total_seconds() * rate / 60 + 1e-6
