"""Hand-overs: every message to providers with what became of it, what arrived and could not be applied, and what to do.

Operators see all, the lead agency and supervisors read, a provider sees its own.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.journey import hand_overs, levels
from portal.journey.pages_hand_overs import GROUPS, hand_over, hand_over_list, open_alarms
from portal.journey.pages_inbox import TROUBLE, inbox_entry, inbox_list
from portal.kernel.errors import Conflict, DomainError, Invalid
from portal.kernel.routes import action, current_actor
from portal.web.hand_over_words import all_words

bp = Blueprint("hand_overs", __name__)


@bp.get("/hand-overs")
@action("exchange.list")
def index() -> str:
    """All messages, newest first; filters by state, provider, case or message number."""
    group = request.args.get("state", "all")
    group = group if group in GROUPS or group == "alarm" else "all"
    provider, words = request.args.get("provider", "")[:64], request.args.get("q", "").strip()[:64]
    page = request.args.get("page", 1, type=int)
    found = hand_over_list(current_actor(), group=group, provider=provider, words=words, page=page, at=g.at)
    keep = {"state": group, "provider": provider or None, "q": words or None}
    alarms = open_alarms(current_actor())
    return render_template("hand_overs/list.html", found=found, keep=keep, alarms=alarms, w=all_words())


@bp.get("/hand-overs/messages/<message_id>")
@action("exchange.view", check=False)
def show(message_id: str) -> str:
    """One message: payload, answer, all tries, the breaker, alarms, and what may be done."""
    return _show(message_id, "")


@bp.post("/hand-overs/messages/<message_id>/replay")
@action("exchange.replay")
def replay(message_id: str) -> Response | tuple[str, int]:
    """Send it again."""
    try:
        hand_overs.replay_hand_over(current_actor(), message_id=message_id, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        return _show(message_id, refused.message), refused.status
    return _done("已重新排入投递。", f"/hand-overs/messages/{message_id}")


@bp.post("/hand-overs/messages/<message_id>/desk")
@action("exchange.give_to_desk")
def desk(message_id: str) -> Response | tuple[str, int]:
    """Give what waits for the same task to the provider's desk."""
    try:
        moved = levels.give_to_desk(current_actor(), message_id=message_id, at=g.at)
    except Conflict as refused:
        return _show(message_id, refused.message), refused.status
    return _done(f"已转到供应单位工作台，共 {moved} 条消息。", f"/hand-overs/messages/{message_id}")


@bp.post("/hand-overs/messages/<message_id>/resolve")
@action("exchange.resolve")
def resolve(message_id: str) -> Response | tuple[str, int]:
    """Say whether a message without an answer has arrived."""
    decision: levels.Decision = "send_again" if request.form.get("decision") == "send_again" else "arrived"
    note = request.form.get("note", "")
    try:
        levels.resolve_unknown(
            current_actor(), message_id=message_id, decision=decision, note=note, at=g.at, wire_at=g.wire_at
        )
    except (Invalid, Conflict) as refused:
        return _show(message_id, _text(refused)), refused.status
    return _done("已记录核实结果。", f"/hand-overs/messages/{message_id}")


@bp.post("/hand-overs/providers/<provider>/level")
@action("exchange.switch_level")
def level(provider: str) -> Response:
    """Reach the provider another way; its open hand-overs follow. The same level again brings a gone address back."""
    wanted = request.form.get("level", "")
    url = request.form.get("push_url", "").strip() or None
    try:
        moved = levels.switch_level(
            current_actor(),
            provider=provider,
            level=wanted,  # type: ignore[arg-type]  # the use case refuses what is no level
            push_url=url,
            at=g.at,
            wire_at=g.wire_at,
        )
    except (Invalid, Conflict) as refused:
        flash(_text(refused), "error")
        return redirect(request.form.get("back", "") if _is_own(request.form.get("back", "")) else "/hand-overs")
    return _done(f"接入方式已更新，{moved} 条未了结的消息随之办理。", f"/hand-overs?provider={provider}")


@bp.post("/hand-overs/alarms/<alarm_id>/close")
@action("exchange.resolve")
def close(alarm_id: str) -> Response:
    """A person has seen to it by other means."""
    try:
        hand_overs.close_alarm(current_actor(), alarm_id=alarm_id, note=request.form.get("note", ""), at=g.at)
    except (Invalid, Conflict) as refused:
        flash(_text(refused), "error")
    else:
        flash("告警已关闭。", "success")
    back = request.form.get("back", "")
    return redirect(back if _is_own(back) else "/hand-overs")


@bp.get("/hand-overs/inbox")
@action("exchange.list")
def inbox() -> str:
    """What arrived and could not be applied."""
    group = request.args.get("state", "all")
    group = group if group in TROUBLE else "all"
    provider = request.args.get("provider", "")[:64]
    page = request.args.get("page", 1, type=int)
    found = inbox_list(current_actor(), group=group, provider=provider, page=page, at=g.at)
    keep = {"state": group, "provider": provider or None}
    return render_template("hand_overs/inbox.html", found=found, keep=keep, w=all_words())


@bp.get("/hand-overs/inbox/<inbox_id>")
@action("exchange.view", check=False)
def arrived(inbox_id: str) -> str:
    """One message that could not be applied, with the reason."""
    entry = inbox_entry(current_actor(), inbox_id, at=g.at)
    return render_template("hand_overs/arrived.html", entry=entry, w=all_words())


@bp.post("/hand-overs/inbox/<inbox_id>/replay")
@action("exchange.replay")
def replay_arrived(inbox_id: str) -> Response:
    """Apply it again."""
    try:
        state = hand_overs.replay_inbox(current_actor(), inbox_id=inbox_id, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        flash(refused.message, "error")
    else:
        _say(state)
    return redirect(f"/hand-overs/inbox/{inbox_id}")


@bp.post("/hand-overs/notices/<notice_id>/replay")
@action("exchange.replay")
def replay_notice(notice_id: str) -> Response:
    """Act on a gateway notice again."""
    try:
        state = hand_overs.replay_notice(current_actor(), notice_id=notice_id, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        flash(refused.message, "error")
    else:
        _say(state)
    return redirect("/hand-overs/inbox")


@bp.post("/hand-overs/jobs/<job_id>/replay")
@action("exchange.replay")
def replay_job(job_id: str) -> Response:
    """Run a failed job again."""
    try:
        hand_overs.replay_failed_job(current_actor(), job_id=job_id, at=g.at, wire_at=g.wire_at)
    except Conflict as refused:
        flash(refused.message, "error")
    else:
        flash("已重新排入。", "success")
    return redirect("/health")


def _show(message_id: str, error: str) -> str:
    found = hand_over(current_actor(), message_id, at=g.at, wire_at=g.wire_at)
    return render_template("hand_overs/message.html", found=found, error=error, levels=levels.LEVELS, w=all_words())


def _done(text: str, address: str) -> Response:
    flash(text, "success")
    return redirect(address)


def _say(state: str) -> None:
    if state in ("applied", "ignored"):
        flash("已办理。", "success")
    else:
        flash("仍未能办理，原因见下。", "error")


def _text(refused: DomainError) -> str:
    return refused.errors[0].message if isinstance(refused, Invalid) else refused.message


def _is_own(address: str) -> bool:
    """A path of this portal, and nothing that leads elsewhere."""
    return address.startswith("/hand-overs") and "\\" not in address and "\n" not in address
