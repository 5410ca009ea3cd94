"""缴费: the intent, its orders at the gateway, the gateway's notices, and what came of the money."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only

ORDER_STATES = ("CREATED", "SUBMITTED", "SUCCESS", "CLOSED", "EXPIRED", "UNKNOWN")


@insert_only
class Payment(Model):
    """The intent: who wants to pay which lines. Its state is that of its orders."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    case_id: Mapped[str] = mapped_column(Id, index=True)
    subject_id: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str] = mapped_column(String(128))
    fingerprint: Mapped[str] = mapped_column(String(64))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    allocation_profile: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[dt.datetime]


class PaymentOrder(Model):
    """One order at the gateway. Its number is made before the call and never again."""

    __tablename__ = "payment_order"
    __table_args__ = (
        CheckConstraint("state in ('CREATED','SUBMITTED','SUCCESS','CLOSED','EXPIRED','UNKNOWN')", name="state"),
        CheckConstraint("rail in ('COMBINE','PLAIN')", name="rail"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    out_trade_no: Mapped[str] = mapped_column(String(32), unique=True)
    rail: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(String(127))
    pay_url: Mapped[str | None] = mapped_column(String(500))
    failure: Mapped[str | None] = mapped_column(String(200))
    is_late: Mapped[bool] = mapped_column(default=False)  # paid after we had closed it: kept unallocated
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    next_query_at: Mapped[dt.datetime] = mapped_column(index=True)  # business time, while the order is open
    success_at: Mapped[dt.datetime | None]


class PaymentSubOrder(Model):
    """One payee's part of an order; a PLAIN order has one, with the order's own number."""

    __tablename__ = "payment_sub_order"
    __table_args__ = (
        UniqueConstraint("order_id", "merchant_id"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("payment_order.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    merchant_id: Mapped[str] = mapped_column(String(32))
    sub_out_trade_no: Mapped[str] = mapped_column(String(32), unique=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    expected_fee_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    transaction_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    booked_on: Mapped[dt.date | None] = mapped_column(index=True)  # accounting day of the capture


@insert_only
class PaymentLine(Model):
    """Which bill lines a payment's part is for, and how much of each was asked."""

    __tablename__ = "payment_line"
    __table_args__ = (UniqueConstraint("sub_order_id", "line_id"), CheckConstraint("amount_fen > 0", name="amount"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    sub_order_id: Mapped[str] = mapped_column(ForeignKey("payment_sub_order.id"))
    line_id: Mapped[str] = mapped_column(ForeignKey("bill_line.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


@insert_only
class Allocation(Model):
    """What of a captured part went to which line."""

    __tablename__ = "allocation"
    __table_args__ = (
        UniqueConstraint("sub_order_id", "line_id"),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_allocation_booked_on_provider", "booked_on", "provider"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("payment_order.id"), index=True)
    sub_order_id: Mapped[str] = mapped_column(ForeignKey("payment_sub_order.id"))
    line_id: Mapped[str] = mapped_column(ForeignKey("bill_line.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    rail: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    booked_on: Mapped[dt.date]


@insert_only
class Split(Model):
    """分账: what one provider got out of one captured order."""

    __tablename__ = "split"
    __table_args__ = (UniqueConstraint("order_id", "provider"), CheckConstraint("amount_fen > 0", name="amount"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("payment_order.id"))
    provider: Mapped[str] = mapped_column(String(64))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    split_at: Mapped[dt.datetime]


class GatewayNotice(Model):
    """Inbox of the gateway: stored raw before it is answered, applied afterwards."""

    __tablename__ = "gateway_notice"
    __table_args__ = (
        UniqueConstraint("channel", "notice_id"),
        CheckConstraint("state in ('stored','applied','ignored','refused')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    notice_id: Mapped[str] = mapped_column(String(64))
    event_type: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="stored")
    reason: Mapped[str | None] = mapped_column(String(400))
    headers: Mapped[dict[str, Any]] = mapped_column(Json)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[dt.datetime]
