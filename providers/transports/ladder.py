"""One adapter a utility, whatever the level: the provider's endpoint says which way a message goes."""

from __future__ import annotations

from portal.exchange.port import Message, Outcome, Refused
from providers.transports.http import HttpDoor
from providers.transports.mail import PostOffice
from providers.transports.push import PushAdapter


class UtilityAdapter(PushAdapter):
    """Push and two-way over the door, mail by the post office; desk and pull come to us and need no sending.

    Every way is idempotent: the id of the message is its `webhook-id` and its `Message-ID`, and a mail only says
    where the one task is.
    """

    def __init__(self, door: HttpDoor | None = None, post: PostOffice | None = None) -> None:
        super().__init__(door)
        self._post = post

    def deliver(self, message: Message) -> Outcome:
        """Send once, the way the endpoint's level asks for."""
        if message.endpoint is None or message.endpoint.level != "mail":
            return super().deliver(message)
        if self._post is None:
            return Refused(0, "no mail server is set: PORTAL_SMTP_HOST")
        return self._post.deliver(message)
