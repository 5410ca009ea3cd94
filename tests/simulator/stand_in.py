"""A small portal over real HTTP: enough of the provider protocol to give the simulators a real counterpart.

It checks every signature by itself, keeps the answers by message id, and moves tasks as the protocol's tables say.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from tests.simulator.shapes import check_report

SECRET = "whsec_" + base64.b64encode(b"a shared secret for the stand-in").decode()
FEES = [
    {"code": "INSIDE-PIPE", "title": "红线内管线", "unit": "m", "price_fen": 12345, "boundary": "inside",
     "payer": "user", "vat_rate": "9", "basis": "价目表第1项", "state": "published"},
    {"code": "OUTSIDE-LINE", "title": "红线外管线", "unit": "m", "price_fen": 30050, "boundary": "outside",
     "payer": "provider", "vat_rate": "9", "basis": "价目表第2项", "state": "published"},
    {"code": "HIGH-RELIABILITY", "title": "高可靠性供电费", "unit": "kVA", "price_fen": 13000, "boundary": "inside",
     "payer": "user", "vat_rate": "13", "basis": "价目表第3项", "state": "published"},
    {"code": "OLD-FEE", "title": "报装费", "unit": "次", "price_fen": 100, "boundary": "inside",
     "payer": "user", "vat_rate": "9", "basis": "已取消", "state": "cancelled"},
]  # fmt: skip
EXPECTS = {
    "survey": ["availability"], "reply": ["reply"], "review": [], "works": ["works"],
    "acceptance": ["acceptance"], "connection": ["connected"],
}  # fmt: skip


def signature(message_id, timestamp, body):
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def signed_headers(message_id, body, at=None):
    timestamp = str(int(time.time() if at is None else at))
    return {"webhook-id": message_id, "webhook-timestamp": timestamp,
            "webhook-signature": signature(message_id, timestamp, body)}  # fmt: skip


class StandIn:
    """The portal's side. `reports` lists (task id, report) as applied; `wrong` every breach of the protocol."""

    def __init__(self):
        self.tasks, self.reports, self.wrong, self.answers = {}, [], [], {}
        self.now = "2026-11-23T09:00:00+08:00"
        self.fail_next = 0
        self.refuse_with = self.busy_with = None
        self.lock = threading.RLock()
        portal = self

        class Routes(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                self.answer(*portal.get(self.path, self.headers))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*portal.report(self.path, self.headers, body))

            def answer(self, status, body):
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Routes)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def issue(self, stage, provider, utility, part, **changes):
        """A new task's document."""
        document = {
            "task_id": uuid.uuid5(uuid.NAMESPACE_URL, f"{stage}{provider}").hex, "revision": 1,
            "case_no": changes.pop("case_no", "LB261123-AAAAAA"), "stage": stage, "provider": provider,
            "utility": utility, "state": "issued", "issued_at": self.now, "due_at": "2026-11-27T17:30:00+08:00",
            "light": "green", "paused": None, "project": {"name": "测试项目", "code": None},
            "site": {"division": "150802", "address": "胜利北路18号", "location": {"lon": 107.4, "lat": 40.75}},
            "part": {"kind": "new", **part}, "shared_facts": {"utilities": [utility], "visit": None, "trench": None},
            "materials": [], "service_level": {"code": "x", "title": "x", "zero_investment": False}, "questions": [],
            "drawings": [], "expects": ["received", "declined", *EXPECTS[stage], "question", "pause", "extension"],
        }  # fmt: skip
        document |= changes
        self.tasks[document["task_id"]] = document
        return document

    def push(self, server_url, document, type_="task.issued", message_id=None, occurred_at=None):
        """Deliver an event; returns the HTTP status, 0 where no HTTP answer came."""
        message_id = message_id or uuid.uuid4().hex
        event = {"type": type_, "id": message_id, "occurred_at": occurred_at or self.now, "data": document}
        body = json.dumps(event).encode()
        url = f"{server_url}/p/{document['provider']}/events"
        try:
            return requests.post(url, data=body, headers=signed_headers(message_id, body), timeout=10).status_code
        except requests.RequestException:
            return 0

    def get(self, path, headers):
        if headers.get("Authorization") != "Bearer key-1":
            return 401, {"code": "not_signed_in"}
        if path.startswith("/api/v1/fee-items"):
            return 200, {"items": FEES}
        if path == "/api/v1/codes":
            groups = {"heat_load_note": "question", "own_works_first": "condition"}
            return 200, [{"code": code, "group": group, "text": "…"} for code, group in groups.items()]
        if path.startswith("/api/v1/tasks?") or path == "/api/v1/tasks":
            return 200, {"items": list(self.tasks.values()), "next": None}
        document = self.tasks.get(path.rsplit("/", 1)[-1])
        return (200, document) if document else (404, {"code": "not_found"})

    def report(self, path, headers, body):
        with self.lock:
            if self.fail_next:
                self.fail_next -= 1
                return 503, {"code": "unavailable"}
            if self.busy_with:
                code, self.busy_with = self.busy_with, None
                return 409, {"code": code}
            message_id = headers.get("webhook-id", "")
            wanted = signature(message_id, headers.get("webhook-timestamp", ""), body)
            if headers.get("webhook-signature") != wanted or "." in message_id:
                self.wrong.append("bad signature or id")
                return 401, {"code": "bad_signature"}
            if message_id in self.answers:
                first_body, answer = self.answers[message_id]
                return answer if first_body == body else (422, {"code": "other_body"})
            answer = self.apply(path.split("/")[4], json.loads(body))
            self.answers[message_id] = (body, answer)
            return answer

    def apply(self, task_id, report):
        document = self.tasks[task_id]
        if self.refuse_with:
            status, problem = self.refuse_with
            self.refuse_with = None
            return status, problem
        if report["revision"] != document["revision"]:
            return 409, {"code": "stale_revision", "task": document}
        if report["kind"] not in document["expects"]:
            self.wrong.append(f"{report['kind']} is not expected: {document['expects']}")
            return 409, {"code": "not_expected", "expects": document["expects"]}
        wrong = check_report(report, {f["code"]: f["price_fen"] for f in FEES if f["state"] == "published"})
        if wrong:
            self.wrong += wrong
            return 422, {"code": "invalid", "errors": wrong}
        self.reports.append((task_id, report))
        document = dict(document, state=self.state_after(document, report))
        document["expects"] = [kind for kind in document["expects"] if kind != "received"]
        if report["kind"] == "line_check":
            document["expects"] = [kind for kind in document["expects"] if kind != "line_check"]
        if report.get("verdict") == "rectify":
            document |= {"revision": document["revision"] + 1, "state": "issued"}
        if document["state"] in ("done", "waiting_applicant"):
            document["expects"] = []
        self.tasks[task_id] = document
        return 200, {"report_id": uuid.uuid4().hex, "task": document}

    @staticmethod
    def state_after(document, report):
        kind, verdict = report["kind"], report.get("verdict")
        if kind == "question" or kind == "connected" or verdict == "rework":
            return "waiting_applicant"
        ends = kind in ("findings", "reply") or verdict == "pass" or report.get("status") == "finished"
        return "done" if ends else "received" if kind == "received" else "working"
