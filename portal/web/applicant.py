"""The applicant's cases: the list, the case page, and the acts a case page offers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.journey import (
    connection,
    contracts,
    materials,
    payment,
    questions,
    reply,
    requotes,
    review,
    visit_choices,
    visit_files,
)
from portal.journey.pages_case import case_id_of, case_page
from portal.journey.pages_case_list import own_cases
from portal.journey.payment import Started
from portal.kernel.errors import Conflict, FieldError, Invalid
from portal.kernel.policy import require
from portal.kernel.routes import action, current_actor

bp = Blueprint("applicant", __name__)
Answer = str | Response | tuple[str, int]
OPTION = "option-"


@bp.before_request
def ask_to_sign_in() -> None:
    """Before anything is looked up: to somebody unknown a case that exists and one that does not look the same."""
    require(current_actor(), "application.list")


@bp.get("/cases")
@action("application.list")
def list_cases() -> str:
    """The cases of everybody the reader acts for."""
    return render_template("applicant/cases.html", own=own_cases(current_actor(), g.at))


@bp.get("/cases/<case_no>")
@action("case.view", check=False)
def show_case(case_no: str) -> str:
    """One case: what waits on the reader first, then everything else."""
    return _show(case_no, ())


@bp.post("/cases/<case_no>/visit")
@action("case.confirm", check=False)
def choose_visit(case_no: str) -> Answer:
    """Take one of the proposed times, or ask for others."""
    chosen = request.form.get("proposal", "")

    def act() -> str:
        if not chosen:
            raise Invalid([FieldError("proposal", "请选择一个上门时间，或者选“都不合适”。", "missing")])
        if chosen != "none":
            visit_choices.accept_proposal(
                current_actor(), case_no=case_no, proposal_id=chosen, at=g.at, wire_at=g.wire_at
            )
            return "上门时间已经约定，已通知各单位。"
        visit_choices.decline_proposals(
            current_actor(),
            case_no=case_no,
            note=request.form.get("note", "")[:400],
            wish_on=request.form.get("wish_on", "")[:10],
            wish_half=request.form.get("wish_half", ""),
            at=g.at,
            wire_at=g.wire_at,
        )
        return "已收到，正在按您希望的时间重新安排。"

    return _do(case_no, act)


@bp.get("/cases/<case_no>/visit.ics")
@action("case.view", check=False)
def visit_calendar(case_no: str) -> Response:
    """The visits of the case for one's own calendar."""
    content = visit_files.case_calendar(current_actor(), case_no=case_no, at=g.at)
    return calendar_answer(content, f"{case_no}.ics")


def calendar_answer(content: bytes, name: str) -> Response:
    """An iCalendar file to open or keep."""
    answer = Response(content, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


@bp.post("/cases/<case_no>/confirm")
@action("case.confirm", check=False)
def confirm(case_no: str) -> Answer:
    """Choose one option for each provider that has replied."""
    choices = {name.removeprefix(OPTION): code for name, code in request.form.items() if name.startswith(OPTION)}

    def act() -> str:
        reply.confirm_reply(current_actor(), case_no=case_no, choices=choices, at=g.at, wire_at=g.wire_at)
        return "方案已确认，联合账单和供用合同已经生成。"

    return _do(case_no, act)


@bp.post("/cases/<case_no>/quote")
@action("case.confirm", check=False)
def decide_quote(case_no: str) -> Answer:
    """Accept a quote that was changed after review, or keep to the one confirmed before."""
    said = {
        "accepted": "已同意新的报价，账单已更正，请重新签署这家单位的合同。",
        "refused": "已答复，仍按原报价办理。",
    }

    def act() -> str:
        state = requotes.decide_quote(
            current_actor(),
            case_no=case_no,
            change_id=request.form.get("change_id", ""),
            verdict=request.form.get("verdict", ""),
            at=g.at,
            wire_at=g.wire_at,
        )
        return said[state]

    return _do(case_no, act)


@bp.post("/cases/<case_no>/sign")
@action("case.sign", check=False)
def sign(case_no: str) -> Answer:
    """Sign all contracts that are ready, in one act."""

    def act() -> str:
        if "agree" not in request.form:
            raise Invalid([FieldError("agree", "请先阅读合同，并勾选同意。", "missing")])
        count = contracts.sign_contracts(current_actor(), case_no=case_no, at=g.at, wire_at=g.wire_at)
        return f"已签署 {count} 份合同。"

    return _do(case_no, act)


@bp.post("/cases/<case_no>/pay")
@action("case.pay", check=False)
def pay(case_no: str) -> Answer:
    """Start paying what is owed (or the lines named), and go to the cashier page if it is there already."""
    line_ids = request.form.getlist("line_id") or None
    try:
        case_id = case_id_of(current_actor(), case_no)
        started = payment.start_payment(
            current_actor(),
            case_id=case_id,
            line_ids=line_ids,
            idempotency_key=request.form.get("idempotency_key", ""),
            at=g.at,
            wire_at=g.wire_at,
        )
    except Invalid as refused:
        return _show(case_no, [("pay", refused.message)]), 422
    except Conflict as refused:
        return _kindly(case_no, refused)
    return _to_cashier(case_no, started)


def _to_cashier(case_no: str, started: Started) -> Response:
    urls = [order.pay_url for order in started.orders if order.pay_url and order.state == "SUBMITTED"]
    if len(urls) == 1 and len(started.orders) == 1:
        return redirect(urls[0])
    flash("缴费已发起，请在“缴费”一栏打开收银台付款；链接还没出现时，请稍等片刻再刷新。", "success")
    return redirect(f"/cases/{case_no}")


@bp.post("/cases/<case_no>/drawings")
@action("case.answer", check=False)
def upload_drawing(case_no: str) -> Answer:
    """Hand in a drawing for one provider's review."""
    provider, upload = request.form.get("provider", ""), request.files.get("file")

    def act() -> str:
        review.upload_drawing(
            current_actor(),
            case_no=case_no,
            provider=provider,
            kind=request.form.get("kind", ""),
            name=(upload.filename if upload else None) or "drawing.pdf",
            content=upload.read() if upload else b"",
            at=g.at,
            wire_at=g.wire_at,
        )
        return "图纸已提交，等待审图意见。"

    return _do(case_no, act, key=provider)


@bp.post("/cases/<case_no>/flow")
@action("case.confirm_flow", check=False)
def confirm_flow(case_no: str) -> Answer:
    """Say that a utility really flows."""

    def act() -> str:
        task_id = request.form.get("task_id", "")
        connection.confirm_flow(current_actor(), case_no=case_no, task_id=task_id, at=g.at, wire_at=g.wire_at)
        return "感谢您的确认，接通已经登记。"

    return _do(case_no, act)


@bp.post("/cases/<case_no>/answer")
@action("case.answer", check=False)
def answer(case_no: str) -> Answer:
    """Answer one question, with or without a paper."""
    question_id, upload = request.form.get("question_id", ""), request.files.get("file")

    def act() -> str:
        material_id = None
        if upload is not None and upload.filename:
            stored = materials.store_material(current_actor(), name=upload.filename, content=upload.read(), at=g.at)
            material_id = stored.material_id
        questions.answer_question(
            current_actor(),
            case_no=case_no,
            question_id=question_id,
            answer=request.form.get("answer", ""),
            material_id=material_id,
            at=g.at,
            wire_at=g.wire_at,
        )
        return "答复已提交。"

    return _do(case_no, act, key=question_id)


def _do(case_no: str, act: Callable[[], str], *, key: str = "") -> Answer:
    """Run one act: done → back to the case page; wrong entries → the page again with them; too late → said kindly.

    `key` tells which of several like forms an error belongs to.
    """
    try:
        done = act()
    except Invalid as refused:
        anchors = [(f"{e.field}-{key}" if key else e.field, e.message) for e in refused.errors]
        return _show(case_no, anchors), 422
    except Conflict as refused:
        return _kindly(case_no, refused)
    flash(done, "success")
    return redirect(f"/cases/{case_no}")


def _kindly(case_no: str, refused: Conflict) -> Response:
    flash(refused.message, "notice")
    return redirect(f"/cases/{case_no}")


def _show(case_no: str, errors: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    page = case_page(current_actor(), case_no, g.at)
    wrong = dict(errors)
    return render_template("applicant/case.html", page=page, errors=errors, wrong=wrong, entered=request.form)
