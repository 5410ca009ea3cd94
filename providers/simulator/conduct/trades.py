"""The five trades as data: how each lays its lines, names its sizes, words its conditions and checks its works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.simulator.conduct import sizing
from providers.simulator.task import Task


@dataclass(frozen=True, slots=True)
class Trade:
    """One utility's craft. Depth, width, clearance and `aside_m` (place in the street) are metres."""

    depth_m: float
    width_m: float
    clearance_m: float
    aside_m: float
    access: Callable[[Task], str]
    sizes: Callable[[Task], dict[str, Any]]
    summary: Callable[[Task], str]
    obstacle: str
    condition_code: str
    condition: str
    second_option: str
    inside_title: str
    checks: tuple[tuple[str, str, str], ...]  # code, measured, note


def _power_voltage(task: Task) -> str:
    return str(task.part.get("voltage") or "380V")


def _power_access(task: Task) -> str:
    high = _power_voltage(task) not in ("220V", "380V")
    return "就近10千伏公用线路分支杆T接点" if high else "临街低压分接箱备用出线"


def _gas_pressure(task: Task) -> str:
    return str(task.part.get("pressure") or "low")


TRADES: Mapping[str, Trade] = {
    "water": Trade(
        depth_m=1.8,
        width_m=0.9,
        clearance_m=1.0,
        aside_m=3.0,
        access=lambda _task: "市政道路DN300给水主管预留口",
        sizes=lambda task: {"pipe_dn_mm": sizing.pipe_dn_mm(task)},
        summary=lambda task: f"由市政给水主管引入DN{sizing.pipe_dn_mm(task)}给水管，在红线处设水表井计量。",
        obstacle="接水点附近有绿化带，开挖后需原样恢复",
        condition_code="own_works_first",
        condition="室内给水管道完工并冲洗消毒后方可接水",
        second_option="由另一侧道路主管接入，管线较长、便于成环",
        inside_title="水表井",
        checks=(
            ("pressure_test", "1.0 MPa，30分钟无渗漏", "管道水压试验"),
            ("flushing", "余氯0.35 mg/L", "冲洗消毒"),
            ("meter", "位置、尺寸符合图纸", "水表井"),
        ),
    ),
    "power": Trade(
        depth_m=0.8,
        width_m=0.6,
        clearance_m=0.5,
        aside_m=1.0,
        access=_power_access,
        sizes=lambda task: {"capacity_kva": sizing.added_kva(task)},
        summary=lambda task: f"以{_power_voltage(task)}供电，新增容量{sizing.added_kva(task):g}千伏安，专用计量。",
        obstacle="拟用路径有架空通信线，需同时避让",
        condition_code="own_works_first",
        condition="受电设施竣工并取得试验报告后方可送电",
        second_option="由相邻环网柜以电缆接入，供电可靠性更高",
        inside_title="计量箱",
        checks=(
            ("insulation", "大于100兆欧", "绝缘电阻"),
            ("grounding", "3.2欧", "接地电阻"),
            ("meter", "定值核对一致", "计量与保护装置"),
        ),
    ),
    "gas": Trade(
        depth_m=1.2,
        width_m=0.8,
        clearance_m=1.0,
        aside_m=4.2,
        access=lambda _task: "市政中压燃气管道预留阀门",
        sizes=lambda task: {"pressure": _gas_pressure(task)},
        summary=lambda task: f"由市政燃气管道引入，小时用气量{task.amount('peak_m3_h', 10):g}立方米，设调压计量装置。",
        obstacle="拟用路径与给水管道交叉，需加套管",
        condition_code="safety_devices",
        condition="用气场所须装好报警器、切断阀并通风良好",
        second_option="由区域调压站接入，压力更稳定",
        inside_title="调压计量箱",
        checks=(
            ("alarm_shut_off", "动作值20%LEL，3秒内切断", "报警与切断装置"),
            ("appliances", "铭牌与申报一致", "用气设备"),
            ("ventilation", "换气12次/小时", "通风"),
            ("leak_test", "24小时压降为零", "严密性试验"),
        ),
    ),
    "heating": Trade(
        depth_m=1.4,
        width_m=1.6,
        clearance_m=1.0,
        aside_m=5.8,
        access=lambda _task: "一次热网分支井",
        sizes=lambda task: {"pipe_dn_mm": sizing.pipe_dn_mm(task)},
        summary=lambda task: f"接入集中供热管网，供热面积{task.amount('heated_area_m2', 200):g}平方米，按热量计量。",
        obstacle="热网分支井内阀门需更换",
        condition_code="own_works_first",
        condition="室内采暖系统冲洗、试压合格后方可供热",
        second_option="与相邻地块共用换热站，占地较小",
        inside_title="热力入口",
        checks=(
            ("pressure_test", "0.9 MPa，10分钟压降0.01 MPa", "系统试压"),
            ("flushing", "出水清澈", "系统冲洗"),
            ("meter", "铅封完好", "热量表"),
        ),
    ),
    "network": Trade(
        depth_m=0.8,
        width_m=0.5,
        clearance_m=0.3,
        aside_m=2.0,
        access=lambda _task: "路侧通信人井",
        sizes=lambda _task: {},
        summary=lambda task: f"光纤接入，带宽{task.amount('bandwidth_mbps', 100):g}兆，业务与其他运营商互不影响。",
        obstacle="人井内管孔已满，需新敷子管",
        condition_code="meter_room",
        condition="用户须提供设备安放位置和电源插座",
        second_option="由另一侧人井接入，形成双路由",
        inside_title="光分纤箱",
        checks=(
            ("optical_loss", "18.6 dB", "光功率衰减"),
            ("marking", "达到签约带宽，标识清楚", "速率测试与标识"),
        ),
    ),
}
