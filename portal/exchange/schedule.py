"""When a failed message or job is tried again. Pure: seconds in, seconds out.

The list is the provider protocol's (Standard Webhooks 1.0 recommends the same): at once, 5 s, 5 min, 30 min, 2 h,
5 h, 10 h, 14 h, 20 h, 24 h, with jitter.
"""

from __future__ import annotations

_HOUR = 3600.0
DELAYS_S = (0.0, 5.0, 300.0, 1800.0, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
MAX_ATTEMPTS = len(DELAYS_S)
JITTER = 0.2
MAX_RETRY_AFTER_S = 24 * _HOUR
_JOB_DELAYS_S = (1.0, 5.0, 30.0, 300.0, 1800.0, 2 * _HOUR, 5 * _HOUR)


def retry_delay_s(attempts: int, *, jitter: float, scale: float, retry_after_s: float | None = None) -> float | None:
    """Seconds until the next try after `attempts` failed ones (≥ 1); None when the last try has been made.

    `jitter` in 0…1 stretches the delay by up to 20 %; `scale` is PORTAL_RETRY_SCALE. What the receiver asked for in
    Retry-After is obeyed unscaled, up to one day: its clock is the real one.
    """
    if attempts < 1:
        raise ValueError("a message is retried only after a try")
    if attempts >= MAX_ATTEMPTS:
        return None
    delay = DELAYS_S[attempts] * (1 + JITTER * jitter) * scale
    if retry_after_s is not None:
        delay = max(delay, min(retry_after_s, MAX_RETRY_AFTER_S))
    return delay


def job_delay_s(attempts: int) -> float:
    """Seconds until a job is run again after `attempts` failed runs (≥ 1)."""
    return _JOB_DELAYS_S[min(attempts, len(_JOB_DELAYS_S)) - 1]
