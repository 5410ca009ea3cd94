"""Signing in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField


class SignInForm(FlaskForm):
    """Login and password; both are checked together, so that neither tells whether the other was right."""

    login = StringField("账号", render_kw={"autocomplete": "username", "autocapitalize": "none"})
    password = PasswordField("密码", render_kw={"autocomplete": "current-password"})
