"""The forms of the desk: for each kind of report, its fields named by their dotted path in the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One field. `kind`: text, area, number, integer, decimal, date, moment, choice, flag, line (points).

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
    "pressure": (("low", "低压"), ("medium_b", "中压 B"), ("medium_a", "中压 A"), ("high", "高压")),
    "chosen_by": (("applicant", "申请人自选"),),
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
    Entry("field", "涉及申请的哪一项（可不填）", hint="申请中的项目名，例如 utilities.water.daily_m3"),
    Entry("reason_if_late", "为什么没有和第一批一起问", hint="一次性告知已经发出后再问时必填"),
)
_QUOTE = (
    Entry("fee_item", "收费项目", "choice", "fee_items"),
    Entry("quantity", "数量", "decimal"),
    Entry("unit_price", "单价（元，按公布价可不填）"),
    Entry("payer", "由谁承担（按目录可不选）", "choice", "payer"),
)
_POINT = (
    Entry("account_no", "户号"),
    Entry("meter_no", "表号"),
    Entry("opening_reading", "起始读数", "decimal"),
    Entry("multiplier", "倍率", "decimal"),
    Entry("supply_point", "供应点位置"),
    Entry("seal_no", "封印号"),
    Entry("room", "房号"),
    Entry("holder", "户名（与申请人不同时填写）"),
)
_SIZES = (
    Entry("line_length_m", "线路总长（米）", "number"),
    Entry("pipe_dn_mm", "管径（DN，毫米）", "integer"),
    Entry("capacity_kva", "容量（kVA）", "number"),
    Entry("voltage", "电压"),
    Entry("pressure", "压力级制", "choice", "pressure"),
    Entry("peak_m3_h", "高峰流量（m³/h）", "number"),
    Entry("heat_load_kw", "热负荷（kW）", "number"),
    Entry("fibre_cores", "光缆芯数", "integer"),
)
_TRENCH = (
    Entry("trench.route", "开挖路由", "line", hint="每行一个点：经度，纬度；至少两个点。不开挖则四项都不填"),
    Entry("trench.depth_m", "沟深（米）", "number"),
    Entry("trench.width_m", "沟宽（米）", "number"),
    Entry("trench.clearance_m", "与其他管线的净距（米）", "number"),
)


def _option(index: int, name: str, hint: str) -> tuple[Entry | Rows, ...]:
    path = f"options.{index}"
    return (
        Entry(f"{path}.title", f"{name}名称", hint=hint),
        Entry(f"{path}.summary", f"{name}内容", "area"),
        Entry(f"{path}.access_point.description", f"{name}的接入点"),
        Entry(f"{path}.works_days", f"{name}的施工工作日", "integer"),
        Rows(f"{path}.quote", f"{name}的报价", 5, _QUOTE, hint="只能选公布的收费项目，金额由系统计算；不收费则不填。"),
        Entry(f"{path}.recommended_why", f"推荐{name}的理由", hint="不推荐则不填"),
    )


_ITEM = (
    Entry("code", "项目", "choice", "acceptance"),
    Entry("measured", "实测值"),
    Entry("ok", "结论", "choice", "ok"),
    Entry("note", "说明"),
    Entry("photo", "照片编号"),
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
            *_SIZES,
            *_TRENCH,
            Entry("obstacles", "障碍物（多个用顿号隔开）"),
            Entry("photos", "照片编号（多个用顿号隔开）"),
            Entry("note", "其他说明", "area"),
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
            *_option(0, "方案一", "同意接入时填写"),
            *_option(1, "方案二", "有第二个方案时填写，申请人从中选一个"),
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
            Rows(
                "comments",
                "修改意见",
                5,
                (
                    Entry("location", "图上位置"),
                    Entry("clause", "依据的条款"),
                    Entry("severity", "程度", "choice", "severity"),
                    Entry("text", "修改意见"),
                ),
                hint="需要修改时逐条填写",
            ),
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
            Entry("user_works.contractor", "用户工程的施工单位", hint="用户出资的部分由申请人自选单位，这里只核对资质"),
            Entry("user_works.designer", "用户工程的设计单位"),
            Entry("user_works.licence_no", "施工单位资质证书编号"),
            Entry("user_works.chosen_by", "由谁选定", "choice", "chosen_by"),
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
