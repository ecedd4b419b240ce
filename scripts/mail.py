"""`ivr mail …`: what would go out, what did, and sending by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from ivr.bootstrap import House, open_house
from ivr.errors import NotFoundError, RefusedError
from ivr.fieldwork import mailing
from ivr.mail import open_post
from ivr.store import mails, users
from scripts.output import command, emit, json_option, note, say


@click.group()
def mail() -> None:
    """The mail to staff and providers: look, send, list."""


@mail.command()
@click.argument("kind", type=click.Choice([mailing.STAFF, mailing.PROVIDER]))
@json_option
@command
def preview(kind: str, as_json: bool) -> None:
    """Show the mail that would go out now, were it due. Nothing is kept or sent."""
    house = open_house()
    made = mailing.preview(_desk(house), kind, house.clock.now())
    if as_json:
        emit({"mails": [{"to": one.to.email, "subject": one.letter.subject, "body": one.letter.body} for one in made]})
        return
    shown: set[str] = set()
    for one in made:
        say(f"To: {one.to.email}")
        if one.letter.body not in shown:
            say(f"Subject: {one.letter.subject}\n\n{one.letter.body}")
        shown.add(one.letter.body)
    if not made:
        note("Nothing would go out: all is well, or nobody has an account that gets this mail.")


@mail.command()
@json_option
@command
def send(as_json: bool) -> None:
    """Make what is due and send what waits, as the upkeep worker does each minute. Twice does no harm."""
    house = open_house()
    done = mailing.run(_desk(house), open_post(house.settings), house.clock.now())
    if as_json:
        emit(done)
        return
    where = "to files in the var directory (IVR_MAIL_URL is not set)" if house.settings.mail_url is None else "out"
    say(f"Made {done['made']}, sent {done['sent']} {where}; {done['later']} will be tried again.")
    if done["given_up"] or done["unknown"]:
        say(f"Given up {done['given_up']}, unknown {done['unknown']}: see `ivr mail list`.")


@mail.command("list")
@json_option
@command
def list_(as_json: bool) -> None:
    """The last mails and what became of them, without their text."""
    house = open_house()
    with house.database.read() as session:
        found = mails.latest(session)
    if as_json:
        keys = ("id", "kind", "span", "to", "state", "tries", "error")
        emit({"mails": [{key: getattr(one, key) for key in keys} for one in found]})
        return
    for one in found:
        say(f"{one.id:>6}  {one.kind} {one.span}  {one.state}  {one.to}  {one.error or ''}".rstrip())
    if not found:
        note("No mail was made yet.")


@mail.command()
@click.argument("mail_id", type=int)
@json_option
@command
def again(mail_id: int, as_json: bool) -> None:
    """Send a mail again that was given up, or of which nobody knows whether it went out."""
    house = open_house()
    with house.database.write() as session:
        is_waiting = mails.wait_again(session, mail_id, house.clock.now())
    if not is_waiting:
        raise RefusedError(f"Mail {mail_id} is neither given up nor unknown: `ivr mail list`.", code="not_lost")
    if as_json:
        emit({"id": mail_id, "state": "waiting"})
    else:
        say("It waits, and goes out within a minute (or with `ivr mail send`).")


@mail.command("try")
@click.argument("email")
@json_option
@command
def try_(email: str, as_json: bool) -> None:
    """Send one short mail to the account EMAIL, at once: does the mail server take it?"""
    house = open_house()
    with house.database.read() as session:
        user = users.find(session, email)
    if user is None:
        raise NotFoundError("There is no account with this address. `ivr user list` shows them.")
    now = datetime.now(UTC)
    name = f"toets-try-{now:%Y%m%dT%H%M%S%f}"
    open_post(house.settings).send(
        user.email, "Toets: proefbericht", "Dit is een proefbericht van Toets.\n", name=name, at=now
    )
    if as_json:
        emit({"to": user.email, "taken": True})
    else:
        say("The mail was taken." if house.settings.mail_url else "The mail was written as a file.")


def _desk(house: House) -> mailing.Desk:
    return mailing.Desk.from_settings(house.database, house.catalogue, house.settings)
