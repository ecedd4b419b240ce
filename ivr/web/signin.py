"""Signing in and out, invitations, and one's own account. What counts as proof is `fieldwork/accounts.py`'s."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ivr.errors import RefusedError
from ivr.fieldwork import accounts, second_factor
from ivr.fieldwork.passwords import PASSWORD_MAX, PASSWORD_MIN
from ivr.store.users import Role
from ivr.web.pages.access import (
    allow,
    caller_address,
    current_user,
    home,
    is_demo_door,
    local_path,
    public,
    start_session,
    the_house,
    user,
)
from ivr.web.pages.known import known_browser, remember_browser

blueprint = Blueprint("signin", __name__)

PASSWORD_FAULTS = {
    "too_short": f"Neem een wachtwoord van minstens {PASSWORD_MIN} tekens. Een korte zin werkt goed.",
    "too_long": f"Neem een wachtwoord van hoogstens {PASSWORD_MAX} tekens.",
    "too_easy": "Dit wachtwoord is te makkelijk te raden. Neem een korte zin met gewone woorden.",
    "wrong": "Uw oude wachtwoord klopt niet, of u heeft het te vaak geprobeerd.",
    "unequal": "De twee wachtwoorden zijn niet hetzelfde.",
}
Answer = str | tuple[str, int] | Response
EVERYONE = accounts.ROLES


@blueprint.get("/")
@public
def start() -> Answer:
    signed_in = current_user()
    return _to(home(signed_in.role)) if signed_in else render_template("start.html")


@blueprint.get("/inloggen")
@public
def sign_in() -> Answer:
    signed_in = current_user()
    return _to(home(signed_in.role)) if signed_in else _form()


@blueprint.post("/inloggen")
@public
def check_sign_in() -> Answer:
    house = the_house()
    tried = accounts.sign_in(
        house.database,
        house.sealer,
        request.form.get("email", ""),
        request.form.get("wachtwoord", ""),
        request.form.get("code", ""),
        caller_address(),
        browser=known_browser(request.form.get("email", "")),
    )
    if tried.locked_seconds:
        return _form(f"Te vaak geprobeerd. Probeer het over {_wait(tried.locked_seconds)} opnieuw.", 429)
    if tried.token is None:
        return _form("Dit klopt niet. Kijk naar het e-mailadres, het wachtwoord en, als u die gebruikt, de code.", 401)
    return _begin(tried.token, is_proven=True)


@blueprint.post("/inloggen/demo")
@public
def demo_sign_in() -> Answer:
    role = request.form.get("rol", "")
    if not is_demo_door() or role not in accounts.ROLES:
        return _form("Zo kunt u hier niet inloggen.", 403)
    token = accounts.sign_in_demo(the_house().database, cast(Role, role))
    if token is None:
        return _form("Er is nog geen dienstverlener. Lever eerst een lijst aan.", 409)
    return _begin(token)


@blueprint.post("/uitloggen")
@allow(*EVERYONE)
def sign_out() -> Answer:
    token = session.get("token")
    if isinstance(token, str):
        accounts.sign_out(the_house().database, token)
    session.clear()
    return _to(url_for("signin.sign_in"))


@blueprint.get("/uitnodiging/<token>")
@public
def invitation(token: str) -> Answer:
    invited = accounts.invited(the_house().database, token)
    if invited is None:
        return render_template("invitation_gone.html"), 404
    return render_template("invitation.html", invited=invited, token=token, problem=None)


@blueprint.post("/uitnodiging/<token>")
@public
def accept_invitation(token: str) -> Answer:
    database = the_house().database
    invited = accounts.invited(database, token)
    if invited is None:
        return render_template("invitation_gone.html"), 404
    password = request.form.get("wachtwoord", "")
    try:
        if password != request.form.get("nogmaals", ""):
            raise RefusedError("The passwords differ.", code="unequal")
        begun = accounts.accept(database, token, password)
    except RefusedError as error:
        if error.code not in PASSWORD_FAULTS:
            return render_template("invitation_gone.html"), 404
        problem = PASSWORD_FAULTS[error.code]
        return render_template("invitation.html", invited=invited, token=token, problem=problem), 422
    if begun is None:
        session.clear()
        return _form(done="Uw nieuwe wachtwoord is bewaard. Log in met uw wachtwoord en de code uit uw app.")
    return _begin(begun, is_proven=True)


@blueprint.get("/account")
@allow(*EVERYONE)
def account() -> Answer:
    return _account()


@blueprint.post("/account/code-aan")
@allow(*EVERYONE)
def switch_totp_on() -> Answer:
    house, secret, now = the_house(), session.get("totp"), accounts.wall_clock()
    if not isinstance(secret, str):
        return _to(url_for("signin.account"))
    if not accounts.knows_password(house.database, house.sealer, user(), request.form.get("wachtwoord", "")):
        return _account("Uw wachtwoord klopt niet, of u heeft het te vaak geprobeerd.", 422)
    code = request.form.get("code", "")
    if not second_factor.confirm_totp(house.database, house.sealer, user(), secret, code, now):
        return _account("Die code klopt niet. Wacht op een nieuwe code en probeer het opnieuw.", 422)
    session.pop("totp")
    return _to(url_for("signin.account"))


@blueprint.post("/account/code-uit")
@allow(*EVERYONE)
def switch_totp_off() -> Answer:
    house, now = the_house(), accounts.wall_clock()
    if not second_factor.drop_totp(house.database, house.sealer, user(), request.form.get("code", ""), now):
        return _account("Die code klopt niet. Wacht op een nieuwe code en probeer het opnieuw.", 422)
    return _to(url_for("signin.account"))


@blueprint.post("/account/mail")
@allow("provider")
def switch_mail() -> Answer:
    accounts.set_mail(the_house().database, user(), request.form.get("aan") == "1")
    return _to(url_for("signin.account"))


@blueprint.post("/account/wachtwoord")
@allow(*EVERYONE)
def change_password() -> Answer:
    house, new = the_house(), request.form.get("wachtwoord", "")
    try:
        if new != request.form.get("nogmaals", ""):
            raise RefusedError("The passwords differ.", code="unequal")
        token = accounts.change_password(house.database, house.sealer, user(), request.form.get("oud", ""), new)
    except RefusedError as error:
        return _account(PASSWORD_FAULTS[error.code], 422)
    start_session(token)
    return _account(done="Uw nieuwe wachtwoord is bewaard. Op andere computers bent u nu uitgelogd.")


@blueprint.post("/account/overal-uitloggen")
@allow(*EVERYONE)
def sign_out_everywhere() -> Answer:
    accounts.sign_out_everywhere(the_house().database, user())
    session.clear()
    return _to(url_for("signin.sign_in"))


def _account(problem: str | None = None, status: int = 200, *, done: str | None = None) -> tuple[str, int]:
    signed_in, secret, address = user(), None, None
    if not signed_in.has_totp and not signed_in.is_demo:
        # The secret waits in the signed cookie of the very person it is for, until a code proves it.
        secret = session.setdefault("totp", second_factor.new_totp_secret())
        address = second_factor.totp_address(secret, signed_in.email)
        secret = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return render_template("account.html", secret=secret, address=address, problem=problem, done=done), status


def _form(problem: str | None = None, status: int = 200, *, done: str | None = None) -> tuple[str, int]:
    onward, typed = local_path(request.values.get("verder")) or "", request.form.get("email", "")[:254]
    page = render_template("signin.html", problem=problem, done=done, onward=onward, typed=typed, demo=is_demo_door())
    return page, status


def _begin(token: str, *, is_proven: bool = False) -> Response:
    onward = local_path(request.form.get("verder"))
    start_session(token)
    signed_in = current_user()
    if signed_in is None:  # closed in this very moment
        return _to(url_for("signin.sign_in"))
    # Where somebody else left off before signing out may be closed to this role.
    closed = ("/staff", "/softphone") if signed_in.role == "provider" else ("/aanbieder",)
    answer = _to(onward if onward is not None and not onward.startswith(closed) else home(signed_in.role))
    if is_proven:
        remember_browser(answer, signed_in.email)
    return answer


def _to(address: str) -> Response:
    return cast(Response, redirect(address, 303))


def _wait(seconds: int) -> str:
    return f"{seconds} seconden" if seconds < 90 else f"{(seconds + 59) // 60} minuten"
