"""Values of the papers with prices in them: reply, contract, bill and receipt."""

from __future__ import annotations

from tests.documents.papers_parties import LONG_TEXT, UTILITIES, Values, head, long_head, party


def quote(count: int) -> list[Values]:
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


def option(code: str, lines: int, text: str) -> Values:
    return {
        "code": code,
        "title": "市政管网直接接入",
        "summary": text,
        "access_point": "经七路现状 DN300 管",
        "works_days": 12,
        "lines": quote(lines),
        "recommended_why": "工期最短，用户零投资" if code == "A" else None,
    }


def _replies(count: int) -> list[Values]:
    is_long = count > 3
    text = LONG_TEXT if is_long else "自经七路接出，直埋敷设。"
    return [
        party(i)
        | {
            "verdict": "conditional" if i % 2 else "approve",
            "options": [
                option(code, 40 if i == 1 and is_long else 2, text) for code in ("A", "B", "C", "D")[: 1 + i % 4]
            ],
            "conditions": [{"text": "建筑红线内管沟由用户先行完成。", "before_stage": "联合施工"}],
            "boundary": "红线外由供应单位投资建设，红线内由用户投资建设，以红线处阀门井为界。",
            "valid_until_on": "2027-11-23",
        }
        for i in range(count)
    ]


def joint_reply(count: int) -> Values:
    is_long = count > 3
    replies = _replies(count)
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
            for line in quote(5 if is_long else 2)
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
