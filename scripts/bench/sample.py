"""The design of Twilio's Flask sample for surveys (TwilioDevEd/automated-survey-flask), rebuilt as an opponent.

`GET /question/<id>` asks and notes the question in the caller's cookie; `POST /answer/<id>` keeps the answer and
redirects to the next question: two webhooks a question, an ORM with its relations, TwiML by the builder. No signature
is checked, and an answer that comes twice is kept twice. What differs from the sample: both are asked with POST under
`/voice/<attempt>/`, so that one load generator serves all; no extension around SQLAlchemy (one session a request, as
the extension has it); no branch for text messages. With BENCH_PREPARE set it makes its tables and stops.
"""

from __future__ import annotations

import os
from typing import Any

from common import steps
from flask import Flask, request, session, url_for
from sqlalchemy import Enum, ForeignKey, create_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    mapped_column,
    relationship,
    scoped_session,
    sessionmaker,
)
from twilio.twiml.voice_response import VoiceResponse

_NUMERIC = "numeric"
_INSTRUCTIONS = {
    "text": "Spreek na de piep uw antwoord in en druk dan op het hekje",
    "boolean": "Druk op de 1 voor ja en op de 0 voor nee, en dan op het hekje",
    _NUMERIC: "Druk op een cijfer van 1 tot en met 10, en dan op het hekje",
}


class Base(DeclarativeBase):
    """The sample's three tables."""


class Survey(Base):
    __tablename__ = "sample_surveys"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    questions: DynamicMapped[Question] = relationship(back_populates="survey")


class Question(Base):
    __tablename__ = "sample_questions"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    kind: Mapped[str] = mapped_column(Enum("text", _NUMERIC, "boolean", name="sample_kind"))
    survey_id: Mapped[int] = mapped_column(ForeignKey("sample_surveys.id"))
    survey: Mapped[Survey] = relationship(back_populates="questions")
    answers: DynamicMapped[Answer] = relationship(back_populates="question")

    def next(self) -> Question | None:
        """The question after this one."""
        return self.survey.questions.filter(Question.id > self.id).order_by(Question.id).first()


class Answer(Base):
    __tablename__ = "sample_answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    session_id: Mapped[str]
    question_id: Mapped[int] = mapped_column(ForeignKey("sample_questions.id"))
    question: Mapped[Question] = relationship(back_populates="answers")


_URL = os.environ["IVR_DATABASE_URL"]
_OPTIONS: dict[str, Any] = {"connect_args": {"timeout": 30}} if _URL.startswith("sqlite") else {"pool_size": 8}
database = create_engine(_URL, **_OPTIONS)
sessions = scoped_session(sessionmaker(database))
app = Flask("sample")
app.secret_key = "nobody's"  # noqa: S105  (a bench)


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    sessions.remove()


def _question(id: int) -> Question:
    found = sessions().get(Question, id)
    assert found is not None
    return found


@app.post("/voice/<attempt_id>/question/<int:id>")
def ask(attempt_id: str, id: int) -> str:
    question = _question(id)
    session["question_id"] = question.id
    response = VoiceResponse()
    response.say(question.content)
    response.say(_INSTRUCTIONS[question.kind])
    response.gather(action=url_for("keep", attempt_id=attempt_id, id=question.id))
    return str(response)


@app.post("/voice/<attempt_id>/answer/<int:id>")
def keep(attempt_id: str, id: int) -> str:
    question = _question(id)
    content, call = request.values.get("Digits", ""), request.values["CallSid"]
    sessions().add(Answer(content=content, question=question, session_id=call))
    sessions().commit()
    following = question.next()
    response = VoiceResponse()
    if following is None:
        response.say("Dank u wel. Tot ziens!")
        response.hangup()
        session.pop("question_id", None)
    else:
        response.redirect(url_for("ask", attempt_id=attempt_id, id=following.id))
    return str(response)


def prepare() -> None:
    """Make the tables and the questions."""
    Base.metadata.create_all(database)
    with sessions() as orm:
        orm.add(Survey(id=1, title="Inburgering"))
        orm.flush()
        texts = {step.turn: " ".join(prompt.id for prompt in step.said.asks) for step in steps()[1]}
        orm.add_all(
            Question(id=turn, content=text or "cijfer", kind=_NUMERIC, survey_id=1) for turn, text in texts.items()
        )
        orm.commit()


if os.environ.get("BENCH_PREPARE"):
    prepare()
