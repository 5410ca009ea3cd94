"""Values of the papers that tell how a case goes on, from acceptance to completion."""

from __future__ import annotations

from tests.documents.papers_parties import AT, LONG_TEXT, UTILITIES, Values, head, long_head, party


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
