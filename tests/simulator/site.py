"""A small site with the portal's pages, forms and clock, over real HTTP: enough for the demo's people to walk through.

One case needs: acceptance by the clerk, a decision by the agency, confirming, signing, paying at a cashier on another
address, waiting for a later time, saying that it flows, and reconciliation the next day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading

from flask import Flask, abort, redirect, request, session
from werkzeug.serving import make_server

from providers.simulator.sample_pdf import sample_pdf

CASE, APPLICATION = "LB261123-AAAAAA", "SL261123-BBBBBB"
NEW = """<form method="post" enctype="multipart/form-data" action="/applications/new" data-act="file">
<input type="hidden" name="csrf_token" value="t1"><input name="applicant.name"><input name="applicant.uscc">
<select name="kind"><option value=""></option><option value="new">新装</option></select>
<input type="checkbox" name="utilities.network" value="1">
<input type="checkbox" name="utilities.network.operators" value="telecom">
<input type="checkbox" name="utilities.network.operators" value="unicom">
<input type="radio" name="merged_bill" value="yes"><input type="radio" name="merged_bill" value="no">
<textarea name="site.boundary"></textarea><input type="file" name="materials.0.bytes"><button>提交</button></form>"""


def form(act, action, *fields, **hidden):
    tokens = "".join(f'<input type="hidden" name="{k}" value="{v}">' for k, v in {"csrf_token": "t1", **hidden}.items())
    return f'<form method="post" action="{action}" data-act="{act}">{tokens}{"".join(fields)}<button>好</button></form>'


class Site:
    """The site's state and its two servers (portal and gateway)."""

    def __init__(self):
        self.now = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
        self.done, self.filed, self.files = [], None, {}
        self.never_flows = self.advance_requested = False
        self.servers = []
        self.gateway_url = self.serve(self.gateway())
        self.url = self.serve(self.portal())

    def serve(self, app):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def gateway(self):
        app = Flask("gateway")

        @app.route("/cashier/1", methods=["GET", "POST"])
        def cashier():
            if request.method == "POST":
                self.done.append("paid")
                return "支付成功"
            return '<form method="post" action="/cashier/1"><button>确认支付</button></form>'

        app.add_url_rule("/sim/clock", "clock", dict, methods=["POST"])
        app.add_url_rule("/sim/state", "state", lambda: {"busy": 0, "errors": [], "activity": {}})
        return app

    def portal(self):
        app = Flask("site")
        app.secret_key = "x"

        @app.before_request
        def guard():
            if request.path.startswith(("/demo", "/sign-in")):
                return None
            if "who" not in session:
                return redirect("/sign-in")
            if request.method == "POST" and request.form.get("csrf_token") != "t1":
                abort(400)
            return None

        app.add_url_rule("/sign-in", "sign_in", self.sign_in, methods=["GET", "POST"])
        app.add_url_rule("/home", "home", lambda: "你好")
        app.add_url_rule("/demo/clock", "demo_clock", self.clock, methods=["GET", "POST"])
        app.add_url_rule("/applications/new", "file", self.file, methods=["GET", "POST"])
        app.add_url_rule(f"/applications/{APPLICATION}", "application", lambda: "已提交")
        app.add_url_rule(f"/counter/applications/{APPLICATION}", "counter", self.counter)
        app.add_url_rule(f"/counter/applications/{APPLICATION}/accept", "accept", self.accept, methods=["POST"])
        app.add_url_rule(f"/cases/{CASE}", "case", self.case)
        app.add_url_rule(f"/cases/{CASE}/<act>", "act", self.act, methods=["POST"])
        app.add_url_rule("/agency", "agency", self.agency)
        app.add_url_rule("/agency/decisions/1", "decide", lambda: self.mark("decided", "/agency"), methods=["POST"])
        app.add_url_rule(f"/oversight/cases/{CASE}.json", "record", self.record)
        app.add_url_rule("/documents/d1.pdf", "document", lambda: sample_pdf("paper"))
        return app

    def mark(self, what, to):
        assert what not in self.done, f"{what} twice"
        self.done.append(what)
        return redirect(to)

    def sign_in(self):
        if request.method == "POST" and request.form["password"] == "right":
            session["who"] = request.form["login"]
            return redirect("/home")
        return '<form method="post"><input name="login"><input type="password" name="password"></form>'

    def clock(self):
        if request.method == "POST":
            self.now = dt.datetime.fromisoformat(request.get_json()["to"]).astimezone(dt.UTC)
            self.advance_requested = False
        times = [dt.datetime(2026, 11, day, 2, 0, tzinfo=dt.UTC) for day in (24, 25)]
        later = [at.isoformat() for at in times if at > self.now]
        return {"now": self.now.isoformat(), "pending": 0, "next_at": later[0] if later else None,
                "advance_requested": self.advance_requested}  # fmt: skip

    def file(self):
        if request.method == "GET":
            return NEW
        if request.form["applicant.name"] == "坏":
            summary = (
                '<div class="govuk-error-summary"><ul><li><a href="#applicant.uscc">校验码不对</a></li></ul></div>'
            )
            return summary + NEW, 422
        self.filed = {name: request.form.getlist(name) for name in request.form}
        self.files = {name: file.read() for name, file in request.files.items()}
        return redirect(f"/applications/{APPLICATION}")

    def counter(self):
        return form("accept", f"/counter/applications/{APPLICATION}/accept")

    def accept(self):
        assert session["who"] == "clerk"
        return self.mark("accepted", f"/cases/{CASE}")

    def agency(self):
        assert session["who"] == "agency"
        choices = (
            '<input type="radio" name="verdict" value="confirm"><input type="radio" name="verdict" value="reject">'
        )
        return "没有" if "decided" in self.done else form("decide", "/agency/decisions/1", choices)

    def case(self):
        radio = '<input type="radio" name="option-water" value="A"><input type="radio" name="option-water" value="B">'
        for act, fields in (("confirm", radio), ("sign", '<input type="checkbox" name="agree" value="1" required>')):
            if act not in self.done:
                return form(act, f"/cases/{CASE}/{act}", fields)
        if "paid" not in self.done:
            return form("pay", f"/cases/{CASE}/pay")
        waits = self.never_flows or self.now.day < 24 or "flow" in self.done
        return "等待" if waits else form("flow", f"/cases/{CASE}/flow", task_id="t9")

    def act(self, act):
        if act == "pay":
            return redirect(self.gateway_url + "/cashier/1")
        expected = {"confirm": ("option-water", "A"), "sign": ("agree", "1"), "flow": ("task_id", "t9")}[act]
        assert request.form[expected[0]] == expected[1]
        return self.mark(act, f"/cases/{CASE}")

    def record(self):
        assert session["who"] == "supervisor"
        is_closed = "flow" in self.done
        state = "RECONCILED" if self.now.day >= 25 else "FROZEN"
        return {
            "accepted": True, "errors": [], "state": "closed" if is_closed else "open",
            "case_no": CASE, "stage": "closed" if is_closed else "connection", "utilities": ["water"],
            "providers": ["water-linhe"], "tasks": [], "visits": 1, "working_days": {"water-linhe": 2},
            "bill": {"number": "ZD1", "total_fen": 100, "lines": [], "pdf": "d1"},
            "payment": {"paid_fen": 100, "orders": []}, "splits": [{"provider": "water-linhe", "amount_fen": 100}],
            "settlements": [{"provider": "water-linhe", "net_fen": 100, "state": state}] if is_closed else [],
            "ledger": {"entries": 2, "balanced": True}, "reply": None,
            "documents": [{"id": "d1", "kind": "joint_bill", "file": "joint_bill.pdf", "state": "ready",
                           "sha256": hashlib.sha256(sample_pdf("paper")).hexdigest()}],
        }  # fmt: skip
