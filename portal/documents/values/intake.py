"""受理通知书 at the beginning of a case and 办结通知书 at its end."""

from __future__ import annotations

import datetime as dt

from pydantic import AwareDatetime, Field

from portal.documents.values.head import Days, Head, Metres, Party, Short, Text, Values

REMEDIES = (
    "对办理时限、收费或者服务有疑问的，可以先拨打咨询电话或者到综合窗口询问。",
    "对答复不满意的，可以拨打 12345 政务服务便民热线投诉，也可以向供应单位的行业主管部门反映。",
    "认为行政机关的行为侵犯合法权益的，可以自知道之日起 60 日内申请行政复议，或者在 6 个月内提起行政诉讼。",
)


class StepLimit(Values):
    """One step of one provider: working days allowed, and the last day where it is known already."""

    stage_name: Short
    working_days: Days
    due_on: dt.date | None = None


class AcceptedUtility(Party):
    """One provider's part of the case. `cap_days` bounds the provider's own steps together, in working days."""

    service_level: Short | None = None
    steps: tuple[StepLimit, ...] = ()
    cap_days: Days | None = None
    note: Text | None = None


class Material(Values):
    """A paper handed in; `source` says how it came (上传、电子证照、窗口收取 …)."""

    title: Short
    source: Short | None = None


class OwedMaterial(Values):
    """容缺: a paper still owed, until which stage, and what happens without it."""

    title: Short
    due_stage: Short
    due_on: dt.date | None = None
    terms: Text | None = None


class NotServed(Values):
    """A utility no network of which is near the site. `nearest_m` in metres, `planned_year` of the network."""

    utility_name: Short
    reason: Text
    nearest_m: Metres | None = None
    planned_year: int | None = None
    alternative: Text | None = None


class AcceptanceNotice(Head):
    """受理通知书."""

    accepted_at: AwareDatetime
    utilities: tuple[AcceptedUtility, ...] = Field(min_length=1)
    materials: tuple[Material, ...]
    owed: tuple[OwedMaterial, ...] = ()
    not_served: tuple[NotServed, ...] = ()
    clerk: Short
    query_code: Short
    query_url: Short | None = None
    remedies: tuple[Text, ...] = REMEDIES


class ConnectedPoint(Party):
    """One supply point (户号 and meter number) that connection left behind."""

    account_no: Short
    meter_no: Short
    supply_point: Short | None = None
    opening_reading: Short | None = None
    multiplier: Short | None = None
    connected_at: AwareDatetime


class DaysUsed(Party):
    """Working days one provider took, pauses taken out; `limit_days` where the catalog sets one."""

    used_days: Days
    limit_days: Days | None = None


class CompletionNotice(Head):
    """办结通知书. `accepted_on` and `closed_on` are business dates."""

    accepted_on: dt.date
    closed_on: dt.date
    points: tuple[ConnectedPoint, ...]
    days_used: tuple[DaysUsed, ...] = ()
    notes: tuple[Text, ...] = ()

    @property
    def by_provider(self) -> tuple[tuple[ConnectedPoint, ...], ...]:
        """The points of each provider together, in the order providers first occur."""
        groups: dict[str, list[ConnectedPoint]] = {}
        for point in self.points:
            groups.setdefault(point.provider_name, []).append(point)
        return tuple(tuple(points) for points in groups.values())
