"""Checking an application without filing it, for a form that must say everything that is wrong at once."""

from __future__ import annotations

import datetime as dt

from portal.cases.application import check_application
from portal.catalog.queries import current_catalog
from portal.kernel.clock import local_date
from portal.kernel.database import db
from portal.kernel.errors import FieldError


def errors_of(body: object, *, channel: str, overrides: frozenset[str], at: dt.datetime) -> tuple[FieldError, ...]:
    """All errors the checks find in this application; `overrides`: fields whose check character need not hold."""
    catalog = current_catalog(db.session())
    checked = check_application(body, catalog=catalog, on=local_date(at), channel=channel, overrides=overrides)
    return tuple(checked.errors)


def errors_for_another(
    body: object, *, channel: str, overrides: frozenset[str], at: dt.datetime
) -> tuple[FieldError, ...]:
    """All errors of an application whose applicant is not one the filer may act for; that one is always among them."""
    errors = errors_of(body, channel=channel, overrides=overrides, at=at)
    if any(error.field in ("applicant.uscc", "applicant.id_no") for error in errors):
        return errors
    message = "申请人与您登录的单位（本人）不一致。您只能为本人或已获授权的单位办理，请核对后修改。"
    return (*errors, FieldError("applicant.uscc", message, "not_your_organisation"))
