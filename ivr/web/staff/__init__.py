"""The pages of the research bureau: the board, a cell, a person, the questionnaires, the log.

Each view reads, calls one stage, and answers.
"""

from ivr.web.staff import board, cell, person, questionnaires, queues
from ivr.web.staff.door import blueprint

__all__ = ["blueprint", "board", "cell", "person", "questionnaires", "queues"]
