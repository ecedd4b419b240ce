"""The synthetic people are an honest population, and the same one each time."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

from ivr.rehearsal.hearing import read_questionnaires
from ivr.rehearsal.people import Habits, answer_key, letter_code, mood_of, person_for
from ivr.rehearsal.population import SyntheticPopulation, open_population

CONFIG = Path(__file__).resolve().parents[2] / "config"
QUESTIONS = {q.id: q for q in read_questionnaires(CONFIG)}
NUMBERS = [f"+316{index:08d}" for index in range(4000)]


def met(people, numbers, times=1):
    return [people.receives(number, "CA", "http://h/voice/abc/0", 0.0).kind for _ in range(times) for number in numbers]


def test_the_same_seed_meets_the_same_people_in_any_order():
    one = SyntheticPopulation(CONFIG, seed=7)
    two = SyntheticPopulation(CONFIG, seed=7)
    first = dict(zip(NUMBERS[:300], met(one, NUMBERS[:300]), strict=True))
    shuffled = random.Random(1).sample(NUMBERS[:300], 300)
    assert dict(zip(shuffled, met(two, shuffled), strict=True)) == first
    assert dict(zip(NUMBERS[:300], met(SyntheticPopulation(CONFIG, seed=8), NUMBERS[:300]), strict=True)) != first


def test_six_percent_of_numbers_are_not_in_service_and_stay_so():
    people = SyntheticPopulation(CONFIG, seed=1)
    kinds = met(people, NUMBERS)
    dead = {number for number, kind in zip(NUMBERS, kinds, strict=True) if kind == "not_in_service"}
    assert 0.05 < len(dead) / len(NUMBERS) < 0.07
    assert set(met(people, sorted(dead))) == {"not_in_service"}


def test_about_a_third_answers_and_near_half_of_the_others_have_voicemail():
    kinds = Counter(met(SyntheticPopulation(CONFIG, seed=2), NUMBERS))
    ringing = len(NUMBERS) - kinds["not_in_service"]
    # the mean of Beta(1.2, 2.2) is 0.353
    assert 0.33 < kinds["human"] / ringing < 0.38
    assert 0.42 < kinds["machine"] / (ringing - kinds["human"]) < 0.48


def test_who_answers_behaves_in_the_known_proportions():
    habits = Habits()
    moods = Counter(mood_of(person_for(number, 3, habits), habits, random.Random(number)) for number in NUMBERS)
    share = {mood: count / len(NUMBERS) for mood, count in moods.items()}
    assert 0.02 < share["wrong_person"] < 0.04
    assert 0.04 < share["no_dutch"] < 0.06
    assert 0.23 < share["hangs_up"] < 0.28
    assert 0.52 < share["takes_part"] < 0.59


def test_grades_have_the_known_weights():
    people = [person_for(number, 4, Habits()) for number in NUMBERS]
    keys = [answer_key(person, QUESTIONS["INB_CIJFER"], "") for person in people]
    grades = [int(key) for key in keys if key != "0"]
    assert 7.8 < sum(grades) / len(grades) < 8.2
    assert 0.36 < grades.count(8) / len(grades) < 0.42
    assert min(grades) < 4
    assert max(grades) == 10


def test_half_the_people_recommend():
    keys = Counter(answer_key(person_for(number, 4, Habits()), QUESTIONS["LD_AANGERADEN"], "") for number in NUMBERS)
    assert 0.45 < keys["1"] / len(NUMBERS) < 0.52


def test_answers_of_one_person_hang_together():
    """One latent score: who is satisfied in one thing tends to be in another (0.5 between latent answers)."""
    rows = []
    for number in NUMBERS:
        person = person_for(number, 5, Habits())
        keys = [answer_key(person, QUESTIONS[name], "") for name in ("LD_CIJFER", "LD_C_AANDACHT")]
        if "0" not in keys:
            rows.append([float(key) for key in keys])
    mean = [sum(row[i] for row in rows) / len(rows) for i in (0, 1)]
    cov = sum((row[0] - mean[0]) * (row[1] - mean[1]) for row in rows)
    var = [sum((row[i] - mean[i]) ** 2 for row in rows) for i in (0, 1)]
    # grade up, key down: 1 is "heel tevreden"
    assert -0.55 < cov / (var[0] * var[1]) ** 0.5 < -0.25


def test_a_person_means_the_same_when_asked_again():
    person = person_for(NUMBERS[0], 6, Habits())
    for question in QUESTIONS.values():
        assert len({answer_key(person, question, "Noord") for _ in range(3)}) == 1


def test_who_answers_a_shared_number_is_one_of_its_people():
    letters = {number: [{"code": "1111"}, {"code": "2222"}] for number in NUMBERS}
    codes = Counter(letter_code(person_for(number, 1, Habits()), letters) for number in NUMBERS)
    assert set(codes) == {"1111", "2222"}
    assert 0.45 < codes["1111"] / len(NUMBERS) < 0.55
    assert letter_code(person_for("+31699999999", 1, Habits()), letters) is None


def test_the_record_is_written_call_by_call(tmp_path):
    file = tmp_path / "people.jsonl"
    people = SyntheticPopulation(CONFIG, seed=1, record=file)
    kinds = met(people, NUMBERS[:60])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    people.close()
    # who answers or records is written when the call is over
    assert len(lines) == sum(kind in {"busy", "no_answer", "not_in_service"} for kind in kinds)
    assert all(line["synthetisch"] and line["attempt_id"] == "abc" for line in lines)


def test_nobody_is_at_home_in_an_empty_country():
    people = open_population("nobody", CONFIG)
    assert set(met(people, NUMBERS[:20])) == {"no_answer"}
