"""The gateway as a destination of the outbox: the bytes of the row go out as they are, signed when they are sent."""

from __future__ import annotations

from portal.billing.port import Gateway, Request
from portal.billing.port import Rejected as GatewayRejected
from portal.billing.port import Unknown as GatewayUnknown
from portal.exchange.port import Delivered, Message, Outcome, Repetition, Unknown


class GatewayAdapter:
    """Implements `portal.exchange.port.Adapter` for destination `gateway`.

    A refusal that no retry would change is an answer too; only what may have happened is tried again.
    """

    repetition: Repetition = "idempotent"  # the same number with the same body makes no second order

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def deliver(self, message: Message) -> Outcome:
        """Send once."""
        answer = self._gateway.send(Request(message.path, message.body))
        outcome = self._gateway.read_order_answer(answer)
        if isinstance(outcome, GatewayUnknown):
            return Unknown(outcome.cause)
        assert isinstance(outcome, GatewayRejected) or answer.status // 100 == 2
        return Delivered(answer.status, answer.body)
