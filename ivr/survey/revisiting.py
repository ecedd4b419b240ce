"""Going back on a page: a question of this visit is put again, and what hung on its old answer goes.

Pure, like the engine it stands beside. On the phone nobody goes back, so the engine itself knows nothing of it: here
its state is set to the earlier question, `interview.advance` takes the new answer, and goes on where nothing is
answered yet.
"""

from __future__ import annotations

from ivr.survey.questionnaire import Questionnaire
from ivr.survey.state import Interview, changed, enter


def put_again(interview: Interview, question: str) -> Interview:
    """The interview with `question` being put; its answer stands until `advance` brings another.

    Also after the end: then the interview goes on from there, and ends once more.
    """
    return enter(interview, "question", question=question, outcome=None, passed_in_silence=0)


def without_ground(questionnaire: Questionnaire, interview: Interview) -> tuple[Interview, tuple[str, ...]]:
    """The interview without answers to questions that its other answers no longer lead to, and which those were.

    Somebody says that the teacher was ill and what happened then, goes back, and says that the teacher never was.
    """
    kept = dict(interview.answers)
    gone: list[str] = []
    for question in questionnaire.questions:  # a condition looks at earlier questions only, so one pass will do
        if question.id in kept and not question.applies(kept, interview.occasion.service):
            del kept[question.id]
            gone.append(question.id)
    if not gone:
        return interview, ()
    repeat = tuple(id for id in interview.repeat if id in kept)
    return changed(interview, answers=kept, repeat=repeat), tuple(gone)
