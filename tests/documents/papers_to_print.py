"""Realistic values for every kind: a short paper, and one as long as the city can make it."""

from __future__ import annotations

from typing import Any

Values = dict[str, Any]

UTILITIES = (
    ("供水", "巴彦淖尔市临河区河源供水有限责任公司"),
    ("供电", "国网内蒙古东部电力有限公司临河区供电分公司"),
    ("燃气", "临河区蒙西管道燃气有限责任公司"),
    ("供热", "巴彦淖尔市富源热力有限责任公司"),
    ("网络", "中国电信股份有限公司巴彦淖尔分公司"),
    ("网络", "中国移动通信集团内蒙古有限公司巴彦淖尔分公司"),
    ("网络", "中国联合网络通信有限公司巴彦淖尔市分公司"),
    ("网络", "中国广电内蒙古网络有限公司巴彦淖尔分公司"),
)
LONG_TEXT = (
    "自经七路现状 DN300 球墨铸铁管接出，沿纬三路北侧绿化带向东敷设，穿越园区主干道处采用顶管施工，"
    "顶管两端各设工作井一座，井位避让既有 10 kV 电缆和通信管道，接入地块西北角水表井。"
)
AT = "2026-11-24T09:30:00+08:00"


def head(number: str) -> Values:
    return {
        "number": number,
        "issuer": "巴彦淖尔市政务服务与数据管理局",
        "issued_on": "2026-11-23",
        "applicant": "巴彦淖尔市河套红果食品有限公司",
        "project_name": "年产6万吨番茄制品深加工项目",
        "project_code": "2605-150802-04-01-318264",
        "address": "巴彦淖尔经济技术开发区纬三路北侧",
        "application_no": "SQ261123-7QK2MX",
        "case_no": "LB261123-4H8WZT",
        "hotline": "0478-12345",
    }


def long_head(number: str) -> Values:
    return head(number) | {
        "applicant": "内蒙古自治区巴彦淖尔市河套灌区现代农牧业高质量发展示范园区番茄精深加工及冷链物流投资开发集团"
        "股份有限公司",
        "project_name": "巴彦淖尔市临河区国家现代农业产业园年产60万吨番茄制品精深加工及配套冷链仓储物流、职工公寓、"
        "综合办公和污水处理基础设施一体化建设项目（一期、二期及远期预留）",
        "address": "内蒙古自治区巴彦淖尔市临河区巴彦淖尔经济技术开发区纬三路北侧、经七路东侧、"
        "规划八路南侧地块（原农资仓库西邻）",
    }


def party(index: int) -> Values:
    utility, provider = UTILITIES[index]
    return {"utility_name": utility, "provider_name": provider}


def _steps() -> list[Values]:
    return [
        {"stage_name": "联合踏勘", "working_days": 2},
        {"stage_name": "方案答复", "working_days": 0.5, "due_on": "2026-11-27"},
        {"stage_name": "联合审图", "working_days": 5},
        {"stage_name": "联合验收", "working_days": 3},
        {"stage_name": "接通", "working_days": 1},
    ]


def acceptance_notice(count: int) -> Values:
    is_long = count > 3
    return (long_head if is_long else head)("LB261123-4H8WZT-SL") | {
        "accepted_at": "2026-11-23T09:12:00+08:00",
        "utilities": [
            party(i) | {"service_level": "高压单电源", "steps": _steps()[: count + 1], "cap_days": 22}
            for i in range(count)
        ],
        "materials": [
            {"title": title, "source": "电子证照库"}
            for title in ("营业执照", "不动产权证书", "建设用地规划许可证", "项目红线图", "授权委托书")[: count + 2]
        ],
        "owed": [
            {"title": "建设工程规划许可证", "due_stage": "联合审图", "due_on": "2027-01-15", "terms": LONG_TEXT[:60]},
            {"title": "消防设计审查意见书", "due_stage": "联合验收"},
        ][: 2 if is_long else 1],
        "not_served": [
            {
                "utility_name": "燃气",
                "reason": "项目所在地周边没有管道燃气。",
                "nearest_m": 3400,
                "planned_year": 2028,
                "alternative": "可以使用瓶组供气，或者以电代气。",
            }
        ]
        if is_long
        else [],
        "clerk": "张敏",
        "query_code": "7K2M9QXR",
    }


def survey_record(count: int) -> Values:
    is_long = count > 3
    finding: Values = {
        "conclusion": "ready_with_conditions",
        "access_point": LONG_TEXT if is_long else "经七路现状 DN300 管，地块西北角",
        "outside_line_m": 320,
        "line_length_m": 345.5,
        "parameters": [{"label": "管径", "value": "DN200"}, {"label": "设计压力", "value": "0.35 MPa"}],
        "trench": {"length_m": 310, "depth_m": 1.8, "width_m": 1.2, "clearance_m": 0.5},
        "obstacles": "穿越园区主干道一处",
        "surveyor": "赵强",
        "photos": 6,
    }
    verdicts = ("ready", "ready_with_conditions", "not_ready")
    return (long_head if is_long else head)("LB261123-4H8WZT-TK") | {
        "start_at": AT,
        "end_at": "2026-11-24T10:30:00+08:00",
        "site_contact": "李某 13904780002",
        "attendees": [
            {"name": "赵强", "organisation": UTILITIES[i][1], "signed_at": "2026-11-24T10:25:00+08:00"}
            for i in range(count)
        ],
        "absent": [{"provider_name": UTILITIES[4][1], "reason": "道路积雪未能到场"}] if is_long else [],
        "findings": [party(i) | finding | {"conclusion": verdicts[i % 3]} for i in range(count)],
        "trench_advice": "供水、供热沿纬三路北侧同沟敷设 290 米，一次开挖。",
    }


def _quote(count: int) -> list[Values]:
    return [
        {
            "item": f"{'高压电缆敷设（含电缆沟、过路保护管及恢复）' if i % 3 else '水表安装'}第 {i + 1} 项",
            "quantity": "1250.5",
            "unit": "米" if i % 3 else "只",
            "unit_price_fen": 12_345_678 if i % 7 == 0 else 23_450,
            "amount_fen": 12_345_678_901 if i % 7 == 0 else 29_324_225,
            "payer": ("user", "provider", "government")[i % 3],
            "basis": "内发改价费字〔2025〕118号 第三条",
        }
        for i in range(count)
    ]


def _option(code: str, lines: int, text: str) -> Values:
    return {
        "code": code,
        "title": "市政管网直接接入",
        "summary": text,
        "access_point": "经七路现状 DN300 管",
        "works_days": 12,
        "lines": _quote(lines),
        "recommended_why": "工期最短，用户零投资" if code == "A" else None,
    }


def joint_reply(count: int) -> Values:
    is_long = count > 3
    text = LONG_TEXT if is_long else "自经七路接出，直埋敷设。"
    replies = [
        party(i)
        | {
            "verdict": "conditional" if i % 2 else "approve",
            "options": [
                _option(code, 40 if i == 1 and is_long else 2, text) for code in ("A", "B", "C", "D")[: 1 + i % 4]
            ],
            "conditions": [{"text": "建筑红线内管沟由用户先行完成。", "before_stage": "联合施工"}],
            "boundary": "红线外由供应单位投资建设，红线内由用户投资建设，以红线处阀门井为界。",
            "valid_until_on": "2027-11-23",
        }
        for i in range(count)
    ]
    if not is_long:
        return head("LB261123-4H8WZT-DF1") | {"replies": replies, "confirm_by_on": "2026-12-07"}
    replies[-1] = party(7) | {
        "verdict": "not_served",
        "nearest_m": 2600,
        "planned_year": 2028,
        "alternative": "可选用其他运营商。",
        "explanation": "该区域暂无光缆。",
    }
    return long_head("LB261123-4H8WZT-DF2") | {
        "part": 2,
        "replies": replies,
        "late": [party(6) | {"due_on": "2026-11-30"}],
        "refused": [
            party(2)
            | {
                "reason": "上游调压站负荷已满，" + LONG_TEXT,
                "basis": "《城镇燃气管理条例》第十八条",
                "would_change": "2027 年 6 月调压站扩容后即可接入。",
                "alternative": "先行瓶组供气。",
            }
        ],
        "conflicts": ["供水与供热在纬三路北侧平面净距不足 1.0 米，已商定供热线位南移 0.6 米（GB 50289）。"],
        "supplement_note": "本补充答复书与 2026年11月23日 的联合答复书一并有效。",
        "notes": ["费用以本答复书所列项目为限，未列明的项目不收费。"],
    }


def review_opinion(count: int) -> Values:
    comment: Values = {
        "drawing": "给水总平面图",
        "location": "K0+120—K0+180",
        "clause": "GB 50289-2016 第 4.1.9 条",
        "severity": "must",
        "text": LONG_TEXT if count > 3 else "给水管与热力管水平净距应不小于 1.5 米。",
    }
    return (long_head if count > 3 else head)("LB261123-4H8WZT-ST1") | {
        "round": 1,
        "drawings": [
            {"title": "给水总平面图", "version": 2, "sha256": "9f86d081884c7d65" * 4, "provider_name": UTILITIES[i][1]}
            for i in range(count)
        ],
        "opinions": [
            party(i)
            | {
                "verdict": "rework" if i % 2 == 0 else "pass",
                "comments": [comment | {"severity": s} for s in ("must", "should", "note")] if i % 2 == 0 else [],
            }
            for i in range(count)
        ],
        "clashes": [
            {
                "between": "给水 DN200 与热力 DN150",
                "location": "纬三路北侧 K0+120",
                "required_m": 1.5,
                "found_m": 0.9,
                "basis": "GB 50289-2016 表 4.1.9",
            }
        ],
        "resubmit_by_on": "2026-12-11",
    }


def works_plan(count: int) -> Values:
    is_long = count > 3
    return (long_head if is_long else head)("LB261123-4H8WZT-SG") | {
        "windows": [
            party(i)
            | {
                "start_on": f"2027-04-{1 + 3 * i:02d}",
                "end_on": f"2027-05-{2 + 3 * i:02d}",
                "content": LONG_TEXT if is_long else "管沟开挖、管道敷设、回填和路面恢复。",
                "contractor": "内蒙古河套市政工程有限公司",
                "needs_road_opening": i % 2 == 0,
            }
            for i in range(count)
        ],
        "trenches": [
            {"route": "纬三路北侧 K0+000—K0+290", "members": ["供水", "供热"], "shared_m": 290, "separate_m": 580},
            {"route": "经七路东侧", "members": ["供电", "网络"], "shared_m": 118.5, "separate_m": 237},
        ],
        "permits": [
            {
                "kind_name": "挖掘城市道路许可",
                "office_name": "临河区综合行政执法局",
                "permit_no": "临执挖〔2027〕18号",
                "valid_until_on": "2027-05-31",
            },
            {"kind_name": "占用绿地许可", "office_name": "临河区园林绿化服务中心"},
        ],
        "site_contact": "李某 13904780002",
        "notes": ["冻土期（11 月 15 日至次年 3 月 15 日）不安排开挖。", "夜间 22 时至次日 6 时不进行噪声作业。"],
    }


def acceptance_opinion(count: int) -> Values:
    verdicts = ("pass", "rectify", "fail")
    return (long_head if count > 3 else head)("LB261123-4H8WZT-YS") | {
        "inspected_at": "2027-05-20T14:00:00+08:00",
        "inspections": [
            party(i)
            | {
                "verdict": verdicts[i % 3] if count > 3 else "pass",
                "mode": "remote" if i == 4 else "site",
                "inspector": "王磊",
                "items": [
                    {"title": "强度试验", "measured": "0.6 MPa，30 分钟压降 0", "ok": True},
                    {
                        "title": "可燃气体报警器联动切断阀",
                        "measured": "3 秒",
                        "ok": i % 3 == 0 or count <= 3,
                        "note": LONG_TEXT if count > 3 else None,
                    },
                ],
                "rectify_by_on": "2027-05-27" if i % 3 == 1 and count > 3 else None,
                "recheck": "5 月 26 日复验合格。" if i % 3 == 1 else None,
            }
            for i in range(count)
        ],
    }


def supply_contract(count: int) -> Values:
    is_long = count > 3
    return (long_head if is_long else head)("LB261123-4H8WZT-HT-power") | {
        "issuer": UTILITIES[1][1],
        "title": "供用电合同",
        "utility": "power",
        "supplier": {
            "name": UTILITIES[1][1],
            "identity_no": "91150802MA0N0K3E1X",
            "address": "临河区胜利南路 18 号",
            "representative": "孙伟",
            "phone": "95598",
        },
        "user": {
            "name": (long_head if is_long else head)("x")["applicant"],
            "identity_no": "91150802MA13K7X265",
            "address": "巴彦淖尔经济技术开发区",
            "representative": "王某",
            "contact": "李某",
            "phone": "13904780002",
        },
        "supply_point": LONG_TEXT if is_long else "110 kV 园区变 10 kV 915 线 12 号杆",
        "capacity": "2000 kVA",
        "terms": [{"label": "供电电压", "value": "10 kV"}, {"label": "计量方式", "value": "高供高计，倍率 2000"}],
        "prices": [
            {"item": "电度电价（大工业）", "unit": "千瓦时", "basis": "按政府公布的目录和市场交易价格执行"},
            {
                "item": "高可靠性供电费",
                "quantity": "2000",
                "unit": "kVA",
                "unit_price_fen": 18_000,
                "amount_fen": 36_000_000,
                "basis": "内发改价字〔2018〕1034号",
            },
        ],
        "user_signature": {"by": "王某", "at": "2026-12-02T10:11:00+08:00"} if is_long else None,
        "supplier_signature": {"by": "孙伟", "at": "2026-12-02T16:40:00+08:00"} if is_long else None,
    }


def joint_bill(count: int) -> Values:
    is_long = count > 3
    payees = []
    for i in range(count):
        lines = [
            {key: line[key] for key in ("item", "quantity", "unit", "unit_price_fen", "amount_fen", "basis")}
            for line in _quote(5 if is_long else 2)
        ]
        payees.append(
            {
                "payee": UTILITIES[i][1],
                "lines": lines,
                "merged": i != 4,
                "pay_before": "联合施工" if i % 2 == 0 else "接通",
            }
        )
    return (long_head if is_long else head)("LB261123-4H8WZT-ZD1") | {
        "payer": "巴彦淖尔市河套红果食品有限公司",
        "due_on": "2026-12-22",
        "payees": payees,
        "total_fen": sum(line["amount_fen"] for payee in payees for line in payee["lines"]),
        "pay_url": "http://127.0.0.1:8080/cases/LB261123-4H8WZT",
        "notes": ["本账单各项均在公示收费清单内。"],
    }


def payment_receipt(count: int) -> Values:
    shares = [{"payee": UTILITIES[i][1], "amount_fen": 1_234_567 * (i + 1)} for i in range(count)]
    amount = sum(share["amount_fen"] for share in shares)
    orders = [
        {
            "order_no": f"ZF261224-00000{n}",
            "transaction_no": "4200002026122408153300018822",
            "channel": "数字人民币",
            "paid_at": "2026-12-24T08:15:33+08:00",
            "amount_fen": amount,
            "shares": shares,
        }
        for n in range(1 if count <= 3 else 4)
    ]
    return (long_head if count > 3 else head)("LB261123-4H8WZT-PZ1") | {
        "payer": "巴彦淖尔市河套红果食品有限公司",
        "bill_no": "LB261123-4H8WZT-ZD1",
        "orders": orders,
        "total_fen": amount * len(orders),
    }


def completion_notice(count: int) -> Values:
    rooms = 1 if count <= 3 else 25
    return (long_head if count > 3 else head)("LB261123-4H8WZT-BJ") | {
        "accepted_on": "2026-11-23",
        "closed_on": "2027-06-02",
        "points": [
            party(i)
            | {
                "account_no": f"0478{i:02d}{room:06d}",
                "meter_no": f"JL2026{i:02d}{room:05d}",
                "supply_point": "1 号厂房配电室" if rooms == 1 else f"3 号楼 2 单元 {100 + room} 室",
                "opening_reading": "0",
                "multiplier": "2000" if i == 1 else "1",
                "connected_at": "2027-06-01T11:20:00+08:00",
            }
            for i in range(count)
            for room in range(rooms)
        ],
        "days_used": [party(i) | {"used_days": 9.5, "limit_days": 22} for i in range(count)],
    }


MAKERS = {
    maker.__name__: maker
    for maker in (
        acceptance_notice,
        survey_record,
        joint_reply,
        review_opinion,
        works_plan,
        acceptance_opinion,
        supply_contract,
        joint_bill,
        payment_receipt,
        completion_notice,
    )
}


def short_values(kind: str) -> Values:
    """Two providers, short texts."""
    return MAKERS[kind](2)


def long_values(kind: str) -> Values:
    """Eight providers, long names and texts, forty quote lines."""
    return MAKERS[kind](8)
