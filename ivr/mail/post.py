"""Hands one plain-text mail to a mail server, or writes it as a file where there is none.

Decides what a failure means, because a mail must not come twice: `RefusedMailError` and `TryLaterError` are certain
not to have gone out; `UnknownMailError` perhaps did (the line broke after the text was sent). Names, subjects and what
the server said never stand in an error: a code or a class is enough.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import tempfile
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ivr.errors import MailError, RefusedMailError, TryLaterError, UnknownMailError
from ivr.settings import Settings

__all__ = ["FilePost", "MailError", "Post", "RefusedMailError", "SmtpPost", "TryLaterError", "UnknownMailError"]

SECONDS = 20.0
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Post(Protocol):
    """Takes mails, one at a time."""

    def send(self, to: str, subject: str, body: str, *, name: str, at: datetime) -> None:
        """Returns when it is certain that the mail was taken; a MailError or OSError otherwise.

        `name` is unique and stays the same when a mail is tried again: it becomes the Message-ID.
        """
        ...


class SmtpPost:
    """A mail server at a URL. One connection a mail: there are some dozens a day."""

    def __init__(self, url: str, sender: str, *, seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender, self._seconds = sender, seconds

    def send(self, to: str, subject: str, body: str, *, name: str, at: datetime) -> None:
        content = message(self._sender, to, subject, body, name=name, at=at).as_bytes(policy=WIRE)
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            # Also a wrong password: it says nothing of this mail, and somebody will mend it.
            raise TryLaterError(_what(error)) from error
        try:
            self._hand_over(server, to, content)
        finally:
            # Said politely where the line still stands; what became of the mail is known already.
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def look(self) -> str:
        """Where mails go, in words, when the server takes us; TryLaterError otherwise."""
        try:
            with self._connect() as server:
                code, _ = server.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise TryLaterError(_what(error)) from error
        if code >= 400:
            raise TryLaterError(str(code))
        return f"{self._scheme}, {'signed in' if self._user else 'without a user'}"

    def _connect(self) -> smtplib.SMTP:
        if self._scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._seconds, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._seconds)
        try:
            server.ehlo_or_helo_if_needed()
            if self._scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _hand_over(self, server: smtplib.SMTP, to: str, content: bytes) -> None:
        try:
            for is_recipient, (code, _) in (
                (False, server.mail(parseaddr(self._sender)[1])),
                (True, server.rcpt(to)),
            ):
                if code >= 400:
                    raise RefusedMailError(str(code)) if code >= 500 and is_recipient else TryLaterError(str(code))
        except (smtplib.SMTPException, OSError) as error:
            raise TryLaterError(_what(error)) from error
        except UnicodeError as error:  # an address that no server here takes
            raise RefusedMailError(type(error).__name__) from error
        try:
            code, _ = server.data(content)
        except smtplib.SMTPDataError as error:  # said no before the text
            raise TryLaterError(_what(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise UnknownMailError(type(error).__name__) from error
        if code != 250:
            raise RefusedMailError(str(code)) if code >= 500 else TryLaterError(str(code))


class FilePost:
    """Writes each mail as an .eml file: for development, and to look at."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def look(self) -> str:
        """Where mails go, in words, when the folder can be written to; OSError otherwise."""
        self._open_folder()
        with tempfile.TemporaryFile(dir=self._folder):
            return "files in IVR_VAR_DIR/mail"

    def _open_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)

    def send(self, to: str, subject: str, body: str, *, name: str, at: datetime) -> None:
        self._open_folder()
        content = message(self._sender, to, subject, body, name=name, at=at)
        aside = self._folder / f".{name}"
        aside.write_bytes(content.as_bytes())
        aside.replace(self._folder / f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)}.eml")


def message(sender: str, to: str, subject: str, body: str, *, name: str, at: datetime) -> EmailMessage:
    """The mail as it goes out: plain text, no reply asked of a machine."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{name}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(body, cte="quoted-printable")
    return made


def open_post(settings: Settings) -> SmtpPost | FilePost:
    """The mail server of the settings, or files in `var_dir/mail`."""
    if settings.mail_url is None:
        return FilePost(settings.var_dir / "mail", settings.mail_from)
    return SmtpPost(settings.mail_url.get_secret_value(), settings.mail_from)


def _what(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return str(code) if isinstance(code, int) else type(error).__name__
