"""What the applicant reads: names of fields, and one sentence per kind of mistake that says how to mend it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import ErrorDetails

LABELS: Mapping[str, str] = {
    "account_no": "户号",
    "added_kva": "新增容量（千伏安）",
    "added_kw": "新增负荷（千瓦）",
    "address": "详细地址",
    "agent": "委托代理人",
    "annual_m3": "年用量（立方米）",
    "applicant": "申请人",
    "applicant.kind": "申请人类型",
    "bandwidth_mbps": "带宽（兆）",
    "bank": "开户银行",
    "bank_account": "银行账号",
    "boundary": "用地红线",
    "channel": "申请渠道",
    "code": "项目代码",
    "consents": "授权与承诺",
    "contact": "联系人",
    "count": "台数",
    "daily_m3": "日用量（立方米）",
    "division": "所在旗县区",
    "drainage": "排水去向",
    "email": "电子邮箱",
    "file": "材料文件",
    "first_season": "首次供热季",
    "floor_area_above_m2": "地上建筑面积",
    "heat_load_kw": "热负荷（千瓦）",
    "heated_area_m2": "供热面积（平方米）",
    "id_no": "证件号码",
    "id_type": "证件类型",
    "industry": "行业",
    "investment_wan": "投资额（万元）",
    "invoice": "开票信息",
    "kind": "办理类型",
    "kw": "功率（千瓦）",
    "last_day_on": "最后使用日期",
    "lat": "纬度",
    "legal_representative": "法定代表人",
    "load_class": "用电类别",
    "load_grade": "负荷等级",
    "location": "位置坐标",
    "lon": "经度",
    "materials": "申请材料",
    "merged_bill": "是否合并账单",
    "mobile": "手机号码",
    "name": "名称",
    "new_class": "变更后的类别",
    "notice_version": "告知书版本",
    "operators": "运营商",
    "outside_line_estimate_m": "红线外管线估计长度",
    "peak_hour_m3": "最大小时用水量",
    "peak_m3_h": "高峰小时用气量",
    "pipe_dn_mm": "管径",
    "planned_finish_on": "计划竣工日期",
    "planned_start_on": "计划开工日期",
    "pressure": "用气压力",
    "previous_holder": "原户主",
    "previous_holder.kind": "原户主类型",
    "project": "项目",
    "promise_terms": "容缺承诺",
    "property_unit_no": "不动产单元号",
    "refund_account": "退费账户",
    "service": "网络业务",
    "site": "用能地址",
    "source": "材料来源",
    "sources": "电源数量",
    "start_at": "开始时间",
    "end_at": "结束时间",
    "street": "所在街道（苏木乡镇）",
    "survey_wishes": "希望踏勘的时间",
    "tax_no": "纳税人识别号",
    "temporary_kva": "临时用电容量（千伏安）",
    "temporary_until_on": "临时使用截止日期",
    "temporary_wanted_on": "临时使用开始日期",
    "title": "发票抬头",
    "uscc": "统一社会信用代码",
    "use": "用途",
    "utilities": "办理的专业",
    "voltage": "电压等级",
    "wanted_on": "希望接通日期",
}

MATERIAL_TITLES: Mapping[str, str] = {
    "business_licence": "营业执照",
    "id_card": "身份证",
    "property_right": "不动产权证",
    "lease": "租赁合同",
    "owner_consent": "产权人同意书",
    "planning_permit": "建设工程规划许可证",
    "construction_permit": "建筑工程施工许可证",
    "red_line_map": "用地红线图",
    "site_plan": "总平面图",
    "load_calculation": "用电负荷计算书",
    "hydraulic_calculation": "水力计算书",
    "heating_drawings": "采暖施工图",
    "authorisation_letter": "授权委托书",
    "equipment_list": "用电设备清单",
    "settlement_proof": "费用结清证明",
}

# Findings of our own checks, by code.
TEXTS: Mapping[str, str] = {
    "account_needed": "请填写户号，可在缴费单或表计上找到。",
    "agent_letter": "由代理人办理时，请上传授权委托书。",
    "already_used": "这个文件已用于另一份申请，请重新上传。",
    "boundary": "用地红线应为首尾相接的多边形，每个点写明经度、纬度；请重新勾画或不填。",
    "channel": "申请渠道由系统认定为“{channel}”，请删去此项或改为一致。",
    "date_order": "{later}不能早于{earlier}，请核对。",
    "date_past": "{label}已过，请工作人员与申请人确认新的日期。",
    "date_range": "{label}超出合理范围，请核对年份。",
    "division": "所选旗县区不在本市，请从列表中选择。",
    "file_unknown": "找不到这个文件，请重新上传。",
    "id_check": "证件号码校验位不符，请对照身份证核对。",
    "id_date": "证件号码中的出生日期有误，请对照身份证核对。",
    "id_needed": "个人申请请填写证件号码。",
    "id_shape": "证件号码格式有误：身份证为 18 位，末位可为 X。",
    "letter_consent": "未同意调用“{title}”，请补充授权或上传；不影响先受理。",
    "load_class_assumed": "申请人不清楚用电容量，用电类别暂按“{value}”登记，请踏勘时确认。",
    "main_missing": "请提供“{title}”，这是申请的必备材料。",
    "main_promised": "“{title}”是必备材料，不能容缺，请现在上传或授权调用证照。",
    "needed": "请填写{label}；暂时不清楚时可选“不清楚”，由上门踏勘时补齐。",
    "new_class_missing": "改类后的类别未填写，请向申请人确认。",
    "none_served": "所在位置暂无所选专业的管网，请改选其他专业，或联系窗口了解替代方案。",
    "operator": "所选运营商不在本市服务名单中，请从列表中选择。",
    "outside_city": "所选位置不在本市范围内，请在地图上重新选点。",
    "overridden": "{field} 的校验位不符，已由工作人员凭证核实。",
    "point_division": "位置坐标与所选旗县区不一致，请核对现场位置。",
    "previous_holder": "办理过户请填写原户主的名称和联系方式。",
    "project_date": "项目代码中的年月有误，请对照立项文件核对。",
    "project_region": "项目代码的地区不在本市，请核对立项文件。",
    "project_shape": "项目代码格式有误，应如 2605-150802-04-01-318264。",
    "promise_needed": "尚缺“{titles}”：请勾选容缺承诺后先行受理，或现在补齐。",
    "season": "供热季应为相邻两年，如 2027-2028。",
    "street": "所选街道（苏木乡镇）不属于该旗县区，请重新选择。",
    "tax_no": "纳税人识别号与统一社会信用代码不同，请核对开票信息。",
    "text": "内容含有无法保存的字符，请删去后重填。",
    "too_deep": "内容嵌套过深，请按申请表的格式填写。",
    "unit_division": "不动产单元号与所选旗县区不一致，请核对。",
    "unit_shape": "不动产单元号结构不符，请对照不动产权证核对。",
    "uscc_check": "统一社会信用代码校验位不符，请对照营业执照核对；确认无误可请窗口凭执照核实。",
    "uscc_needed": "请填写统一社会信用代码（营业执照上的 18 位代码）。",
    "uscc_organisation": "统一社会信用代码中的组织机构代码校验位不符，请核对营业执照。",
    "uscc_shape": "统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z），请核对。",
}

# Mistakes in the shape of the document, by pydantic's error type; `{…}` come from the error's context.
SHAPES: Mapping[str, str] = {
    "array": "{label}应为列表。",
    "bool_type": "{label}只能填“是”或“否”（true 或 false）。",
    "date": "{label}应为真实日期，写作 2027-03-20。",
    "dict_type": "{label}应为一组内容，请按申请表填写。",
    "email": "电子邮箱格式有误，应如 name@example.com。",
    "extra_forbidden": "申请表没有“{name}”这一项，请删去或核对名称。",
    "fact": "{label}应为数字或文字。",
    "finite_number": "{label}应为普通数字。",
    "float_type": "{label}应为数字。",
    "greater_than": "{label}应大于 {gt:g}。",
    "greater_than_equal": "{label}不能小于 {ge:g}。",
    "instant": "{label}应写明日期、时间和时区，如 2026-11-26T09:00:00+08:00。",
    "int_from_float": "{label}应为整数。",
    "int_type": "{label}应为整数。",
    "less_than_equal": "{label}不能大于 {le:g}。",
    "literal_error": "{label}只能选择：{expected}。",
    "missing": "请填写{label}。",
    "model_type": "{label}应为一组内容，请按申请表填写。",
    "no_utility": "请至少选择一个要办理的专业（水、电、气、暖、网）。",
    "null": "{label}不能为空值；不填时请省去这一项。",
    "string_too_long": "{label}最多 {max_length} 个字。",
    "string_too_short": "{label}至少 {min_length} 个字。",
    "string_type": "{label}应为文字。",
    "too_short": "请至少选择一项{label}。",
    "too_long": "{label}最多 {max_length} 项。",
    "unique": "{label}有重复，请删去重复的项。",
}
PATTERNS: Mapping[str, str] = {
    "code": TEXTS["project_shape"],
    "division": "所在旗县区应为 6 位数字的区划代码。",
    "first_season": TEXTS["season"],
    "mobile": "手机号码应为 11 位数字，以 13 至 19 开头。",
    "property_unit_no": "不动产单元号应为 28 位数字或大写字母。",
    "street": "街道（苏木乡镇）代码应为 9 位数字。",
}


def label_of(field: str) -> str:
    """The reader's name of the field at this dotted path."""
    names = [part for part in field.split(".") if part and not part.isdigit()]
    if not names:
        return "申请"
    return LABELS.get(".".join(names[-2:])) or LABELS.get(names[-1], f"“{names[-1][:40]}”")


def shape_text(field: str, error: ErrorDetails) -> str:
    """The sentence for one structural mistake at `field`."""
    name = field.rpartition(".")[2]
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS.get(name, f"{label_of(field)}格式有误，请核对。")
    context = dict(error.get("ctx") or {})
    context["expected"] = str(context.get("expected", "")).replace("'", "").replace(", ", "、").replace(" or ", "、")
    template = SHAPES.get(error["type"], "{label}填写有误，请核对。")
    return template.format(**{**context, "label": label_of(field), "name": name[:40]})
