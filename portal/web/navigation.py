"""What the head of the page offers: the entries the actor may open, in the order people need them."""

from __future__ import annotations

from portal.kernel.policy import Actor, may

# (action that opens it, address, words)
ENTRIES = (
    ("application.start", "/applications/new", "我要申请"),
    ("application.list", "/cases", "我的办件"),
    ("counter.list", "/counter", "窗口受理"),
    ("desk.list", "/desk", "供应单位工作台"),
    ("agency.list", "/agency", "牵头部门"),
    ("oversight.view", "/oversight", "监管"),
    ("finance.view", "/finance", "资金"),
    ("exchange.list", "/hand-overs", "消息交接"),
    ("health.view", "/health", "运行状况"),
)


def entries_for(actor: Actor) -> list[dict[str, str]]:
    """The entries for this actor; nothing before signing in."""
    if actor.kind != "person":
        return []
    allowed = [entry for entry in ENTRIES if may(actor, entry[0])]
    if "applicant" not in actor.roles:
        allowed = [entry for entry in allowed if entry[1] != "/cases"]
    return [{"href": href, "text": text} for _, href, text in allowed]
