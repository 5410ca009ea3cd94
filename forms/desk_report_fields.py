"""The forms of the desk: for each kind of report, its fields named by their dotted path in the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One field. `kind`: text, area, number, integer, decimal, date, moment, choice, flag.

    `choices`: name of a list the page provides (a group of the catalog's codes, or one of CHOICES).
    """

    name: str
    label: str
    kind: str = "text"
    choices: str = ""
    hint: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The same fields several times over, under `path`; empty rows do not count."""

    path: str
    title: str
    count: int
    entries: tuple[Entry, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The form of one kind of report."""

    title: str
    button: str
    parts: tuple[Entry | Rows, ...] = ()
    hint: str = ""


CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "conclusion": (("ready", "具备接入条件"), ("ready_with_conditions", "满足条件后可接入"), ("not_ready", "暂不具备")),
    "reply_verdict": (
        ("approve", "同意接入"),
        ("conditional", "有条件同意"),
        ("refuse", "不同意接入"),
        ("not_concerned", "不涉及本单位"),
        ("not_served", "附近没有管网"),
    ),
    "stage": (("review", "审图前"), ("works", "施工前"), ("acceptance", "验收前"), ("connection", "接通前")),
    "payer": (("user", "用户"), ("provider", "供应单位"), ("government", "政府")),
    "review_verdict": (("pass", "通过"), ("rework", "需要修改")),
    "severity": (("major", "必须修改"), ("minor", "建议修改")),
    "works_status": (("planned", "已排期"), ("started", "已开工"), ("finished", "已完工")),
    "acceptance_verdict": (("pass", "合格"), ("rectify", "限期整改"), ("fail", "不合格")),
    "mode": (("site", "现场验收"), ("remote", "远程验收")),
    "ok": (("yes", "合格"), ("no", "不合格")),
}

_REFUSAL = (
    Entry("reason_code", "原因", "choice", "reason"),
    Entry("basis", "依据", hint="写明文件或标准名称和条款"),
    Entry("would_change", "怎样改变后可以办理", "area"),
    Entry("alternative", "替代办法", "area"),
)
_QUESTION = (
    Entry("code", "类别", "choice", "question"),
    Entry("text", "要申请人补充什么", "area"),
    Entry("why", "为什么需要"),
    Entry("material_kind", "需要上传的材料（可不选）", "choice", "material"),
)
_QUOTE = (
    Entry("fee_item", "收费项目", "choice", "fee_items"),
    Entry("quantity", "数量", "decimal"),
    Entry("unit_price", "单价（元，按公布价可不填）"),
    Entry("payer", "由谁承担（按目录可不选）", "choice", "payer"),
)
_POINT = (Entry("account_no", "户号"), Entry("meter_no", "表号"), Entry("opening_reading", "起始读数", "decimal"))
_ITEM = (
    Entry("code", "项目", "choice", "acceptance"),
    Entry("measured", "实测值"),
    Entry("ok", "结论", "choice", "ok"),
    Entry("note", "说明"),
)

FORMS: dict[str, ReportForm] = {
    "received": ReportForm("签收", "签收这项任务", hint="签收只表示收到，不改变办理时限。"),
    "availability": ReportForm(
        "可以踏勘的时间",
        "提交时间",
        (
            Rows("slots", "时段", 3, (Entry("start_at", "开始", "moment"), Entry("end_at", "结束", "moment"))),
            Entry("people", "到场人员（多人用顿号隔开）"),
        ),
        hint="门户从各家的时间里找出共同时段，只约申请人一次。",
    ),
    "findings": ReportForm(
        "踏勘结果",
        "提交踏勘结果",
        (
            Entry("conclusion", "结论", "choice", "conclusion", needed=True),
            Entry("outside_line_m", "红线外新建线路（米）", "number", needed=True),
            Entry("access_point.description", "接入点位置", needed=True),
            Entry("access_point.location.lon", "接入点经度", "number"),
            Entry("access_point.location.lat", "接入点纬度", "number"),
        ),
    ),
    "line_check": ReportForm(
        "核对红线外线路",
        "提交核对结果",
        (Entry("outside_line_m", "红线外新建线路（米）", "number", needed=True), Entry("note", "说明", "area")),
    ),
    "reply": ReportForm(
        "答复",
        "提交答复",
        (
            Entry("verdict", "结论", "choice", "reply_verdict", needed=True),
            Entry("options.0.title", "方案名称", hint="同意接入时填写"),
            Entry("options.0.summary", "方案内容", "area"),
            Entry("options.0.works_days", "施工工作日", "integer"),
            Rows("options.0.quote", "报价", 5, _QUOTE, hint="只能选公布的收费项目，金额由系统计算；不收费则不填。"),
            Entry("investment_boundary", "投资界面", "area", hint="写明哪些由供应单位出资、哪些由用户出资"),
            Entry("valid_until_on", "有效期至", "date"),
            Rows(
                "conditions",
                "前置条件",
                2,
                (
                    Entry("code", "条件", "choice", "condition"),
                    Entry("text", "具体要求"),
                    Entry("before_stage", "何时之前", "choice", "stage"),
                ),
                hint="有条件同意时填写",
            ),
            *_REFUSAL,
            Entry("not_served.nearest_m", "最近的管网（米）", "number", hint="附近没有管网时填写"),
            Entry("not_served.planned_year", "计划延伸年份", "integer"),
        ),
        hint="不同意接入时，请填写原因、依据、怎样改变后可以办理和替代办法，由牵头部门先核定。",
    ),
    "quote_final": ReportForm(
        "终版报价",
        "提交终版报价，请申请人确认",
        (
            Rows("quote", "新的报价", 5, _QUOTE, hint="写全部费用，不只是有变化的；金额由系统计算。"),
            Entry("reason", "为什么调整", "area", needed=True, hint="申请人会看到"),
        ),
        hint="申请人确认之前，仍按原报价办理。",
    ),
    "review": ReportForm(
        "审图意见",
        "提交审图意见",
        (
            Entry("verdict", "结论", "choice", "review_verdict", needed=True),
            Entry("comment.location", "图上位置", hint="需要修改时填写"),
            Entry("comment.clause", "依据的条款"),
            Entry("comment.severity", "程度", "choice", "severity"),
            Entry("comment.text", "修改意见", "area"),
        ),
    ),
    "works": ReportForm(
        "施工进度",
        "提交施工进度",
        (
            Entry("status", "进度", "choice", "works_status", needed=True),
            Entry("window.start_on", "施工开始日期", "date", hint="已排期时填写"),
            Entry("window.end_on", "施工结束日期", "date"),
            Entry("needs_road_opening", "需要开挖道路", "flag"),
        ),
    ),
    "acceptance": ReportForm(
        "验收结论",
        "提交验收结论",
        (
            Entry("verdict", "结论", "choice", "acceptance_verdict", needed=True),
            Entry("mode", "方式", "choice", "mode", needed=True),
            Rows("items", "验收项目", 6, _ITEM),
            Entry("rectify_by_on", "整改期限", "date", hint="限期整改时填写"),
        ),
    ),
    "connected": ReportForm(
        "接通",
        "确认已接通",
        (Entry("connected_at", "接通时间", "moment", needed=True), Rows("points", "户号和表号", 3, _POINT)),
    ),
    "question": ReportForm(
        "请申请人补充",
        "发出补正事项",
        (Rows("items", "补正事项", 3, _QUESTION),),
        hint="请一次问全；等待期间办理时限暂停。",
    ),
    "pause": ReportForm(
        "暂停计时",
        "暂停",
        (
            Entry("reason_code", "原因", "choice", "pause", needed=True),
            Entry("evidence", "凭据", needed=True, hint="文件编号、照片编号等，留存备查"),
            Entry("note", "说明", "area"),
        ),
    ),
    "resume": ReportForm("恢复计时", "恢复", (Entry("evidence", "凭据"), Entry("note", "说明", "area"))),
    "extension": ReportForm(
        "申请延期",
        "申请延期",
        (
            Entry("until_on", "延期至", "date", needed=True),
            Entry("reason", "原因", "area", needed=True),
            Entry("evidence", "凭据", needed=True),
        ),
        hint="只能在到期之前申请。",
    ),
    "declined": ReportForm("不予办理", "提交，由牵头部门核定", _REFUSAL),
}
