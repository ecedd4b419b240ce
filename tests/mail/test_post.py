"""What the mail room says of a mail: taken, certainly not, or unknown; against a real SMTP server."""

from __future__ import annotations

import email
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path

import pytest

from ivr.errors import ConfigurationError, RefusedMailError, TryLaterError, UnknownMailError
from ivr.mail import FilePost, SmtpPost, open_post
from ivr.settings import Settings, load_settings
from tests.mail.smtp_server import Inbox, free_port, smtp_server

NOW = datetime(2026, 9, 14, 6, 0, tzinfo=UTC)
BODY = "Stand van maandag: één cliënt, 18 van 25, verwacht 24 ± 2\n.\n. een punt vooraan\nFrom hier\n"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def post(inbox: Inbox) -> Iterator[SmtpPost]:
    port = free_port()
    with smtp_server(inbox, port):
        yield SmtpPost(f"smtp://127.0.0.1:{port}", "Toets <toets@bureau.example>", seconds=5)


def send(post: SmtpPost | FilePost, to: str = "iemand@bureau.example") -> None:
    post.send(to, "Toets: 1 zaak vraagt áándacht", BODY, name="toets-staff-2026-09-14-1", at=NOW)


def test_a_mail_arrives_as_it_was_written(post: SmtpPost, inbox: Inbox) -> None:
    send(post)
    ((to, mail),) = inbox.taken
    assert to == "iemand@bureau.example"
    assert mail["Subject"] == "Toets: 1 zaak vraagt áándacht"
    assert mail["From"] == "Toets <toets@bureau.example>"
    assert mail["Message-ID"] == "<toets-staff-2026-09-14-1@bureau.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == BODY


def test_a_server_that_is_away_is_tried_later() -> None:
    with pytest.raises(TryLaterError):
        send(SmtpPost(f"smtp://127.0.0.1:{free_port()}", "toets@bureau.example", seconds=2))


def test_a_look_says_whether_the_server_takes_us_and_sends_nothing(post: SmtpPost, inbox: Inbox) -> None:
    assert post.look() == "smtp, without a user"
    assert inbox.taken == []
    with pytest.raises(TryLaterError):
        SmtpPost(f"smtp://127.0.0.1:{free_port()}", "toets@bureau.example", seconds=2).look()


def test_a_look_says_whether_the_folder_can_be_written_to_and_leaves_nothing(tmp_path: Path) -> None:
    assert FilePost(tmp_path / "mail", "toets@bureau.example").look() == "files in IVR_VAR_DIR/mail"
    assert list((tmp_path / "mail").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        FilePost(tmp_path / "file", "toets@bureau.example").look()


@pytest.mark.parametrize(
    ("answer", "error"), [("451 4.3.0 busy", TryLaterError), ("550 5.1.1 unknown", RefusedMailError)]
)
def test_an_address_that_is_refused_is_given_up_and_not_now_is_later(
    post: SmtpPost, inbox: Inbox, answer: str, error: type[Exception]
) -> None:
    inbox.answer_rcpt = answer
    with pytest.raises(error) as refused:
        send(post)
    assert str(refused.value) == answer[:3], "nothing of what the server said but the code"
    assert inbox.taken == []


@pytest.mark.parametrize(("answer", "error"), [("452 full", TryLaterError), ("554 spam", RefusedMailError)])
def test_a_text_that_is_refused_certainly_did_not_go_out(
    post: SmtpPost, inbox: Inbox, answer: str, error: type[Exception]
) -> None:
    inbox.answer_data = answer
    with pytest.raises(error):
        send(post)


def test_a_line_that_breaks_after_the_text_leaves_it_unknown(post: SmtpPost, inbox: Inbox) -> None:
    inbox.is_dropping = True
    with pytest.raises(UnknownMailError):
        send(post)
    assert len(inbox.taken) == 1


def test_an_address_no_server_takes_is_refused(post: SmtpPost) -> None:
    with pytest.raises(RefusedMailError):
        send(post, "zoë@bureau.example")


def test_a_server_without_tls_is_never_given_the_password(inbox: Inbox) -> None:
    port = free_port()
    with smtp_server(inbox, port), pytest.raises(TryLaterError):
        send(SmtpPost(f"smtp+starttls://toets:secret@127.0.0.1:{port}", "toets@bureau.example", seconds=5))
    assert inbox.tries == 0


def test_without_a_server_mail_is_a_private_file(tmp_path: Path) -> None:
    post = open_post(Settings(var_dir=tmp_path))  # type: ignore[call-arg]
    assert isinstance(post, FilePost)
    send(post)
    send(post)
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "toets-staff-2026-09-14-1.eml"
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    read = email.message_from_bytes(file.read_bytes(), policy=default)
    assert read.get_content() == BODY


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.bureau.example",
        "http://localhost",
        "smtps://",
        "smtps://user@mail.bureau.example",
        "smtps://mail.bureau.example/path",
    ],
)
def test_a_mail_server_that_would_show_a_password_or_cannot_be_meant_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_MAIL_URL", url)
    with pytest.raises(ConfigurationError, match="IVR_MAIL_URL"):
        load_settings()


def test_the_password_of_the_mail_server_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_MAIL_URL", "smtps://toets:gehe%40im@mail.bureau.example")
    assert "gehe" not in repr(load_settings())
