"""`/v/<token>`: the questions of the call on a page, to be read and to be listened to.

A view reads the form, calls one stage, answers with a redirect (so that "back" and "reload" repeat nothing) or a page.
Decides which recordings say what is on the page; without one the text stands alone. Works without JavaScript: then
each sound is a plain audio element. The link is a capability: it is never logged, cached, indexed or passed on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ivr.fieldwork import visiting, visiting_answers
from ivr.fieldwork.accounts import wall_clock
from ivr.fieldwork.link_kit import LinkKit, load_kit
from ivr.fieldwork.visiting import Next, Step
from ivr.store import links
from ivr.store.links import Visitor
from ivr.survey.questionnaire import Questionnaire
from ivr.web.pages import faults
from ivr.web.pages.access import caller_address, public, the_house

if TYPE_CHECKING:
    from ivr.bootstrap import House

blueprint = Blueprint("spoken", __name__, url_prefix="/v")
faults.handle(blueprint)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response

_VISIT, _SLOW = "bezoek", "langzaam"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_START, _RESUME = "page_start", "page_resume"
_UNCLEAR, _AGAIN = "page_unclear", "page_again"
_THANKS = ("goodbye_complete", "goodbye_number")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is on the page and can be listened to: its text, and the address of its sound if it has one."""

    text: str
    sound: str | None
    value: str = ""
    """Of an answer: what the form sends, and the number that stands before it."""

    @property
    def sentences(self) -> list[str]:
        """One on a line: who reads slowly finds the place again."""
        return _SENTENCE_END.split(self.text)


def register(app: Flask, house: House) -> None:
    """Add the spoken questions to `app`, after its other pages. Rules and letters are read at the first visit."""
    app.register_blueprint(blueprint)


def _kit() -> LinkKit:
    kept = current_app.extensions.get("link_kit")
    if kept is None:
        kept = current_app.extensions["link_kit"] = load_kit(the_house().settings.config_dir)
    return kept


@blueprint.after_request
def keep_to_itself(response: Response) -> Response:
    """Whoever has the link can answer, so nothing on the way may keep it or hand it on."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


@blueprint.get("/<token>")
@public
def start(token: str) -> Page:
    visitor = _visitor(token)
    if not isinstance(visitor, Visitor):
        return visitor
    _note_pace()
    house = the_house()
    stands = visiting.standing(house.database, _kit(), visitor, session.get(_VISIT), wall_clock())
    if stands in ("done", "on_the_phone"):
        return _message(stands)
    questionnaire = house.catalogue.questionnaires[_kit().questionnaire_for(visitor.service)]
    said = _lines(visitor, questionnaire, (_START if stands == "fresh" else _RESUME,))
    return render_template("spoken/start.html", token=token, said=said, stands=stands, slow=_slow())


@blueprint.post("/<token>")
@public
def begin(token: str) -> Page:
    visitor = _visitor(token)
    if not isinstance(visitor, Visitor):
        return visitor
    house = the_house()
    visit_id, to = visiting.begin(
        house.database,
        house.catalogue,
        _kit(),
        visitor,
        session.get(_VISIT),
        now=house.clock.now(),
        wall=wall_clock(),
    )
    if visit_id is not None:
        session[_VISIT] = visit_id
    return _go(token, to)


@blueprint.get("/<token>/<int:number>")
@public
def question(token: str, number: int) -> Page:
    visitor = _visitor(token)
    if not isinstance(visitor, Visitor):
        return visitor
    _note_pace()
    return _question(token, visitor, number)


@blueprint.post("/<token>/<int:number>")
@public
def answer(token: str, number: int) -> Page:
    visitor = _visitor(token)
    if not isinstance(visitor, Visitor):
        return visitor
    house = the_house()
    value = visiting_answers.UNCLEAR if "niet_begrepen" in request.form else request.form.get("antwoord", "").strip()
    to = visiting_answers.answer(
        house.database,
        house.calendar,
        _kit(),
        visitor,
        session.get(_VISIT),
        number,
        request.form.get("vraag", ""),
        value,
        now=house.clock.now(),
        wall=wall_clock(),
    )
    if to.kind == "stay":
        return _question(token, visitor, number, is_wrong=True)
    return _go(token, to)


@blueprint.get("/<token>/klaar")
@public
def end(token: str) -> Page:
    visitor = _visitor(token)
    if not isinstance(visitor, Visitor):
        return visitor
    _note_pace()
    house = the_house()
    if not visiting.has_ended(house.database, _kit(), visitor, session.get(_VISIT), wall_clock()):
        return redirect(url_for("spoken.start", token=token), 303)
    questionnaire = house.catalogue.questionnaires[_kit().questionnaire_for(visitor.service)]
    said = _lines(visitor, questionnaire, _THANKS)
    return render_template("spoken/end.html", token=token, said=said, slow=_slow())


def _visitor(token: str) -> Visitor | Page:
    house = the_house()
    found = visiting.open_door(
        house.database,
        house.sealer,
        _kit(),
        token,
        caller_address(),
        is_visiting=_VISIT in session,
        now=house.clock.now(),
        wall=wall_clock(),
    )
    return found if isinstance(found, Visitor) else _message(found)


def _message(kind: str) -> Page:
    status = {"unknown": 404, "too_often": 429}.get(kind, 200)
    headers = {"Retry-After": "3600"} if status == 429 else {}
    return render_template("spoken/message.html", kind=kind), status, headers


def _go(token: str, to: Next) -> Page:
    if to.kind == "on_the_phone":
        return _message(to.kind)
    if to.kind == "step":
        return redirect(url_for("spoken.question", token=token, number=to.number), 303)
    return redirect(url_for("spoken.end" if to.kind == "end" else "spoken.start", token=token), 303)


def _question(token: str, visitor: Visitor, number: int, *, is_wrong: bool = False) -> Page:
    step = visiting.show(the_house().database, _kit(), visitor, session.get(_VISIT), number, wall_clock())
    if step is None:
        return redirect(url_for("spoken.start", token=token), 303)
    choices = _choices(step)
    asked = step.question.id
    help_id = {"grade": "page_grade", "number": "page_number"}.get(step.question.kind)
    # The second time round the question comes first: only its own remark (`<question>.remark`) is said again.
    ids = (*(id for id in step.said if "." in id), _AGAIN) if step.is_unclear else step.said
    slow = _slow() or step.is_unclear
    lines = _lines(visitor, step.questionnaire, ids, slow=slow)
    # Where the page itself was never voiced, the question's own recording of the call says it with its keys.
    spoken = _lines(visitor, step.questionnaire, (f"{asked}.text",), slow=slow, instead={f"{asked}.text": asked})
    page = render_template(
        "spoken/question.html",
        token=token,
        step=step,
        said=lines,
        asked=spoken[0],
        help=_lines(visitor, step.questionnaire, (help_id,), slow=slow)[0] if help_id else None,
        choices=_lines(visitor, step.questionnaire, [f"{asked}.{value}" for value, _ in choices], slow=slow),
        unclear=_lines(visitor, step.questionnaire, (_UNCLEAR,), slow=slow)[0],
        given=step.given,
        codes=_codes(step),
        is_wrong=is_wrong,
        slow=_slow(),
    )
    return page, 422 if is_wrong else 200


def _choices(step: Step) -> list[tuple[str, str]]:
    """(what the form sends, what stands on the page) of each answer that is a button."""
    question = step.question
    grades: list[tuple[str, str]] = []
    if question.kind == "grade":
        grades = [(str(n), str(n)) for n in range(question.minimum or 1, (question.maximum or 10) + 1)]
    return grades + [(option.key, option.text) for option in question.options]


def _codes(step: Step) -> dict[str, str]:
    """What the form sends → what is stored."""
    grades = {value: value for value, text in _choices(step) if value == text}
    return grades | {option.key: option.code for option in step.question.options}


def _texts(questionnaire: Questionnaire) -> dict[str, str]:
    """Every text of the page by the id of its prompt, placeholders not yet filled."""
    texts = {id: phrase.text for id, phrase in _kit().page_phrases(the_house().catalogue).items()}
    for question in questionnaire.questions:
        texts[f"{question.id}.text"] = question.text
        if question.remark is not None:
            texts[question.remark.id] = question.remark.text
        if question.kind == "grade":
            texts |= {f"{question.id}.{n}": str(n) for n in range(question.minimum or 1, (question.maximum or 10) + 1)}
        texts |= {f"{question.id}.{option.key}": option.text for option in question.options}
    return texts


def _lines(
    visitor: Visitor,
    questionnaire: Questionnaire,
    ids: Sequence[str],
    *,
    slow: bool | None = None,
    instead: dict[str, str] | None = None,
) -> list[Line]:
    """What stands on the page for these prompts, with their sounds. instead: another prompt that says it too."""
    house = the_house()
    slow = _slow() if slow is None else slow
    values = {
        "dienstverlener": visitor.provider,
        "minuten": str(questionnaire.minutes),
        "telefoonnummer": house.settings.help_number,
        "webadres": house.settings.web_address,
    }
    wanted = {*ids, *(instead or {}).values()}
    with house.database.read() as opened:
        sounds = links.sounds_of(opened, visitor, questionnaire.id, questionnaire.version, wanted)
    texts = _texts(questionnaire)
    found: list[Line] = []
    for id in ids:
        names = [id, (instead or {}).get(id, id)]
        sha = next((sounds[key] for name in names for key in ((name, slow), (name, False)) if key in sounds), None)
        text = _PLACEHOLDER.sub(lambda match: values[match[1]], texts[id])
        value = id.rsplit(".", 1)[-1] if "." in id else ""
        found.append(Line(text, f"/prompts/{sha}.wav" if sha else None, value))
    return found


def _note_pace() -> None:
    """`?langzaam=1` and `?langzaam=0`: how fast this browser hears what it listens to."""
    wanted = request.args.get("langzaam")
    if wanted in ("0", "1"):
        session[_SLOW] = wanted == "1"


def _slow() -> bool:
    return bool(session.get(_SLOW))
