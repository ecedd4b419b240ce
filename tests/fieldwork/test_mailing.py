"""The mail stage: quiet when all is well, once a day or week whatever happens, and never a person in it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fieldwork_world import World

from ivr.errors import ConfigurationError, MailError, RefusedMailError, TryLaterError, UnknownMailError
from ivr.fieldwork import accounts, mailing, noticing
from ivr.fieldwork.mailing import PROVIDER, STAFF, Desk
from ivr.mail import SmtpPost
from ivr.settings import ROOT
from ivr.store import Database, lines, mails, users
from ivr.store.tables import attempts, cases, cells, interviews, orders, providers
from ivr.store.tables_mail import mail_rounds
from ivr.store.tables_mail import mails as mail_table
from tests.mail.smtp_server import Inbox, free_port, smtp_server

MORNING = datetime(2026, 9, 14, 6, 30, tzinfo=UTC)
"""A Monday, half past eight in Amsterdam: both mails are due."""
CONFIG = ROOT / "config" / "mail"


@dataclass
class ListPost:
    """Takes mail into a list; raises `errors` first, one a mail."""

    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    errors: list[MailError] = field(default_factory=list)

    def send(self, to: str, subject: str, body: str, *, name: str, at: datetime) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((to, subject, body, name))


@dataclass
class Office:
    """A fieldwork with a reader of each kind."""

    world: World
    desk: Desk
    post: ListPost = field(default_factory=ListPost)

    def run(self, now: datetime = MORNING) -> dict[str, int]:
        self.world.clock.moment = now
        return mailing.run(self.desk, self.post, now)

    def account(self, email: str, role: str, provider: str | None = None) -> None:
        accounts.accept(
            self.desk.database,
            accounts.add(self.desk.database, email, role, provider=provider),
            "een lange zin met woorden",
        )

    def mails(self) -> list[mails.Mail]:
        with self.desk.database.read() as session:
            return mails.latest(session)


@pytest.fixture
def office(database: Database) -> Office:
    world = World(database)
    world.clock.moment = MORNING
    desk = Desk(
        database=database,
        rulebook=world.catalogue,
        rules=noticing.load_rules(CONFIG),
        words=noticing.load_words(CONFIG),
        url="https://toets.example",
        consent_only=False,
        minimum_n=5,
    )
    made = Office(world, desk)
    made.account("veldwerk@bureau.example", "fieldwork")
    made.account("kijker@bureau.example", "viewer")
    return made


def full_cell(office: Office, target: int = 1, people: int = 30) -> int:
    """A cell with far more people than it needs."""
    cell = office.world.cell(target)
    for _ in range(people):
        office.world.person(cell)
    return cell


def cell_that_falls_short(office: Office) -> int:
    cell = office.world.cell(25)
    for _ in range(6):
        office.world.person(cell)
    return cell


def provider_of(office: Office, cell: int) -> str:
    query = (
        sa.select(providers.c.name)
        .join_from(cells, orders, cells.c.order_id == orders.c.id)
        .join(sa.text("samples"), sa.text("samples.id = cells.sample_id"))
        .join(providers, sa.text("providers.id = samples.provider_id"))
        .where(cells.c.id == cell)
    )
    with office.desk.database.read() as session:
        return session.execute(query).scalar_one()


def calls(office: Office, cell: int, outcome: str, count: int, at: datetime) -> None:
    """Calls that ended so, a while ago."""
    with office.desk.database.write() as session:
        for index in range(count):
            case = session.execute(
                sa.insert(cases).values(
                    sample_id=sa.select(cells.c.sample_id).where(cells.c.id == cell).scalar_subquery(),
                    respondent_group="client",
                    respondent=f"{outcome}-{at:%d%H}-{index}",
                    questionnaire="inburgering",
                    route="telephone",
                    code="0000",
                    is_final=True,
                    disposition=outcome,
                    created_at=at,
                )
            ).inserted_primary_key[0]
            session.execute(
                sa.insert(attempts).values(
                    id=f"{case:032x}", case_id=case, cell_id=cell, number_in_case=1, state="closed", outcome=outcome,
                    planned_at=at, not_before=at, not_after=at, placed_at=at,
                )
            )  # fmt: skip


# -- when, and whether ------------------------------------------------------------------------------------------


def test_nothing_goes_out_when_all_is_well(office: Office) -> None:
    full_cell(office)
    assert office.run() == {"made": 0, "sent": 0, "later": 0, "given_up": 0, "unknown": 0}
    assert office.post.sent == []


def test_a_provider_that_will_not_make_it_is_told_to_staff_and_to_nobody_else(office: Office) -> None:
    cell = cell_that_falls_short(office)
    office.run()
    ((to, subject, body, _),) = office.post.sent
    assert to == "veldwerk@bureau.example"
    assert subject == "Toets: 1 zaak vraagt aandacht"
    assert f"- {provider_of(office, cell)} (inburgering, 2026): 0 van 25, verwacht " in body
    assert "https://toets.example/staff?aandacht=1" in body


def test_a_line_that_is_down_and_missing_audio_are_told(office: Office) -> None:
    full_cell(office)
    office.world.people(office.world.cell(3, voiced=False), 30)
    with office.desk.database.write() as session:
        lines.fail(session, "AC1", MORNING, not_before=MORNING + timedelta(minutes=5), is_down=True)
    office.run()
    ((_, subject, body, _),) = office.post.sent
    assert subject == "Toets: 2 zaken vragen aandacht"
    assert "De lijn naar de telefoonprovider ligt eruit" in body
    assert "Volgende poging: ma 14 sep 08.35" in body
    assert "De spraak ontbreekt" in body


def test_refusals_that_jump_are_told_and_a_high_but_steady_share_is_not(office: Office) -> None:
    cell = full_cell(office)
    before, lately = MORNING - timedelta(days=6), MORNING - timedelta(hours=20)
    for moment, refused, spoken in ((before, 12, 18), (lately, 12, 18)):
        calls(office, cell, "refusal", refused, moment)
        calls(office, cell, "complete", spoken, moment)
    assert office.run()["made"] == 0
    calls(office, cell, "never_call_again", 20, lately - timedelta(hours=1))
    tomorrow = MORNING + timedelta(hours=24)
    office.run(tomorrow)
    ((_, _, body, _),) = office.post.sent
    assert "Er weigeren ineens meer mensen." in body
    assert "64 % van wie iets zei in de laatste 2 dagen, tegen 40 % in de 14 dagen daarvoor" in body


def test_few_conversations_are_no_jump() -> None:
    rules = noticing.load_rules(CONFIG)
    assert noticing.refusals_jump(rules, {"refusal": 19}, {"complete": 100}) is None
    assert noticing.refusals_jump(rules, {"refusal": 20}, {"complete": 19}) is None
    assert noticing.refusals_jump(rules, {"refusal": 3, "complete": 17}, {"complete": 20}) == noticing.Jump(15, 0)
    assert noticing.refusals_jump(rules, {"refusal": 20, "no_answer": 900}, {"complete": 20}) == noticing.Jump(100, 0)


def test_a_list_used_up_long_ago_is_not_told_for_ever(office: Office) -> None:
    cell = office.world.cell(25)
    calls(office, cell, "wrong_person", 3, MORNING - timedelta(days=3))
    office.run()
    assert len(office.post.sent) == 1
    office.run(MORNING + timedelta(days=15))
    assert len(office.post.sent) == 1


def test_a_list_that_nobody_was_ever_called_from_is_told(office: Office) -> None:
    cell = office.world.cell(25)
    with office.desk.database.write() as session:
        sample = sa.select(cells.c.sample_id).where(cells.c.id == cell).scalar_subquery()
        gone = {"disposition": "announcement_expired", "is_final": True, "respondent": "1", "code": "0000"}
        kept = {"respondent_group": "client", "questionnaire": "inburgering", "route": "telephone", "cell_id": cell}
        session.execute(sa.insert(cases).values(sample_id=sample, created_at=MORNING, **gone, **kept))
    office.run()
    ((_, _, body, _),) = office.post.sent
    assert "Iedereen op de lijst is gebeld of viel af" in body


@pytest.mark.parametrize(
    ("moment", "span"),
    [
        (datetime(2026, 9, 14, 5, 29, tzinfo=UTC), None),
        (datetime(2026, 9, 14, 5, 30, tzinfo=UTC), "2026-09-14"),
        (datetime(2026, 9, 14, 21, 59, tzinfo=UTC), "2026-09-14"),
        (datetime(2026, 9, 13, 10, 0, tzinfo=UTC), None),  # a Sunday
        (datetime(2026, 12, 14, 6, 30, tzinfo=UTC), "2026-12-14"),  # winter time
    ],
)
def test_the_mail_to_staff_is_due_from_its_hour_in_amsterdam(moment: datetime, span: str | None) -> None:
    assert noticing.staff_span(noticing.load_rules(CONFIG), moment) == span


def test_the_mail_to_providers_is_due_once_in_a_week() -> None:
    rules = noticing.load_rules(CONFIG)
    week = [MORNING.replace(hour=5) + timedelta(hours=hour) for hour in range(24 * 7)]
    assert {noticing.provider_span(rules, moment) for moment in week} == {None, "2026-W38"}
    new_year = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
    assert noticing.provider_span(rules, new_year) == "2026-W53"


# -- once -------------------------------------------------------------------------------------------------------


def test_a_day_sends_once_and_the_next_day_again(office: Office) -> None:
    cell_that_falls_short(office)
    for minutes in (0, 1, 60, 600):
        office.run(MORNING + timedelta(minutes=minutes))
    assert len(office.post.sent) == 1
    office.run(MORNING + timedelta(days=1))
    assert len(office.post.sent) == 2


def test_a_quiet_morning_stays_quiet_until_the_next(office: Office) -> None:
    office.run()
    cell_that_falls_short(office)
    office.run(MORNING + timedelta(hours=4))
    assert office.post.sent == []


def test_two_clocks_at_the_same_time_send_one_mail_each_reader(office: Office) -> None:
    cell_that_falls_short(office)
    office.account("nog@bureau.example", "admin")
    start, broken = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        try:
            mailing.run(office.desk, office.post, MORNING)
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert sorted(to for to, *_ in office.post.sent) == ["nog@bureau.example", "veldwerk@bureau.example"]


def test_whoever_dies_before_the_outbox_is_filled_leaves_the_day_to_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell_that_falls_short(office)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mails, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            office.run()
    with office.desk.database.read() as session:
        assert session.execute(sa.select(mail_rounds)).all() == []
    office.run(MORNING + timedelta(minutes=1))
    assert len(office.post.sent) == 1


def test_whoever_dies_while_sending_leaves_a_mail_that_is_not_sent_again_by_itself(office: Office) -> None:
    cell_that_falls_short(office)

    class Killed(ListPost):
        def send(self, *given: str, **named: object) -> None:
            super().send(*given, **named)  # type: ignore[arg-type]
            raise KeyboardInterrupt

    killed = Killed()
    with pytest.raises(KeyboardInterrupt):
        mailing.run(office.desk, killed, MORNING)
    assert len(killed.sent) == 1
    assert office.run(MORNING + timedelta(minutes=5))["unknown"] == 0, "it may still be on its way"
    assert office.run(MORNING + timedelta(minutes=11))["unknown"] == 1
    (mail,) = office.mails()
    assert (mail.state, mail.error) == ("unknown", "interrupted")
    assert office.post.sent == []
    with office.desk.database.write() as session:
        assert mails.wait_again(session, mail.id, MORNING + timedelta(minutes=12))
    office.run(MORNING + timedelta(minutes=12))
    assert [name for *_, name in office.post.sent] == [killed.sent[0][3]], "the same Message-ID as before"


# -- a server that fails ----------------------------------------------------------------------------------------


def test_a_server_that_is_away_is_tried_again_ever_later_and_given_up_in_the_end(office: Office) -> None:
    cell_that_falls_short(office)
    office.post.errors = [TryLaterError("ConnectionRefusedError") for _ in range(100)]
    tried = []
    for minute in range(22 * 60):
        now = MORNING + timedelta(minutes=minute)
        if any(office.run(now).values()):
            tried.append(minute)
    (mail,) = office.mails()
    assert tried[:5] == [0, 5, 15, 35, 75]
    assert mail.state == "given_up"
    assert tried[-1] >= 20 * 60
    assert len(tried) < 20


def test_a_server_that_comes_back_gets_the_mail_once(office: Office) -> None:
    cell_that_falls_short(office)
    office.post.errors = [TryLaterError("451")]
    assert office.run()["later"] == 1
    assert office.run(MORNING + timedelta(minutes=4))["sent"] == 0
    assert office.run(MORNING + timedelta(minutes=5))["sent"] == 1
    assert len(office.post.sent) == 1


def test_a_server_that_is_away_is_not_asked_once_for_every_reader(office: Office) -> None:
    cell_that_falls_short(office)
    for number in range(7):
        office.account(f"nog{number}@bureau.example", "admin")
    office.post.errors = [TryLaterError("TimeoutError") for _ in range(8)]
    assert office.run()["later"] == 3
    office.post.errors = []
    assert office.run(MORNING + timedelta(minutes=6))["sent"] == 8


@pytest.mark.parametrize(
    ("error", "state"), [(RefusedMailError("550"), "given_up"), (UnknownMailError("TimeoutError"), "unknown")]
)
def test_a_refused_or_unknown_mail_is_not_tried_again(office: Office, error: MailError, state: str) -> None:
    cell_that_falls_short(office)
    office.account("nog@bureau.example", "admin")
    office.post.errors = [error]
    office.run()
    office.run(MORNING + timedelta(hours=3))
    assert sorted(mail.state for mail in office.mails()) == sorted([state, "sent"])
    assert len(office.post.sent) == 1, "the other reader's mail does not wait for it"


def test_over_a_real_server_that_is_away_at_first_each_reader_gets_one_mail(office: Office) -> None:
    cell_that_falls_short(office)
    office.account("nog@bureau.example", "admin")
    inbox, port = Inbox(), free_port()
    post = SmtpPost(f"smtp://127.0.0.1:{port}", "Toets <toets@bureau.example>", seconds=5)
    assert mailing.run(office.desk, post, MORNING)["later"] == 2
    with smtp_server(inbox, port):
        for minutes in (6, 7, 8):
            mailing.run(office.desk, post, MORNING + timedelta(minutes=minutes))
    assert sorted(to for to, _ in inbox.taken) == ["nog@bureau.example", "veldwerk@bureau.example"]
    assert {mail["Subject"] for _, mail in inbox.taken} == {"Toets: 1 zaak vraagt aandacht"}


# -- providers --------------------------------------------------------------------------------------------------


def succeed(office: Office, cell: int, count: int, at: datetime) -> None:
    with office.desk.database.write() as session:
        ids = session.execute(sa.select(cases.c.id).where(cases.c.cell_id == cell).limit(count)).scalars().all()
        for case in ids:
            session.execute(
                sa.insert(interviews).values(
                    id=f"{case:032x}", case_id=case, cell_id=cell, questionnaire="inburgering", version=1,
                    mode="telephone", started_at=at, usable=True, usable_at=at, successful=True,
                )
            )  # fmt: skip
            done = {"is_final": True, "disposition": "complete", "dialled": 1, "next_call_at": None}
            session.execute(sa.update(cases).where(cases.c.id == case).values(done))
        session.execute(sa.update(cells).where(cells.c.id == cell).values(successful=cells.c.successful + len(ids)))


def test_a_provider_gets_its_own_counts_as_of_midnight_and_nobody_elses(office: Office) -> None:
    mine, other = full_cell(office, 25, 40), full_cell(office, 7, 40)
    name = provider_of(office, mine)
    office.account("aanbieder@dienst.example", "provider", name)
    succeed(office, mine, 3, MORNING - timedelta(hours=20))
    with office.desk.database.write() as session:
        session.execute(sa.update(cells).where(cells.c.id == mine).values(successful=4))  # one of this very morning
    office.run()
    ((_, subject, body, _),) = [one for one in office.post.sent if one[0].startswith("aanbieder")]
    assert subject == "Toets: hoe ver uw telefonische interviews zijn (ma 14 sep 2026)"
    assert "Inburgering, meetperiode 2026: 3 van 25, verwacht " in body
    assert "van 7" not in body
    assert provider_of(office, other) not in body
    assert name in body
    assert "/account." in body, "where to switch it off"


def test_a_list_of_few_people_shows_no_count(office: Office) -> None:
    cell = full_cell(office, 25, 4)
    office.account("aanbieder@dienst.example", "provider", provider_of(office, cell))
    office.run()
    body = next(body for to, _, body, _ in office.post.sent if to.startswith("aanbieder"))
    assert "te weinig mensen" in body
    assert "van 25" not in body


def test_a_provider_hears_of_a_full_cell_that_week_and_then_no_more(office: Office) -> None:
    cell = full_cell(office, 3, 40)
    office.account("aanbieder@dienst.example", "provider", provider_of(office, cell))
    succeed(office, cell, 3, MORNING - timedelta(days=2))
    office.run()
    ((_, _, body, _),) = office.post.sent
    assert "3 van 3." in body
    assert "Het doel is gehaald." in body
    office.run(MORNING + timedelta(days=7))
    assert len(office.post.sent) == 1


def test_a_provider_that_switched_its_mail_off_gets_none_and_its_colleague_does(office: Office) -> None:
    name = provider_of(office, full_cell(office, 25, 40))
    for email in ("aan@dienst.example", "uit@dienst.example"):
        office.account(email, "provider", name)
    (off,) = [one for one in accounts.everyone(office.desk.database) if one.email.startswith("uit")]
    accounts.set_mail(office.desk.database, off, wants_mail=False)
    office.run()
    assert [to for to, *_ in office.post.sent if "dienst" in to] == ["aan@dienst.example"]
    accounts.set_mail(office.desk.database, off, wants_mail=True)
    office.run(MORNING + timedelta(days=7))
    assert "uit@dienst.example" in [to for to, *_ in office.post.sent]


def test_no_mail_names_a_person_a_number_or_a_client(office: Office) -> None:
    cell = cell_that_falls_short(office)
    office.account("aanbieder@dienst.example", "provider", provider_of(office, cell))
    with office.desk.database.write() as session:
        session.execute(sa.update(cases).values(respondent=sa.literal("CL-") + sa.cast(cases.c.id, sa.String)))
    office.run()
    assert len(office.post.sent) == 2
    text = "\n".join(f"{subject}\n{body}" for _, subject, body, _ in office.post.sent)
    assert "+31" not in text
    assert "06" not in text.replace("2026", "")
    assert "CL-" not in text


def test_closed_uninvited_and_demo_accounts_get_nothing(office: Office) -> None:
    cell_that_falls_short(office)
    database = office.desk.database
    accounts.add(database, "genodigd@bureau.example", "admin")
    office.account("weg@bureau.example", "admin")
    accounts.set_active(database, "weg@bureau.example", False)
    with database.write() as session:
        users.add(session, "admin@demo.invalid", "admin", MORNING, is_demo=True)
    office.run()
    assert [to for to, *_ in office.post.sent] == ["veldwerk@bureau.example"]


# -- words and rules --------------------------------------------------------------------------------------------


def test_looking_first_keeps_and_sends_nothing(office: Office) -> None:
    cell_that_falls_short(office)
    (seen,) = mailing.preview(office.desk, STAFF, MORNING)
    assert mailing.preview(office.desk, PROVIDER, MORNING) == []
    assert office.mails() == []
    office.run()
    assert office.post.sent[0][1:3] == (seen.letter.subject, seen.letter.body)


def test_old_mail_is_forgotten_and_its_day_is_not_made_again(office: Office) -> None:
    cell_that_falls_short(office)
    office.run()
    office.run(MORNING + timedelta(days=91))
    with office.desk.database.read() as session:
        spans = session.execute(sa.select(mail_table.c.span)).scalars().all()
        rounds = session.execute(sa.select(mail_rounds.c.span).where(mail_rounds.c.kind == STAFF)).scalars().all()
    assert "2026-09-14" not in spans
    assert "2026-09-14" in rounds


def test_a_text_that_asks_for_what_is_not_known_is_refused_with_its_name(tmp_path: Path) -> None:
    for file in CONFIG.iterdir():
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    noticing.load_words(tmp_path)
    staff = tmp_path / "staff.toml"
    staff.write_text(staff.read_text("utf-8").replace("{expected}", "{voornaam}"), "utf-8")
    with pytest.raises(ConfigurationError, match="voornaam"):
        noticing.load_words(tmp_path)


def test_a_provider_whose_name_looks_like_a_text_to_fill_in_breaks_nothing(office: Office) -> None:
    cell = cell_that_falls_short(office)
    with office.desk.database.write() as session:
        session.execute(sa.update(providers).values(name="{url} \n{0}Bcc: x", name_key="{url}"))
    assert cell
    office.run()
    assert "{url} \n{0}Bcc: x" in office.post.sent[0][2]
    assert "\n" not in office.post.sent[0][1]


def test_who_gets_the_mail_to_staff_is_a_rule(office: Office) -> None:
    cell_that_falls_short(office)
    office.desk = replace(office.desk, rules=replace(office.desk.rules, staff_roles=frozenset({"viewer"})))
    office.run()
    assert [to for to, *_ in office.post.sent] == ["kijker@bureau.example"]
