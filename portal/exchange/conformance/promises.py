"""The promises of the provider protocol, as data: the one list behind score card, sandbox and adapter contract.

A check, a sandbox case and a contract test each name the promise they are about by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PROTOCOL = "v1"
Level = Literal["pull", "push", "two_way"]
LEVELS: tuple[Level, ...] = ("pull", "push", "two_way")
Side = Literal["takes", "holds", "calls"]
_ADDRESS: tuple[Level, ...] = ("push", "two_way")


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise. `side`: it takes our messages, holds the task for reading back, or calls us.

    `must`: without it there is no badge. `trial`: what to do in the sandbox to show that it is kept; `why` and `mend`
    are for the engineer who reads the result.
    """

    id: str
    side: Side
    levels: tuple[Level, ...]
    title: str
    english: str
    why: str
    mend: str
    must: bool = True
    trial: str = "运行检查，门户会向贵方地址发送测试消息。"


PROMISES: tuple[Promise, ...] = (
    Promise(
        "takes_a_signed_event",
        "takes",
        _ADDRESS,
        "收到签名正确的消息，15 秒内回复 2xx",
        "answers a signed event with 2xx within 15 s",
        "超过 15 秒或不是 2xx 的回复按未送达处理，门户会按重试表再发。",
        "先验签并存下消息，马上回复 202，再在后台处理。",
    ),
    Promise(
        "takes_test_ping",
        "takes",
        _ADDRESS,
        "收到 test.ping 回复 2xx",
        "answers test.ping with 2xx",
        "联通测试不带任务，回复失败会让人以为线路不通。",
        "对没有 task_id 的消息只回复 2xx，不作业务处理。",
    ),
    Promise(
        "takes_a_replay",
        "takes",
        _ADDRESS,
        "同一 webhook-id 再次收到，仍回复 2xx",
        "answers 2xx to the same webhook-id again",
        "门户不知道上一次是否送达时会重发；第二次报错会使消息一直重试。",
        "按 webhook-id 记住已收到的消息，重复的直接回复 2xx，不再处理。",
    ),
    Promise(
        "survives_one_id_with_another_body",
        "takes",
        _ADDRESS,
        "同一 webhook-id 带来另一份内容时，不改动已收下的内容",
        "keeps what it holds when an id comes again with another body",
        "编号相同而内容不同，不是门户正常发出的消息。",
        "按 webhook-id 去重；第二份回复 2xx 或 4xx 均可，但不能覆盖第一份，也不能报 5xx。",
    ),
    Promise(
        "takes_two_signatures",
        "takes",
        _ADDRESS,
        "密钥轮换期间带两个签名的消息，有一个相符即接受",
        "accepts a message with two signatures when one fits",
        "轮换签名密钥时，门户同时用新旧两个密钥签名。",
        "把 webhook-signature 按空格拆开，逐个比对，任何一个相符即可。",
    ),
    Promise(
        "ignores_unknown_fields",
        "takes",
        _ADDRESS,
        "消息里有不认识的字段时照常接受",
        "ignores fields it does not know",
        "门户以后会增加字段，不会改名。",
        "解析消息时忽略未知字段，不要用“多一个字段就报错”的模型。",
    ),
    Promise(
        "takes_a_large_event",
        "takes",
        _ADDRESS,
        "256 KiB 的消息照常接受",
        "accepts an event of 256 KiB",
        "大项目的任务文档可以有几百 KiB，上限为 1 MiB。",
        "把接收端和反向代理的请求体上限设为至少 1 MiB。",
    ),
    Promise(
        "refuses_a_foreign_signature",
        "takes",
        _ADDRESS,
        "别的密钥签的消息以 4xx 拒绝",
        "refuses a foreign signature with 4xx",
        "不验签就等于任何人都能派任务。",
        "用自己的 whsec_ 密钥重算签名，用恒定时间比较；不相符回复 401。",
    ),
    Promise(
        "refuses_an_altered_body",
        "takes",
        _ADDRESS,
        "签名后被改动的内容以 4xx 拒绝",
        "refuses a body altered after signing with 4xx",
        "签名覆盖原始字节，改动一个字节都应当发现。",
        "对收到的原始字节验签，不要先解析再拼回去。",
    ),
    Promise(
        "refuses_an_old_message",
        "takes",
        _ADDRESS,
        "时间相差超过 300 秒的消息以 4xx 拒绝",
        "refuses a message more than 300 s off with 4xx",
        "被截获的旧消息不应再次生效。",
        "比较 webhook-timestamp 与本机时间，过早或过晚超过 300 秒都回复 401，并给服务器校时。",
    ),
    Promise(
        "refuses_an_unsigned_message",
        "takes",
        _ADDRESS,
        "没有签名头的消息以 4xx 拒绝",
        "refuses an unsigned message with 4xx",
        "缺少签名的消息不是门户发出的。",
        "三个请求头缺一即回复 401。",
    ),
    Promise(
        "bounds_bodies",
        "takes",
        _ADDRESS,
        "过大的内容（8 MiB）不接收，且之后仍能正常服务",
        "does not take a body of 8 MiB, and still serves afterwards",
        "门户不会发出超过 1 MiB 的消息，更大的多半是攻击。",
        "读取前先看 Content-Length，超过上限回复 413 或断开。",
        must=False,
    ),
    Promise(
        "takes_revisions_out_of_order",
        "takes",
        _ADDRESS,
        "新旧版次颠倒到达时都回复 2xx，保留较新的版次",
        "takes revisions out of order and keeps the newer",
        "重试会使较早的消息后到。",
        "存任务时比较 revision，较旧的不覆盖较新的，但同样回复 2xx。",
    ),
    Promise(
        "reads_back",
        "holds",
        ("two_way",),
        "回读 GET /tasks/{task_id} 给出收到的任务",
        "gives the task it took at GET /tasks/{task_id}",
        "双向级靠回读确认贵方系统里的内容与发出的一致。",
        "收下任务后立即能按 task_id 读到，返回 task_id、revision 和 part。",
    ),
    Promise(
        "refuses_an_unsigned_read_back",
        "holds",
        ("two_way",),
        "没有签名的回读以 4xx 拒绝",
        "refuses an unsigned read-back with 4xx",
        "任务里有申请人的联系方式。",
        "回读同样带三个签名头（对空内容签名），验签不过回复 401。",
    ),
    Promise(
        "uses_its_key",
        "calls",
        LEVELS,
        "用访问密钥调用门户接口",
        "calls the portal with its bearer key",
        "每次调用都要带 Authorization: Bearer。",
        "把访问密钥完整填入配置，调用 GET /api/v1/ping 试一试。",
        trial="用沙箱的访问密钥调用 GET /ping。",
    ),
    Promise(
        "signs_its_reports",
        "calls",
        LEVELS,
        "回报带正确的签名",
        "signs its reports",
        "回报会改变办件，没有签名不受理。",
        "对要发送的原始字节签名：编号.时间.内容，三者用点号连接；编号里不能有点号。",
        trial="对任一沙箱任务发送一次签名的回报。",
    ),
    Promise(
        "reports_what_is_valid",
        "calls",
        LEVELS,
        "回报的内容符合协议",
        "sends reports that are valid",
        "字段不对的回报会被退回（422），不产生任何效果。",
        "按返回的 errors 逐项修改；时间要带时区，金额为整数分，没有列出的字段不要发送。",
        trial="按任务文档的 expects 发送回报。",
    ),
    Promise(
        "works_a_task_to_its_end",
        "calls",
        LEVELS,
        "把踏勘任务办完：报可到场时间，约定后报踏勘结论",
        "works a survey to its end: availability, then findings",
        "这是每个任务的基本过程：看 expects，报其中之一，再看返回的任务。",
        "每次回报后按返回的 task.expects 决定下一步，直到为空。",
        trial="对踏勘任务先报 availability，再报 findings。",
    ),
    Promise(
        "repeats_under_one_id",
        "calls",
        LEVELS,
        "门户暂时不可用（503）时，用同一 webhook-id 和同一内容重发",
        "repeats a report under the same id and bytes after 503",
        "换编号重发会使同一回报生效两次。",
        "发送前先存下编号和内容，重试时原样再发，并遵守 Retry-After。",
        trial="对答复任务发送回报；第一次会收到 503，请原样再发。",
    ),
    Promise(
        "waits_for_a_slow_portal",
        "calls",
        LEVELS,
        "门户回复慢（2 秒）时耐心等待，不换编号再发",
        "waits for an answer that takes 2 s",
        "网络慢不等于失败。",
        "把请求超时设为 15 秒以上；超时后用同一编号重发。",
        trial="对答复任务再发的回报会等 2 秒才得到回复，请耐心等待。",
    ),
    Promise(
        "heeds_stale_revision",
        "calls",
        LEVELS,
        "收到 409 stale_revision 后按新版次重新回报",
        "after 409 stale_revision answers the new revision",
        "任务在此期间有了新内容，按旧内容作的回报不算数。",
        "取返回的 task（或重新读取任务），按新内容用新的 webhook-id 回报，revision 写新的版次。",
        trial="对施工任务报 works；第一次会收到 409 stale_revision 和新版次。",
    ),
    Promise(
        "heeds_not_expected",
        "calls",
        LEVELS,
        "收到 409 not_expected 后不再重复该回报",
        "after 409 not_expected does not send the report again",
        "任务可能已撤回或已办结，反复发送没有用处。",
        "按返回的 expects 决定能报什么；为空就停止，等待新的消息。",
        trial="对验收任务报 acceptance；会收到 409 not_expected，任务已撤回，请停止。",
    ),
    Promise(
        "keeps_its_cursor",
        "calls",
        ("pull",),
        "用上一次返回的 next 继续读取任务列表",
        "goes on from the cursor it was given",
        "从头读取会越来越慢，也容易重复办理。",
        "把 next 存到磁盘，下次以 after=<next> 读取；可加 wait=30 长轮询。",
        trial="读取 GET /tasks，再以 after=<next> 读取一次。",
    ),
)
BY_ID: dict[str, Promise] = {promise.id: promise for promise in PROMISES}


def promises_for(level: Level) -> tuple[Promise, ...]:
    """What a provider at this level promises, in the order in which it is looked at."""
    return tuple(promise for promise in PROMISES if level in promise.levels)
