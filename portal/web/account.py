"""Signing in and out, the password, and the page one lands on."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from forms.account import PasswordForm, SignInForm
from portal.journey import signing_in
from portal.kernel.errors import DomainError, Invalid
from portal.kernel.routes import action, current_actor
from portal.web.addresses import local_path
from portal.web.navigation import entries_for
from portal.web.requests import SignedIn, session_token

bp = Blueprint("account", __name__)


@bp.get("/sign-in")
@action("account.sign_in")
def show_sign_in() -> str:
    """The sign-in form."""
    return render_template("account/sign_in.html", form=SignInForm(), errors=[])


@bp.post("/sign-in")
@action("account.sign_in")
def sign_in() -> str | Response | tuple[str, int]:
    """Sign in with login and password; the entries stay when something is wrong, except the password."""
    form = SignInForm()
    try:
        token = signing_in.sign_in(
            login=form.login.data or "", password=form.password.data or "", at=g.at, wire_at=g.wire_at
        )
    except DomainError as refused:
        errors = [(e.field, e.message) for e in refused.errors] if isinstance(refused, Invalid) else []
        errors = errors or [("login", refused.message)]
        form.login.errors = [message for _, message in errors]
        return render_template("account/sign_in.html", form=form, errors=errors), refused.status
    login_user(SignedIn(token, signing_in.actor_of_session(token, wire_at=g.wire_at)))
    return redirect(local_path(request.args.get("next")) or "/home")


@bp.post("/sign-out")
@action("account.sign_out")
def sign_out() -> Response:
    """End the session here and on the server."""
    token = session_token()
    if token is not None:
        signing_in.sign_out(token, wire_at=g.wire_at)
    logout_user()
    answer = redirect("/")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.get("/password")
@action("account.password")
def show_password() -> str:
    """The form for a new password."""
    return render_template("account/password.html", form=PasswordForm(), errors=[])


@bp.post("/password")
@action("account.password")
def change_password() -> str | Response | tuple[str, int]:
    """Set it; whoever else was signed in with the old one is signed out."""
    form = PasswordForm()
    entered = {name: form[name].data or "" for name in ("old", "new", "again")}
    try:
        signing_in.change_password(current_actor(), **entered, token=session_token() or "", at=g.at, wire_at=g.wire_at)
    except Invalid as refused:
        for error in refused.errors:
            form[error.field].errors = [error.message]
        errors = [(error.field, error.message) for error in refused.errors]
        return render_template("account/password.html", form=form, errors=errors), refused.status
    flash("密码已修改，其他设备上的登录已退出。", "success")
    return redirect("/password")


@bp.get("/home")
@action("account.home")
def home() -> Response:
    """To the first page this person works on."""
    entries = [entry["href"] for entry in entries_for(current_actor())]
    preferred = [href for href in entries if href != "/applications/new"]
    return redirect((preferred or entries or ["/"])[0])
