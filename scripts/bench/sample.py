"""The design of Twilio's Flask sample for surveys, rebuilt as an opponent: `sample:app`.

`/question/<n>` asks, `/answer/<n>` keeps the answer and redirects to the next question: two webhooks a question, an
ORM, TwiML by the builder. No signature is checked, and an answer that comes twice is kept twice.
With BENCH_PREPARE set it makes its tables and stops.
"""

from __future__ import annotations

import os
from typing import Any

from common import steps
from flask import Flask, Response, request
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker
from twilio.twiml.voice_response import VoiceResponse

_TWIML = "text/xml; charset=utf-8"


class Base(DeclarativeBase):
    """The sample's three tables."""


class Survey(Base):
    __tablename__ = "sample_surveys"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Question(Base):
    __tablename__ = "sample_questions"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    survey_id: Mapped[int] = mapped_column(ForeignKey("sample_surveys.id"))


class Answer(Base):
    __tablename__ = "sample_answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    session_id: Mapped[str]
    question_id: Mapped[int] = mapped_column(ForeignKey("sample_questions.id"))


_URL = os.environ["IVR_DATABASE_URL"]
_OPTIONS: dict[str, Any] = {"connect_args": {"timeout": 30}} if _URL.startswith("sqlite") else {"pool_size": 8}
database = create_engine(_URL, **_OPTIONS)
sessions = scoped_session(sessionmaker(database))
app = Flask("sample")


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    sessions.remove()


@app.post("/voice/<attempt_id>/question/<int:id>")
def ask(attempt_id: str, id: int) -> Response:
    question = sessions().get(Question, id)
    assert question is not None
    response = VoiceResponse()
    gather: Any = response.gather(num_digits=1, action=f"/voice/{attempt_id}/answer/{id}")
    gather.say(question.content, language="nl-NL")
    return Response(str(response), content_type=_TWIML)


@app.post("/voice/<attempt_id>/answer/<int:id>")
def keep(attempt_id: str, id: int) -> Response:
    session = sessions()
    question = session.get(Question, id)
    assert question is not None
    digits, call = request.values.get("Digits", ""), request.values["CallSid"]
    session.add(Answer(content=digits, question_id=question.id, session_id=call))
    session.commit()
    later = select(Question).where(Question.survey_id == question.survey_id, Question.id > question.id)
    following = session.scalars(later.order_by(Question.id)).first()
    response = VoiceResponse()
    if following is None:
        response.say("Dank u wel.")
        response.hangup()
    else:
        response.redirect(f"/voice/{attempt_id}/question/{following.id}")
    return Response(str(response), content_type=_TWIML)


def prepare() -> None:
    """Make the tables and the questions."""
    Base.metadata.create_all(database)
    with sessions() as session:
        session.add(Survey(id=1, title="Inburgering"))
        session.flush()
        texts = {step.turn: " ".join(prompt.id for prompt in step.said.asks) for step in steps()[1]}
        session.add_all(Question(id=turn, content=text or "cijfer", survey_id=1) for turn, text in texts.items())
        session.commit()


if os.environ.get("BENCH_PREPARE"):
    prepare()
