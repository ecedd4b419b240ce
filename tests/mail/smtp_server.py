"""A real SMTP server on loopback (aiosmtpd) that keeps what it takes and can be told to fail."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller


@dataclass
class Inbox:
    """What was taken, in order. `answer_…`: said instead of yes; `is_dropping`: hangs up once it has the text."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    tries: int = 0
    answer_rcpt: str | None = None
    answer_data: str | None = None
    is_dropping: bool = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.tries += 1
        if self.answer_rcpt is not None:
            return self.answer_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer_data is not None:
            return self.answer_data
        read = cast(EmailMessage, email.message_from_bytes(envelope.content, policy=default))
        self.taken += [(address, read) for address in envelope.rcpt_tos]
        if self.is_dropping:  # taken, but the sender never hears so
            server.transport.abort()
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def smtp_server(inbox: Inbox, port: int) -> Iterator[None]:
    """The server on this loopback port while the block runs."""
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield
    finally:
        server.stop()
