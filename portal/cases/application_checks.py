"""What must hold between the fields of an application. Every check yields all it finds and raises nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from portal.cases.application_findings import Context, Finding, refuse, remark
from portal.cases.application_parts import Applicant, Person, PreviousHolder
from portal.cases.application_texts import label_of
from portal.cases.application_utilities import Power, Section
from portal.cases.identifiers import check_person_id, check_project_code, check_uscc, warn_uscc

if TYPE_CHECKING:
    from portal.cases.application import Application

NEEDS_SIZES = frozenset({"new", "increase", "temporary"})
NEEDS_NO_ACCOUNT = frozenset({"new", "temporary"})
ENDS_SUPPLY = frozenset({"suspend", "close"})
FARTHEST_YEARS = 30
_CLASS_NAMES = {"residential": "居民生活用电", "general_commercial": "一般工商业用电"}
_CHANNEL_NAMES = {"web": "网上", "counter": "窗口", "gov_portal": "政务服务平台", "provider_hall": "供应单位营业厅"}


def check_channel(application: Application, context: Context) -> Iterator[Finding]:
    """The channel is the credential's; a differing one in the body is refused."""
    if context.channel and application.channel not in (None, context.channel):
        yield refuse("channel", "channel", channel=_CHANNEL_NAMES.get(context.channel, context.channel))


def check_applicant(application: Application, context: Context) -> Iterator[Finding]:
    """A USCC for organisations, an identity number for a person, and every number given is a possible one."""
    applicant = application.applicant
    if applicant.kind == "person" and applicant.id_no is None:
        yield refuse("applicant.id_no", "id_needed")
    if applicant.kind != "person" and applicant.uscc is None:
        yield refuse("applicant.uscc", "uscc_needed")
    yield from _numbers("applicant", applicant, context)
    for role in ("legal_representative", "contact", "agent"):
        yield from _person(f"applicant.{role}", getattr(applicant, role), context)
    if applicant.invoice and applicant.uscc and applicant.invoice.tax_no != applicant.uscc:
        yield remark("applicant.invoice.tax_no", "tax_no")


def check_transfer(application: Application, context: Context) -> Iterator[Finding]:
    """A transfer names the previous holder, whose numbers are possible ones."""
    holder = application.previous_holder
    kinds = {kind_of(application, section) for section in application.utilities.sections().values()}
    if holder is None and "transfer" in kinds | set(application.combined_with):
        yield refuse("previous_holder", "previous_holder")
    if holder is not None:
        yield from _numbers("previous_holder", holder, context)
        yield from _person("previous_holder.contact", holder.contact, context)


def check_project(application: Application, context: Context) -> Iterator[Finding]:
    """The project code is a possible one, and works end after they begin."""
    project = application.project
    if project.code is not None:
        # Projects may be registered by the state, the region or the city.
        regions = ("000000", context.catalog.city.code[:2])
        wrong = check_project_code(project.code, on=context.on, regions=regions)
        if wrong:
            yield (remark if wrong == "project_region" else refuse)("project.code", wrong)
    start, finish = project.planned_start_on, project.planned_finish_on
    yield from _days(context, {"project.planned_start_on": start, "project.planned_finish_on": finish})
    yield from _ordered("project.planned_start_on", start, "project.planned_finish_on", finish)


def check_needed_fields(application: Application, context: Context) -> Iterator[Finding]:
    """Sizes where something new is wanted (unless the applicant is not sure), the account number elsewhere."""
    for utility, section in application.utilities.sections().items():
        path, kind = f"utilities.{utility}", kind_of(application, section)
        if kind in NEEDS_SIZES:
            yield from _sizes(application, utility, section)
        if kind not in NEEDS_NO_ACCOUNT and section.account_no is None:
            yield refuse(f"{path}.account_no", "account_needed")
        if kind == "change_class" and section.new_class is None:
            yield remark(f"{path}.new_class", "new_class_missing")
    if is_class_assumed(application):
        assumed = _CLASS_NAMES[assumed_class(application.applicant)]
        yield remark("utilities.power.load_class", "load_class_assumed", value=assumed)


def check_utility_days(application: Application, context: Context) -> Iterator[Finding]:
    """Days a supply is wanted from or until; the first heating season is two years in a row."""
    for utility, section in application.utilities.sections().items():
        path = f"utilities.{utility}"
        names = ("wanted_on", "last_day_on", "temporary_wanted_on", "temporary_until_on")
        days = {f"{path}.{name}": getattr(section, name, None) for name in names}
        yield from _days(context, days)
        for field, day in days.items():
            if day is not None and day < context.on:
                yield remark(field, "date_past", label=label_of(field))
        start, until = f"{path}.temporary_wanted_on", f"{path}.temporary_until_on"
        yield from _ordered(start, days[start], until, days[until])
    heating = application.utilities.heating
    if heating and heating.first_season and int(heating.first_season[5:]) != int(heating.first_season[:4]) + 1:
        yield refuse("utilities.heating.first_season", "season")


def check_operators(application: Application, context: Context) -> Iterator[Finding]:
    """Every operator chosen serves this city."""
    network = application.utilities.network
    known = {operator.code for operator in context.catalog.operators}
    for index, operator in enumerate(network.operators if network else ()):
        if operator not in known:
            yield refuse(f"utilities.network.operators.{index}", "operator")


def check_wishes(application: Application, context: Context) -> Iterator[Finding]:
    """A wished-for visit ends after it begins."""
    for index, wish in enumerate(application.survey_wishes):
        if wish.end_at <= wish.start_at:
            path = f"survey_wishes.{index}.end_at"
            yield refuse(path, "date_order", later="结束时间", earlier="开始时间")


def kind_of(application: Application, section: Section) -> str:
    """What is asked of this utility: its own kind, else the application's."""
    return section.kind or application.kind


def is_class_assumed(application: Application) -> bool:
    """Whether the load class is ours to assume: the applicant knows a load in kW at most and is not sure of the kVA."""
    power = application.utilities.power
    if power is None or power.load_class is not None or kind_of(application, power) not in NEEDS_SIZES:
        return False
    return "load_class" in power.not_sure or (power.added_kw is not None and "added_kva" in power.not_sure)


def assumed_class(applicant: Applicant) -> str:
    """The load class by applicant: homes for a person, general commerce for everybody else."""
    return "residential" if applicant.kind == "person" else "general_commercial"


def with_assumed_values(application: Application, channel: str | None) -> Application:
    """The application with the channel of its credential and the load class assumed where nobody knows it."""
    changes: dict[str, object] = {} if channel is None else {"channel": channel}
    power = application.utilities.power
    if isinstance(power, Power) and is_class_assumed(application):
        known = power.model_copy(update={"load_class": assumed_class(application.applicant)})
        changes["utilities"] = application.utilities.model_copy(update={"power": known})
    return application.model_copy(update=changes)


def _sizes(application: Application, utility: str, section: Section) -> Iterator[Finding]:
    for name in section.NEEDED:
        is_open = getattr(section, name) is None and name not in section.not_sure
        is_ours = (utility, name) == ("power", "load_class") and is_class_assumed(application)
        if is_open and not is_ours:
            yield refuse(f"utilities.{utility}.{name}", "needed", label=label_of(name))


def _numbers(path: str, holder: Applicant | PreviousHolder, context: Context) -> Iterator[Finding]:
    if holder.uscc is not None:
        if wrong := check_uscc(holder.uscc):
            yield refuse(f"{path}.uscc", wrong)
        elif hint := warn_uscc(holder.uscc):
            yield remark(f"{path}.uscc", hint)
    if holder.id_no is not None:
        id_type = holder.id_type if isinstance(holder, Applicant) else None
        if wrong := check_person_id(holder.id_no, id_type, on=context.on):
            yield refuse(f"{path}.id_no", wrong)


def _person(path: str, person: Person | None, context: Context) -> Iterator[Finding]:
    if person is None or person.id_no is None:
        return
    if wrong := check_person_id(person.id_no, person.id_type, on=context.on):
        yield refuse(f"{path}.id_no", wrong)


def _days(context: Context, days: dict[str, dt.date | None]) -> Iterator[Finding]:
    for field, day in days.items():
        if day is not None and not context.on.year - FARTHEST_YEARS <= day.year <= context.on.year + FARTHEST_YEARS:
            yield refuse(field, "date_range", label=label_of(field))


def _ordered(first: str, start: dt.date | None, second: str, end: dt.date | None) -> Iterator[Finding]:
    if start is not None and end is not None and end < start:
        yield refuse(second, "date_order", later=label_of(second), earlier=label_of(first))
