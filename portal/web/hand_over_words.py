"""How states, reasons and kinds of hand-overs are called on the pages."""

from __future__ import annotations

# state → (words, colour of the tag)
STATES = {
    "kept": ("留在工作台", "grey"),
    "pending": ("等待投递", "blue"),
    "leased": ("正在投递", "blue"),
    "delivered": ("已送达", "green"),
    "dead": ("多次失败", "red"),
    "gone": ("地址已停用", "red"),
    "unknown": ("是否送达不明", "red"),
}
INBOX_STATES = {
    "unmapped": ("有未对应的代码", "red"),
    "refused": ("未能办理", "yellow"),
    "stored": ("等待处理", "blue"),
    "applied": ("已办理", "green"),
}
REASONS = {
    "late": "未按时送达，工作台已接手",
    "dead": "多次投递失败",
    "gone": "接收地址已停用",
    "mismatch": "回读内容与发出的不一致",
    "unread": "对方已收下，但一直没有回读到",
    "unmapped": "有未对应的代码或字段",
    "refused": "状态消息未能办理",
    "notice": "支付通知与账目不符",
}
OWNERS = {"portal": "平台运维", "provider": "供应单位值班"}
RESOLUTIONS = {
    "delivered": "已送达",
    "desk": "已转工作台",
    "replayed": "已重新投递",
    "enabled": "地址已恢复",
    "applied": "已办理",
    "closed": "人工处理",
}
BREAKERS = {
    "closed": ("正常", "green"),
    "open": ("已断开", "red"),
    "trying": ("试探中", "yellow"),
    "held": ("按对方要求暂缓", "yellow"),
}
KINDS = {
    "task.issued": "派发任务",
    "task.changed": "任务变更",
    "task.withdrawn": "任务撤回",
    "task.reminded": "催办",
    "visit.fixed": "踏勘已约定",
    "visit.cancelled": "踏勘已取消",
    "reply.published": "答复已发布",
    "drawing.uploaded": "图纸已上传",
    "works.planned": "施工计划",
    "payment.received": "缴费到账",
    "settlement.paid": "结算付款",
    "test.ping": "连通测试",
    "notice": "值班短信",
    "order": "支付下单",
}
GROUPS = (
    ("alarm", "需要处理"),
    ("trouble", "未送达"),
    ("waiting", "等待投递"),
    ("kept", "留在工作台"),
    ("delivered", "已送达"),
    ("all", "全部"),
)


def all_words() -> dict[str, object]:
    """For templates."""
    return {
        "states": STATES,
        "inbox_states": INBOX_STATES,
        "reasons": REASONS,
        "owners": OWNERS,
        "resolutions": RESOLUTIONS,
        "breakers": BREAKERS,
        "kinds": KINDS,
        "groups": GROUPS,
    }
