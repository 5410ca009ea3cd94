"""A case with a bill, a gateway simulator over real HTTP, and the worker's part played step by step."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

import portal.catalog
from portal.cases.tables import Case
from portal.catalog.queries import seed_catalog
from portal.catalog.reading import load_catalog
from portal.exchange.port import Delivered, Message
from portal.exchange.tables import OutboxMessage
from portal.journey import bills, payment
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.journey.jobs import ClaimedJob, claim_jobs, finish_job
from portal.journey.money_jobs import MONEY_JOBS
from portal.kernel.database import db, transaction
from portal.kernel.policy import Actor
from providers.payment.adapter import GatewayAdapter
from tests.conftest import AT
from tests.payment.gateway_world import World, wire_now

SAMPLE = Path(__file__).parents[1] / "samples" / "applications" / "01-tomato-plant-five-utilities.json"
CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
FIRM = "org-1"
PAYER = Actor(kind="person", id="p1", name="李某", roles=frozenset({"applicant"}), subject_ids=frozenset({"p1", FIRM}))
STRANGER = Actor(kind="person", id="p2", name="张某", roles=frozenset({"applicant"}), subject_ids=frozenset({"p2"}))
CLERK = Actor(kind="person", id="c1", name="窗口", roles=frozenset({"clerk"}), subject_ids=frozenset({"c1"}))
AMOUNTS = {"gas-linhe": 3_300_00, "heat-linhe": 88_000_01, "power-bayannur": 1_99, "water-linhe": 12_345_67}
ALONE = {"net-mobile": 500_00}


def draft(provider: str, amount: int, *, merged: bool = True, pay_before: str = "connection") -> bills.LineDraft:
    return bills.LineDraft(
        provider=provider,
        payee_name=f"{provider}公司",
        merchant_id=f"16{sum(map(ord, provider)):08d}",
        item_code="WORKS",
        title="接入工程费",
        quantity="1",
        unit="户",
        unit_price_fen=amount,
        amount_fen=amount,
        vat_rate="9",
        basis="内发改价费〔2021〕1号",
        merged=merged,
        pay_before=pay_before,
    )


DRAFTS = (
    *(draft(provider, amount) for provider, amount in AMOUNTS.items()),
    *(draft(provider, amount, merged=False) for provider, amount in ALONE.items()),
)


def open_case() -> Case:
    """File and accept sample 01; the case."""
    with transaction() as session:
        seed_catalog(session, load_catalog(CITY), at=AT)
    body = json.loads(SAMPLE.read_text("utf-8"))
    options = {"channel": "web", "subject_id": FIRM, "at": AT}
    filed = file_application(PAYER, body=body, idempotency_key="file-1", **options)
    case_no = accept_application(CLERK, application_no=filed.application_no, at=AT, wire_at=wire_now())
    case = db.session.scalars(select(Case).where(Case.case_no == case_no)).one()
    db.session.remove()
    return case


@dataclass
class Town:
    """The portal's money side and its gateway; `at` is the business time of both."""

    app: Flask
    gateway: World
    case: Case
    at: dt.datetime = AT
    ran: list[str] = field(default_factory=list)

    def move_to(self, at: dt.datetime) -> None:
        self.at = at
        self.gateway.sim.set_clock(at)

    def issue(self, drafts: Sequence[bills.LineDraft] = DRAFTS) -> str:
        with transaction() as session:
            return bills.issue_bill(
                session,
                case_id=self.case.id,
                case_no=self.case.case_no,
                subject_id=FIRM,
                payer_name="河套番茄制品有限公司",
                lines=drafts,
                at=self.at,
                wire_at=wire_now(),
            )

    def start(self, key: str = "pay-1", *, actor: Actor = PAYER, line_ids: Any = None) -> payment.Started:
        return payment.start_payment(
            actor, case_id=self.case.id, line_ids=line_ids, idempotency_key=key, at=self.at, wire_at=wire_now()
        )

    def deliver(self) -> None:
        """Send what waits for the gateway, once each, and hand back its answers."""
        adapter = GatewayAdapter(self.gateway.client)
        rows = db.session.scalars(
            select(OutboxMessage).where(OutboxMessage.destination == "gateway", OutboxMessage.state == "pending")
        ).all()
        messages = [
            Message(r.message_id, r.destination, r.kind, r.path, r.body, None, r.case_id, 1, wire_now()) for r in rows
        ]
        db.session.remove()
        for message in messages:
            outcome = adapter.deliver(message)
            is_delivered = isinstance(outcome, Delivered)
            status, body = (outcome.status, outcome.body) if isinstance(outcome, Delivered) else (0, b"")
            payment.apply_order_answer(message.id, status, body, at=self.at, wire_at=wire_now())
            if is_delivered:
                with transaction() as session:
                    session.query(OutboxMessage).filter_by(message_id=message.id).update({"state": "delivered"})

    def pay(self, started: payment.Started) -> None:
        """The payer confirms every order on its cashier page, as a browser would."""
        import requests

        for order in payment.payment_view(db.session(), PAYER, payment_id=started.payment_id).orders:
            assert order.pay_url, order
            assert "确认支付" in requests.get(order.pay_url, timeout=5).text
            assert "支付成功" in requests.post(order.pay_url, timeout=5).text
        db.session.remove()

    def hear(self, count: int, seconds: float = 5.0) -> list[int]:
        """Wait for `count` notices and pass them on to the portal; its answers."""
        end = time.monotonic() + seconds
        while len(self.gateway.ear.heard) < count:
            assert time.monotonic() < end, f"only {len(self.gateway.ear.heard)} notices came"
            time.sleep(0.01)
        heard = list(self.gateway.ear.heard)
        self.gateway.ear.heard.clear()
        return [payment.receive_notice(headers, raw, wire_at=wire_now()) for headers, raw in heard]

    def work(self, *kinds: str) -> None:
        """Run due jobs of these kinds until none is left."""
        while jobs := claim_jobs(limit=50, owner="test", wire_at=wire_now()):
            for job in jobs:
                if job.kind in kinds:
                    self.run(job)
                finish_job(job, owner="test", wire_at=wire_now())

    def run(self, job: ClaimedJob) -> None:
        self.ran.append(job.kind)
        MONEY_JOBS[job.kind](job.payload, self.at, wire_now())

    def pay_bill(self) -> payment.Started:
        """Issue, order, pay, tell, capture."""
        self.issue()
        started = self.start()
        self.deliver()
        self.pay(started)
        assert self.hear(len(started.orders)) == [200] * len(started.orders)
        self.work("apply_notice")
        return started

    def token(self, order_id: str) -> str:
        """The cashier's token of an order."""
        row = db.session.get_one(payment.PaymentOrder, order_id, populate_existing=True)
        url = row.pay_url
        db.session.remove()
        assert url
        return urlsplit(url).path.rsplit("/", 1)[1]

    def race(self, jobs: Sequence[Callable[[], object]]) -> list[object]:
        """Run all jobs at once, each in its own thread; results or exceptions."""
        gate, results = threading.Barrier(len(jobs)), []

        def run(job: Callable[[], object]) -> None:
            with self.app.app_context():
                gate.wait()
                try:
                    results.append(job())
                except Exception as error:
                    results.append(error)
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results
