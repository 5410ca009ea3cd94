"""Who stands in the papers of the tests, and their common head, short and as long as the city can make it."""

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
