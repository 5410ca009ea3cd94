"""Mail: one letter a hand-over, with a link to the task at the desk. The letter itself tells nothing personal.

A letter is made from the row alone, so every try sends the same one under the same `Message-ID`.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from portal.exchange.port import Delivered, Message, Outcome, Refused, Unknown
from portal.kernel.settings import Smtp

TIMEOUT_S = 15.0
# What a mail server may say without having taken the letter.
_NOT_TAKEN = (smtplib.SMTPException, OSError, ValueError)
LinkOf = Callable[[Message], str]
_SUBJECTS = {
    "task.issued": "新任务",
    "task.changed": "任务有更新",
    "task.withdrawn": "任务已撤回",
    "task.reminded": "任务即将到期",
    "visit.fixed": "联合踏勘已约定",
    "visit.cancelled": "联合踏勘已取消",
    "drawing.uploaded": "有新图纸",
    "works.planned": "施工已排期",
    "payment.received": "费用已缴",
    "settlement.paid": "结算款已付",
}


class PostOffice:
    """Hands letters in, one connection each; `link_of` gives the link that goes into the letter."""

    def __init__(self, server: Smtp, link_of: LinkOf, *, timeout_s: float = TIMEOUT_S) -> None:
        self._server, self._link_of, self._timeout_s = server, link_of, timeout_s

    def deliver(self, message: Message) -> Outcome:
        """Delivered once the mail server has taken the letter; Unknown if it went silent while taking it."""
        try:
            letter = self.letter(message)
            smtp = self._open()
        except smtplib.SMTPResponseException as refused:
            return Refused(refused.smtp_code, _said(refused.smtp_code, refused.smtp_error))
        except _NOT_TAKEN as wrong:
            return Refused(0, f"no mail server: {type(wrong).__name__}")
        try:
            return self._hand_in(smtp, message, letter)
        finally:
            smtp.close()

    def letter(self, message: Message) -> bytes:
        """The letter of this message: the same bytes each time."""
        assert message.endpoint is not None
        letter = EmailMessage(policy=SMTP.clone(max_line_length=900))
        event = _event(message.body)
        subject = _SUBJECTS.get(message.kind, "有新消息")
        case_no = str(event.get("case_no", ""))[:40]
        letter["From"] = self._server.sender
        letter["To"] = message.endpoint.url
        letter["Subject"] = _one_line(f"联合报装：{subject} {case_no}")
        letter["Message-ID"] = f"<{message.id}@{self._server.sender.rpartition('@')[2]}>"
        letter["Date"] = format_datetime(message.enqueued_at or message.sent_at)
        letter["Auto-Submitted"] = "auto-generated"
        due = str(event.get("due_at") or "")[:10]
        letter.set_content(
            "\n".join(
                (
                    "您好：",
                    "",
                    _one_line(f"联合办件 {case_no} 有一项需要贵单位查看的内容：{subject}。"),
                    *([f"办理时限：{_one_line(due)}。"] if due else []),
                    "请打开下面的链接，登录供应单位工作台后办理：",
                    self._link_of(message),
                    "",
                    "链接只用于打开这项任务，过期后请直接登录工作台。本邮件由系统发出，请勿回复。",
                )
            ),
            cte="base64",
        )
        return letter.as_bytes()

    def _open(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.tls == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        try:
            if server.tls == "starttls":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _hand_in(self, smtp: smtplib.SMTP, message: Message, letter: bytes) -> Outcome:
        assert message.endpoint is not None
        try:
            smtp.ehlo_or_helo_if_needed()
            steps = (smtp.mail, self._server.sender), (smtp.rcpt, message.endpoint.url)
            for step, address in steps:
                code, said = step(address)
                if code not in (250, 251):
                    return Refused(code, _said(code, said))
        except _NOT_TAKEN as wrong:
            return Refused(0, f"mail server: {type(wrong).__name__}")
        try:
            code, said = smtp.data(letter)
        except smtplib.SMTPDataError as refused:
            return Refused(refused.smtp_code, _said(refused.smtp_code, refused.smtp_error))
        except _NOT_TAKEN as silent:
            return Unknown(f"mail server: {type(silent).__name__}")
        return Delivered(code, said[:400]) if code == 250 else Refused(code, _said(code, said))


def _event(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _one_line(text: str) -> str:
    """What comes from an application must not become a header or a line of its own."""
    return "".join(c if c.isprintable() else " " for c in text)


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"SMTP {code}: {_one_line(text)[:300]}"
