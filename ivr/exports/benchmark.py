"""The benchmark "alle deelnemers": all answers of all providers of a meetperiode together, one's own included.

Withheld below a number of providers, and wherever the providers whose own figures are hidden could be worked out
by subtracting the others from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from ivr.survey.questionnaire import Question
from ivr.survey.scoring import Distribution, Rules, distribution, hides_total, mean_of


class Benchmark:
    """Figures over all participants. `tallies`: per provider, question id → value → count."""

    def __init__(
        self,
        tallies: Sequence[Mapping[str, Mapping[str, int]]],
        rules: Rules,
        known: Callable[[str], Question | None],
    ) -> None:
        self._shown: dict[str, Distribution] = {}
        self._means: dict[str, Decimal | None] = {}
        for id in sorted({id for tally in tallies for id in tally}):
            question = known(id)
            parts = [distribution(id, question, tally[id]).n for tally in tallies if id in tally]
            bases = {str(index): n for index, n in enumerate(parts) if n}
            if len(bases) < rules.minimum_providers or hides_total(bases, rules.minimum_n):
                continue
            together: Counter[str] = Counter()
            for tally in tallies:
                together.update(tally.get(id, {}))
            self._shown[id] = distribution(id, question, together)
            self._means[id] = mean_of(together)

    def distribution(self, question: str) -> Distribution | None:
        """The distribution over all participants; None where it is withheld."""
        return self._shown.get(question)

    def percent(self, question: str, answer: str) -> Decimal | None:
        """The whole percentage of an answer, 0 for one that nobody gave; None where it is withheld."""
        part = self._shown.get(question)
        return None if part is None else part.percent(dict(part.parts).get(answer, 0))

    def mean(self, question: str) -> Decimal | None:
        """The mean of all grades, one decimal; None where it is withheld."""
        return self._means.get(question)
