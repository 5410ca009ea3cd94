"""What this provider answers: one body for each kind of report, made from the task document."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import ROUND_HALF_UP, Decimal


class Answers:
    """The bodies. A maker answers None where it has nothing to say now."""

    def __init__(self, portal, note) -> None:
        self.portal, self.note = portal, note
        self.done: set = set()
        self._document: dict = {}

    def next_report(self, document: dict) -> dict | None:
        """The next report of those the task expects; None when there is nothing to report now."""
        self._document = document
        makers = {
            "received": dict,
            "line_check": self._line_check,
            "question": self._question,
            "availability": self._availability,
            "findings": self._findings,
            "reply": self._reply,
            "review": self._review,
            "works": self._works,
            "acceptance": self._acceptance,
            "connected": self._connected,
            "pause": self._pause,
            "resume": self._resume,
        }
        for kind, make in makers.items():
            fields = make() if kind in document["expects"] else None
            if fields is not None:
                head = {"kind": kind, "occurred_at": self._now().isoformat(), "revision": document["revision"]}
                return {**head, "provider_ref": f"OUT-{document['task_id'][:8]}", "operator": "外部系统", **fields}
        return None

    def _once(self, what: str) -> bool:
        mark = (self._document["task_id"], self._document["revision"], what)
        is_first = mark not in self.done
        self.done.add(mark)
        return is_first

    def _now(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.portal.get("/api/v1/ping")[1]["at"])

    def _line_check(self) -> dict:
        return {"outside_line_m": 30, "note": "现场核对"}

    def _question(self) -> dict | None:
        if self._document["stage"] != "reply" or not self._once("question"):
            return None
        text = "请说明投产日期能否顺延一周。"
        return {"items": [{"code": "other", "text": text, "why": "影响接入方案"}]}

    def _availability(self) -> dict | None:
        if self._document["shared_facts"].get("visit") or not self._once("availability"):
            return None
        first = self._now().astimezone(dt.timezone(dt.timedelta(hours=8))).replace(hour=9, minute=0, second=0)
        days = [first.replace(microsecond=0) + dt.timedelta(days=n) for n in range(1, 8)]
        slots = [{"start_at": d.isoformat(), "end_at": (d + dt.timedelta(hours=3)).isoformat()} for d in days]
        return {"slots": slots, "people": ["赵工"]}

    def _findings(self) -> dict:
        site = self._document["site"]["location"]
        end = [site["lon"] + 0.0003, site["lat"]]
        route = {"type": "LineString", "coordinates": [[site["lon"], site["lat"]], end]}
        trench = {"route": route, "depth_m": 1.8, "width_m": 0.8, "clearance_m": 0.5}
        point = {"location": {"lon": end[0], "lat": end[1]}, "description": "厂区东门外现有管线"}
        return {"conclusion": "ready", "outside_line_m": 30, "access_point": point, "trench": trench, "obstacles": []}

    def _reply(self) -> dict:
        until = (self._now().date() + dt.timedelta(days=180)).isoformat()
        option = {"code": "A", "title": "就近接入", "summary": "从东侧现有管线接入", "works_days": 10,
                  "quote": self._quote(), "recommended_why": "路由最短"}  # fmt: skip
        condition = {"code": "meter_room", "text": "接通前请备好表位。", "before_stage": "acceptance"}
        return {"verdict": "conditional", "options": [option], "conditions": [condition],
                "investment_boundary": "以规划红线为界", "valid_until_on": until}  # fmt: skip

    def _quote(self) -> list[dict]:
        if (self._document["task_id"], "free") in self.done:
            return []
        items = self.portal.get("/api/v1/fee-items")[1]["items"]
        item = next((i for i in items if i["state"] == "published" and i["payer"] == "user" and i["price_fen"]), None)
        if item is None:
            return []
        name = self.portal.get("/api/v1/ping")[1]["name"]
        due = (Decimal("1.5") * item["price_fen"]).to_integral_value(ROUND_HALF_UP)
        return [{"fee_item": item["code"], "quantity": "1.5", "unit_price_fen": item["price_fen"],
                 "amount_fen": int(due), "payer": item["payer"], "payee": name, "boundary": item["boundary"],
                 "vat_rate": item["vat_rate"], "basis": item["basis"]}]  # fmt: skip

    def _review(self) -> dict | None:
        drawings = self._document.get("drawings") or []
        if not drawings:
            return None
        newest = drawings[-1]
        held = hashlib.sha256(self.portal.read_bytes(newest["url"])).hexdigest()
        self.note("drawing", is_as_named=held == newest["sha256"])
        read = [{"sha256": newest["sha256"], "version": newest["version"]}]
        if self._document["revision"] == 1:
            comment = {"drawing_sha256": newest["sha256"], "location": "图1", "clause": "4.2", "severity": "must",
                       "text": "请补标高。"}  # fmt: skip
            return {"verdict": "rework", "round": 1, "drawings": read, "comments": [comment]}
        return {"verdict": "pass", "round": self._document["revision"], "drawings": read}

    def _works(self) -> dict:
        status = next(s for s in ("planned", "started", "finished") if s == "finished" or self._once(s))
        on = self._now().date()
        window = {"start_on": on.isoformat(), "end_on": (on + dt.timedelta(days=9)).isoformat()}
        return {"status": status, "window": window, "needs_road_opening": False}

    def _acceptance(self) -> dict:
        if self._document["revision"] == 1:
            wrong = {"code": "markers", "ok": False, "note": "缺标志桩"}
            until = (self._now().date() + dt.timedelta(days=5)).isoformat()
            return {"verdict": "rectify", "mode": "site", "items": [wrong], "rectify_by_on": until}
        return {"verdict": "pass", "mode": "site", "items": [{"code": "tightness", "measured": 0.02, "ok": True}]}

    def _connected(self) -> dict | None:
        if self._once("pause"):
            return None
        number = self._document["task_id"][:10]
        point = {"account_no": f"A{number}", "meter_no": f"M{number}", "opening_reading": "0", "multiplier": 1}
        return {"connected_at": self._now().isoformat(), "points": [point]}

    def _pause(self) -> dict | None:
        if self._document["stage"] != "connection":
            return None
        return {"reason_code": "testing", "evidence": "压力试验记录 3 号", "note": "稳压 24 小时"}

    def _resume(self) -> dict:
        return {"reason_code": self._document["paused"]["reason_code"], "note": "试验合格"}
