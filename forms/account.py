"""Signing in, and changing the password."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Login and password; both are checked together, so that neither tells whether the other was right."""

    login = StringField("账号", render_kw={"autocomplete": "username", "autocapitalize": "none"})
    password = PasswordField("密码", render_kw={"autocomplete": "current-password"})


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The password now, and the new one twice; none of them is ever sent back."""

    old = PasswordField("原密码", render_kw={"autocomplete": "current-password"})
    new = PasswordField("新密码", render_kw={"autocomplete": "new-password"})
    again = PasswordField("再次输入新密码", render_kw={"autocomplete": "new-password"})
