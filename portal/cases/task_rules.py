"""One task by itself: its states, what moves it, and which reports it takes (provider protocol, "Tasks").

There is one task per (case, provider, stage); a new round raises its revision and opens it again.
"""

from __future__ import annotations

STAGES = (
    "intake",
    "survey",
    "reply",
    "confirm",
    "review",
    "permits",
    "works",
    "acceptance",
    "connection",
    "closed",
)
TRACK_STAGES = ("survey", "reply", "review", "works", "acceptance", "connection")
JOINT_STAGES = frozenset({"survey", "reply", "review", "works", "acceptance"})

TASK_STATES = (
    "issued",
    "received",
    "working",
    "waiting_applicant",
    "paused",
    "done",
    "declined",
    "withdrawn",
    "failed",
)
ENDED = frozenset({"done", "declined", "withdrawn", "failed"})
TASK_ACTIONS = (
    "receive",
    "work",
    "ask",
    "answer",
    "pause",
    "resume",
    "await_applicant",
    "finish",
    "decline",
    "revise",
    "withdraw",
    "fail",
)

_AT_WORK = ("issued", "received", "working")  # an early report implies that the task was received
_OPEN = (*_AT_WORK, "waiting_applicant", "paused")


def _moves(action: str, states: tuple[str, ...], to: str) -> dict[tuple[str, str], str]:
    return {(state, action): to for state in states}


TASK_TRANSITIONS: dict[tuple[str, str], str] = {
    ("issued", "receive"): "received",
    **_moves("work", _AT_WORK, "working"),
    **_moves("ask", _AT_WORK, "waiting_applicant"),
    ("waiting_applicant", "answer"): "working",
    **_moves("pause", _AT_WORK, "paused"),
    ("paused", "resume"): "working",
    **_moves("await_applicant", _AT_WORK, "waiting_applicant"),
    **_moves("finish", (*_AT_WORK, "waiting_applicant"), "done"),
    **_moves("fail", (*_AT_WORK, "waiting_applicant"), "failed"),
    # A failed task lies with a person, who may still let it go on, take it out or end the provider's part.
    **_moves("decline", (*_OPEN, "failed"), "declined"),
    **_moves("withdraw", (*_OPEN, "failed"), "withdrawn"),
    **_moves("revise", (*_OPEN, "done", "declined", "failed"), "issued"),
}

# The move a report of each kind makes when it goes the straight way; everything else is work on the task.
REPORT_ACTIONS: dict[str, str] = {
    "received": "receive",
    "declined": "decline",  # only after the lead agency's confirmation
    "question": "ask",
    "line_check": "work",
    "pause": "pause",
    "resume": "resume",
    "extension": "work",
    "availability": "work",
    "findings": "finish",
    "reply": "finish",  # a refusal only after the lead agency's confirmation
    "quote_final": "await_applicant",  # the applicant confirms again
    "review": "finish",
    "works": "finish",  # with status finished
    "acceptance": "finish",
    "connected": "await_applicant",
    "permit": "finish",
}

_COMMON_FIRST, _COMMON_LAST = ("declined",), ("question", "pause", "extension")


class NotExpected(Exception):
    """The task's state does not allow this action."""

    def __init__(self, state: str, action: str) -> None:
        super().__init__(f"a task that is {state} does not take {action}")
        self.state = state
        self.action = action


def next_state(state: str, action: str) -> str:
    """The state after `action`. Raises NotExpected where the table has no such move."""
    try:
        return TASK_TRANSITIONS[state, action]
    except KeyError:
        raise NotExpected(state, action) from None


def expects(
    stage: str,
    state: str,
    *,
    line_check: bool = False,
    visit_fixed: bool = False,
    available: bool = False,
    drawings: bool = False,
    works_status: str | None = None,
) -> tuple[str, ...]:
    """The report kinds a task of `stage` in `state` takes now, most natural first.

    Nothing while it is the applicant's turn and nothing once it has ended; a paused task only resumes.
    `line_check`: a skip still rests on an unchecked outside line; `visit_fixed`: the survey has its appointment;
    `available`: slots were offered already (others may follow until the visit is fixed); `drawings`: there is
    something to review; `works_status`: the latest of planned, started, finished.
    """
    if state == "paused":
        return ("resume",)
    if state not in _AT_WORK:
        return ()
    own = _own_reports(stage, line_check=line_check, visit_fixed=visit_fixed, drawings=drawings)
    if works_status == "finished":
        own = ()
    last = (*_COMMON_LAST, *own) if available and not visit_fixed else (*own, *_COMMON_LAST)
    # The quote may still change once there are drawings, and until the works have begun.
    may_requote = (stage == "review" and drawings) or (stage == "works" and works_status in (None, "planned"))
    first, more = ("received",) if state == "issued" else (), ("quote_final",) if may_requote else ()
    return (*first, *_COMMON_FIRST, *last, *more)


def _own_reports(stage: str, *, line_check: bool, visit_fixed: bool, drawings: bool) -> tuple[str, ...]:
    by_stage: dict[str, tuple[str, ...]] = {
        "survey": ("findings",) if visit_fixed else ("availability",),
        "reply": ("line_check", "reply") if line_check else ("reply",),
        "review": ("review",) if drawings else (),
        "works": ("works",),
        "acceptance": ("acceptance",),
        "connection": ("connected",),
        "permits": ("permit",),
    }
    return by_stage[stage]


def whose_turn(
    state: str, provider: str, *, pause_reason: str | None = None, decision_open: bool = False, is_office: bool = False
) -> str:
    """Who has to act next on a task: `applicant`, `agency`, `provider:<code>`, or `portal` once it has ended.

    `decision_open`: the lead agency must decide first; `pause_reason`: code of the open pause.
    """
    if state in ENDED:
        return "agency" if state == "failed" else "portal"
    if decision_open:
        return "agency"
    waits_for = "applicant" if state == "waiting_applicant" else PAUSE_TURNS.get(pause_reason or "")
    return waits_for or ("agency" if is_office else f"provider:{provider}")


# Whom a paused task waits for; the reasons not named here leave the turn with the provider that paused.
PAUSE_TURNS = {
    "applicant_correction": "applicant",
    "applicant_works": "applicant",
    "contract_signing": "applicant",
    "payment": "applicant",
    "outside_permit": "agency",
}
