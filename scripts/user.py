"""`ivr user …`: accounts of staff and providers. A password is never typed here: the link lets its owner choose one."""

from __future__ import annotations

import click

from ivr.fieldwork import accounts, second_factor
from ivr.settings import Settings, load_settings
from ivr.store import Database
from scripts.output import command, emit, json_option, note, say


@click.group()
def user() -> None:
    """Accounts of staff and providers."""


@user.command()
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(accounts.ROLES), help="What the account may do.")
@click.option("--provider", help="Whose pages; for the role provider.")
@json_option
@command
def add(email: str, role: str, provider: str | None, as_json: bool) -> None:
    """Make an account for EMAIL and print the link with which its owner chooses a password."""
    settings = load_settings()
    token = accounts.add(Database(settings.database), email, role, provider=provider)
    _show_link(settings, token, as_json, email=email, role=role, provider=provider)


@user.command()
@click.argument("email")
@json_option
@command
def invite(email: str, as_json: bool) -> None:
    """Print a new link for an account that exists, for a forgotten password; earlier links stop working."""
    settings = load_settings()
    _show_link(settings, accounts.invite(Database(settings.database), email), as_json, email=email)


@user.command("drop-code")
@click.argument("email")
@json_option
@command
def drop_code(email: str, as_json: bool) -> None:
    """Switch the authenticator's code off, for who lost the telephone. Make sure first that it is them who ask."""
    second_factor.take_totp_off(Database(load_settings().database), email)
    if as_json:
        emit({"email": email, "totp": False})
    else:
        say("The next sign-in takes the password alone.")


@user.command("list")
@json_option
@command
def list_(as_json: bool) -> None:
    """All accounts."""
    everyone = accounts.everyone(Database(load_settings().database))
    if as_json:
        emit(
            {
                "users": [
                    {
                        "email": one.email,
                        "role": one.role,
                        "provider": one.provider,
                        "active": one.is_active,
                        "password": one.has_password,
                        "totp": one.has_totp,
                    }
                    for one in everyone
                ]
            }
        )
        return
    for one in everyone:
        marks = [one.role, one.provider, "closed" if not one.is_active else None, "code" if one.has_totp else None]
        say(f"{one.email}  {'  '.join(mark for mark in marks if mark)}")
    if not everyone:
        note("There are no accounts yet. `ivr user add EMAIL --role admin` makes one.")


@user.command()
@click.argument("email")
@json_option
@command
def close(email: str, as_json: bool) -> None:
    """Close an account; its sessions end at once."""
    _set_active(email, False, as_json)


@user.command()
@click.argument("email")
@json_option
@command
def reopen(email: str, as_json: bool) -> None:
    """Open a closed account again."""
    _set_active(email, True, as_json)


def _set_active(email: str, is_active: bool, as_json: bool) -> None:
    accounts.set_active(Database(load_settings().database), email, is_active)
    if as_json:
        emit({"email": email, "active": is_active})
    else:
        say("The account is open." if is_active else "The account is closed.")


def _show_link(settings: Settings, token: str, as_json: bool, **facts: str | None) -> None:
    link = f"{settings.public_base_url.rstrip('/')}/uitnodiging/{token}"
    if as_json:
        emit({**facts, "invitation": link, "days": accounts.INVITATION_DAYS})
    else:
        say(f"Send this link to its owner; it works once, for {accounts.INVITATION_DAYS} days:\n{link}")
