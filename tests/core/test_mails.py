"""What holds of every queue of mails: at least once, in one pair of hands, and not for ever."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail as outgoing
from django.db import OperationalError, connection, transaction

from apps.core import clock, tasks
from apps.core import mail as core_mail
from apps.core.clock import database_now
from apps.core.mail import LEASE, MOST_ATTEMPTS, Queue, Round, queues, register, send_due
from apps.core.models import Mailed
from config.celery import app as celery
from tests.mails import WAITING, send, send_round
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _clock_can_be_moved(settings):
    settings.MOVABLE_CLOCK = True


@pytest.fixture(params=sorted(WAITING))
def name(request) -> str:
    return request.param


@pytest.fixture
def row(name) -> Mailed:
    row = WAITING[name]()
    outgoing.outbox.clear()  # what its making alone has sent
    return row


def fail(**mail) -> None:
    raise OSError("no mail server")


def speechless_about(row: Mailed, queue: Queue) -> Queue:
    """Return the queue, as if the letters of one of its rows could not be written."""

    def write(rows):
        if row in rows:
            raise LookupError("nothing can be said of it")
        return queue.letters(rows)

    return Queue(name=queue.name, rows=queue.rows, letters=write, after=queue.after)


def wait_no_longer_than(time: str) -> None:
    """Let this connection's statements fail that wait so long for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [time])


class TestEveryQueue:
    def test_is_tested_here(self):
        assert set(WAITING) == set(queues())

    def test_is_swept_by_the_beat(self):
        entries = celery.conf.beat_schedule.values()
        swept = {one["kwargs"]["queue"] for one in entries if one["task"] == "core.send_mails"}

        assert swept == set(queues())

    def test_finds_its_rows_by_an_index(self, row):
        index, *_ = [one for one in row._meta.indexes if one.fields == ["mail_due_at"]]

        assert index.name == f"{row._meta.app_label}_{row._meta.model_name}_to_mail"
        assert index.condition is not None

    def test_has_a_name_of_its_own(self, name):
        queue = queues()[name]
        register(queue)  # once more is no other

        with pytest.raises(ValueError, match=name):
            register(Queue(name=name, rows=queue.rows, letters=lambda rows: []))


class TestARow:
    def test_is_told_once(self, name, row):
        before = database_now()
        celery.tasks["core.send_mails"](queue=name)
        mails = len(outgoing.outbox)
        celery.tasks["core.send_mails"](queue=name)

        row.refresh_from_db()
        assert mails == len(outgoing.outbox) > 0
        assert (row.mail_due_at, row.mail_attempts) == (None, 1)
        assert row.sent_at > before

    def test_is_not_told_in_a_transaction(self, name):
        with transaction.atomic(), pytest.raises(RuntimeError, match="must not run in"):
            send(name)

    def test_is_told_once_by_many_workers(self, name, row):
        done = at_once([lambda: send(name)] * 4)
        mails = len(outgoing.outbox)

        assert sum(done) == 1
        assert mails == len({(*one.to, one.subject) for one in outgoing.outbox}) > 0

    def test_is_tried_again_after_a_pause_that_doubles(self, name, row, monkeypatch):
        moment, pauses = database_now(), []
        with monkeypatch.context() as broken:
            broken.setattr(core_mail, "send_mail", fail)
            for _ in range(3):
                with clock.moved_to(moment):
                    done = send_round(name)
                assert (done.mails, done.failed) == (0, 1)
                row.refresh_from_db()
                pauses.append(row.mail_due_at - moment)
                with clock.moved_to(row.mail_due_at - timedelta(seconds=1)):
                    assert send_round(name).failed == 0
                moment = row.mail_due_at

        assert pauses == [LEASE, 2 * LEASE, 4 * LEASE]
        with clock.moved_to(moment):
            assert send(name) == 1

    def test_is_given_up_after_many_attempts(self, name, row, monkeypatch):
        monkeypatch.setattr(core_mail, "send_mail", fail)
        monkeypatch.setattr(core_mail, "LEASE", timedelta(minutes=1))  # so that all stays news
        moment = database_now()
        for attempt in range(MOST_ATTEMPTS):
            row.refresh_from_db()
            assert (row.mail_attempts, row.sent_at) == (attempt, None)
            moment = max(moment, row.mail_due_at)
            with clock.moved_to(moment):
                assert send_round(name).failed == 1

        row.refresh_from_db()
        assert row.sent_at is None
        assert row.mail_due_at is None

    def test_is_left_to_another_when_a_worker_dies(self, name, row, monkeypatch):
        def die(**mail):
            raise SystemExit

        with monkeypatch.context() as killed, pytest.raises(SystemExit):
            killed.setattr(core_mail, "send_mail", die)
            send(name)
        assert send_round(name).mails == 0

        with clock.moved_to(database_now() + LEASE):
            assert send(name) == 1
        assert outgoing.outbox

    def test_is_told_no_more_when_each_of_many_workers_died_over_it(self, name, row, monkeypatch):
        """Each of them may have sent the mail before he died."""

        def die(self, **changes):
            raise SystemExit

        moment = database_now()
        with monkeypatch.context() as killed:
            killed.setattr(core_mail._Held, "end", die)
            for attempt in range(MOST_ATTEMPTS):
                with clock.moved_to(moment + attempt * LEASE), pytest.raises(SystemExit):
                    send(name)
        mails = len(outgoing.outbox)

        with clock.moved_to(moment + MOST_ATTEMPTS * LEASE):
            assert send(name) == 0
        row.refresh_from_db()
        assert len(outgoing.outbox) == mails
        assert row.mail_due_at is None


class TestTheTask:
    @pytest.fixture
    def rounds(self, monkeypatch):
        """Let each round take 25 seconds and leave something; return the list of the rounds."""
        rounds = []

        def send_nothing(queue):
            rounds.append(queue.name)
            return Round(mails=0, failed=core_mail.ROWS_OF_A_ROUND, has_more=True)

        monkeypatch.setattr(core_mail, "send_due", send_nothing)
        monkeypatch.setattr(tasks, "monotonic", lambda: 25.0 * len(rounds))
        return rounds

    def test_begins_no_round_after_its_first_minute(self, rounds):
        tasks.send_mails(queue="invitations")

        assert rounds == ["invitations"] * 3

    def test_ends_before_it_is_handed_out_again_though_the_mail_server_hangs(self):
        longest = tasks.ROUNDS_BEGIN_WITHIN + core_mail.ROWS_OF_A_ROUND * settings.EMAIL_TIMEOUT

        assert longest < celery.conf.broker_transport_options["visibility_timeout"]


class TestAWorker:
    def test_that_slept_through_its_lease_sends_nothing(self, name, row, monkeypatch):
        hold, others = core_mail._hold, []

        def sleep_first(queue, claim):
            if not others:
                others.append(None)
                with clock.moved_to(database_now() + LEASE):
                    others.append(send(name))
                others.append(len(outgoing.outbox))
            return hold(queue, claim)

        monkeypatch.setattr(core_mail, "_hold", sleep_first)

        assert send(name) == 0
        assert others == [None, 1, len(outgoing.outbox)]

    def test_that_lost_the_row_while_it_sent_writes_nothing(self, name, row, monkeypatch):
        """Somebody let it be told anew, as of a new secret, while the mail went out."""
        anew = database_now() - timedelta(minutes=1)
        real = core_mail.send_mail

        def lose(**mail):
            real(**mail)
            type(row).objects.update(mail_due_at=anew)

        monkeypatch.setattr(core_mail, "send_mail", lose)
        send(name)

        row.refresh_from_db()
        assert len(outgoing.outbox) == 1  # and no second letter, where there is one
        assert (row.mail_due_at, row.sent_at) == (anew, None)

    def test_does_not_keep_others_from_their_mails(self, name, row):
        """Neither by a mail server that refuses one, nor by one of which nothing can be said."""
        WAITING[name]()
        moment = database_now()

        with clock.moved_to(moment):
            done = send_due(speechless_about(row, queues()[name]))
        row.refresh_from_db()

        assert (done.mails, done.failed) == (1, 1)
        assert (row.mail_attempts, row.mail_due_at) == (1, moment + LEASE)

    def test_gives_up_a_row_of_which_nothing_can_be_said(self, name, row):
        type(row).objects.update(mail_attempts=MOST_ATTEMPTS - 1)

        assert send_due(speechless_about(row, queues()[name])).failed == 1
        row.refresh_from_db()
        assert (row.mail_attempts, row.mail_due_at) == (MOST_ATTEMPTS, None)
        assert row.sent_at is None

    def test_leaves_rows_in_other_hands_and_does_not_wait(self, name, row):
        def work() -> int:
            wait_no_longer_than("300ms")
            return send(name)

        with transaction.atomic():
            type(row).objects.select_for_update().get(pk=row.pk)
            assert at_once([work]) == [0]

        assert send(name) == 1

    def test_locks_the_row_while_it_writes_its_letters(self, name, row):
        """So that nothing that happens meanwhile is undone, or said as if it had not."""
        queue, said = queues()[name], []

        def withdraw() -> str:
            wait_no_longer_than("300ms")
            try:
                type(row).objects.filter(pk=row.pk).update(mail_due_at=None)
            except OperationalError:
                return "must wait"
            return "did it"

        def write(rows):
            said.extend(at_once([withdraw]))
            return queue.letters(rows)

        send_due(Queue(name=name, rows=queue.rows, letters=write, after=queue.after))

        assert said == ["must wait"]

    def test_has_a_claim_like_no_other_though_the_clock_stands_still(self, name):
        rows = [WAITING[name]() for _ in range(4)]
        with clock.moved_to(database_now()):
            claims = [core_mail.claim_mails(queues()[name].rows(), limit=1) for _ in rows]

        assert len({claim.until for (claim,) in claims}) == 4
