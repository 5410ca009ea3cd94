"""The timeline of a case in plain sentences, by a table: what happened, said as a person at the window would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portal.cases.tables import CaseEvent
from portal.journey.notices import STAGE_NAMES
from portal.kernel.money import format_yuan

# {who}: the provider or office; {stage}: the stage's name; {amount}, {version}, {part}: from the event's facts.
SENTENCES: dict[str, str] = {
    "accepted": "申请已受理，联合办件开始办理。",
    "stage_opened": "进入“{stage}”环节。",
    "stage_closed": "“{stage}”环节已完成。",
    "task_issued": "{who}的“{stage}”任务已派出。",
    "report_received": "{who}已签收“{stage}”任务。",
    "report_declined": "{who}对“{stage}”任务提出意见，将由牵头部门核定。",
    "report_question": "{who}提出补正事项，请您答复。",
    "report_line_check": "{who}核对了红线外管线情况。",
    "report_pause": "{who}的“{stage}”任务暂停计时。",
    "report_resume": "{who}的“{stage}”任务恢复计时。",
    "report_extension": "{who}申请延长“{stage}”的办理时间。",
    "report_availability": "{who}提供了可以上门踏勘的时间。",
    "report_findings": "{who}提交了踏勘结果。",
    "report_reply": "{who}提交了答复。",
    "report_review": "{who}提交了审图意见。",
    "report_works": "{who}更新了施工进度。",
    "report_acceptance": "{who}提交了验收意见。",
    "report_connected": "{who}报告已经接通，请您确认。",
    "visit_offered": "各单位的时间已经凑齐，请您选择上门踏勘的时间。",
    "visit_declined": "您对上门时间另有要求，正在重新安排。",
    "visit_called_off": "{who}不能按原定时间上门，正在重新安排。",
    "visit_fixed": "上门踏勘时间已经约定。",
    "visit_not_found": "各单位的时间暂时凑不到一起，正在重新协调上门时间。",
    "line_corrected": "{who}核对后调整了红线外管线长度，办理环节随之更新。",
    "reply_issued": "联合答复已出具（第 {part} 部分）。",
    "reply_confirmed": "您已确认答复方案。",
    "contracts_signed": "供用合同已签署。",
    "rework_asked": "{who}要求修改图纸，请您上传新版本。",
    "drawing_uploaded": "已向{who}提交图纸第 {version} 版。",
    "permits_needed": "本项目需要办理外线施工许可。",
    "permit_granted": "{who}已批准外线施工许可。",
    "rectification_asked": "{who}要求整改，整改后再次验收。",
    "conflict_found": "各单位的答复之间有冲突，正在由牵头部门和有关单位核定。",
    "conflict_proposed": "{who}对冲突提出了处理意见。",
    "conflict_settled": "答复之间的冲突已经核定。",
    "works_planned_jointly": "各单位的开挖已合并为一次，正在统一办理道路挖掘许可。",
    "neighbours_called": "已征询附近其他单位是否一同敷设管线。",
    "works_plan_issued": "联合施工计划已出具。",
    "late_passed_by": "{who}的“{stage}”尚未办完，其他单位先行办理，不再等待。",
    "reminded": "{who}的“{stage}”已超期，系统已催办。",
    "question_answered": "您已答复{who}的补正事项。",
    "decision_asked": "{who}的意见已提请牵头部门核定。",
    "report_quote_final": "{who}提交了终版报价，请您确认。",
    "quote_decided": "您对{who}的终版报价作出了答复。",
    "hand_over_failed": "任务暂时没有送达{who}的系统，已改由工作人员跟进。",
    "status_noted": "{who}更新了内部办理进度。",
    "bill_changed": "{who}的费用有变化，账单已更正；多缴的部分已登记退还。",
    "acceptance_ended": "{who}的验收未能通过，牵头部门已核定终止该单位的办理。",
    "decided": "牵头部门已对{who}的意见作出核定。",
    "flow_confirmed": "您已确认{who}接通。",
    "payment_captured": "收到缴费 {amount} 元。",
    "payment_unallocated": "收到一笔过期订单的缴费 {amount} 元，工作人员将与您联系退款或核对。",
    "payment_mismatch": "一笔缴费的金额需要核对，工作人员正在处理。",
    "payment_refused": "支付平台未接受一笔缴费，请重新发起。",
    "closed": "全部接通，办件已办结。",
}
OTHERWISE = "办件有新的进展。"


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One sentence and when it happened."""

    at: dt.datetime
    text: str


def timeline(
    events: Iterable[CaseEvent], names: Mapping[str, str], task_owners: Mapping[str, tuple[str, str]]
) -> tuple[TimelineRow, ...]:
    """Newest first. `task_owners`: task id → (provider, stage), for events that tell neither."""
    rows = [TimelineRow(event.at, _sentence(event, names, task_owners)) for event in events]
    return tuple(reversed(rows))


def _sentence(event: CaseEvent, names: Mapping[str, str], task_owners: Mapping[str, tuple[str, str]]) -> str:
    provider, stage = task_owners.get(event.task_id or "", ("", ""))
    provider, stage = event.facts.get("provider", provider), event.facts.get("stage", stage)
    amount = event.facts.get("amount_fen")
    return SENTENCES.get(event.kind, OTHERWISE).format(
        who=names.get(provider, "有关单位"),
        stage=STAGE_NAMES.get(stage, "办理"),
        amount="" if amount is None else format_yuan(amount),
        version=event.facts.get("version", ""),
        part=event.facts.get("part", ""),
    )
