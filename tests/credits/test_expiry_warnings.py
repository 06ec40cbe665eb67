"""Warnings 30, 7 and 1 day before credits expire: once each, to those who pay."""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Thread, current_thread

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import mail as core_mail
from apps.core.clock import moved_to
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.models import ExpiryWarning, Lot, Wallet
from apps.credits.services import expiry_warnings
from apps.credits.services.charges import charge_event
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from apps.tenants.models import User
from config.celery import app as celery
from tests.mails import send_round
from tests.people import make_member, make_organization, make_person, signed_in
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
START = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def _nothing_is_broken(settings):
    settings.TRIAL_CREDITS = 0
    yield
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def organization():
    return make_organization(owner=make_person(email="owner@example.com"), name="Acme & Sons")


def grant(organization, *, days, amount=100, at=START, reference="lot:1", **fields):
    """Grant a lot that lives for so many days from a moment on."""
    with moved_to(at):
        grant_credits(
            wallet=selectors.main_wallet(organization),
            amount=amount,
            kind=Lot.Kind.PURCHASE,
            reference=reference,
            source="test",
            expires_at=at + timedelta(days=days),
            **fields,
        )
    return Lot.objects.get(origin=reference, organization=organization)


def warn(moment, **options):
    """Let the task's work be done at a moment; return how many mails went out."""
    with moved_to(moment):
        return send_round("credit_expiry", **options).mails


def rows():
    return sorted((one.days, one.status.value) for one in ExpiryWarning.objects.all())


@contextmanager
def broken_mail(monkeypatch, *, for_address=""):
    """Let the mail server refuse (what is for an address)."""
    send = EmailBackend.send_messages

    def refuse(self, messages):
        if any(for_address in address for one in messages for address in one.to):
            raise ConnectionRefusedError("no mail server")
        return send(self, messages)

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        yield


class TestWhen:
    def test_thirty_seven_and_one_day_before_once_each(self, organization):
        lot = grant(organization, days=60)
        seen = []
        for hour in range(28 * 24, 60 * 24 + 2):
            if warn(START + timedelta(hours=hour)):
                seen.append(lot.expires_at - (START + timedelta(hours=hour)))

        assert seen == [30 * DAY, 7 * DAY, DAY]
        assert rows() == [(1, "sent"), (7, "sent"), (30, "sent")]

    @pytest.mark.parametrize("days", [30, 7, 1])
    def test_from_the_instant_itself_on(self, organization, days):
        lot = grant(organization, days=60)
        threshold = lot.expires_at - timedelta(days=days)
        warn(threshold - SECOND)  # what was due before is said before

        assert (days, "sent") not in rows()
        assert warn(threshold) == 1
        assert warn(threshold) == 0

    def test_not_at_the_end_nor_after_it(self, organization):
        lot = grant(organization, days=60)

        assert warn(lot.expires_at) == 0
        assert warn(lot.expires_at + DAY) == 0
        assert rows() == []

    def test_only_the_last_for_a_lot_granted_with_five_days_to_live(self, organization):
        lot = grant(organization, days=5)
        mails = [warn(START + timedelta(hours=hour)) for hour in range(5 * 24)]

        assert (sum(mails), mails.index(1)) == (1, 4 * 24)
        assert rows() == [(1, "sent")]
        assert ExpiryWarning.objects.get().lot == lot

    def test_counts_from_when_a_lot_begins(self, organization):
        """Granted long before, but it lives for five days alone."""
        grant(organization, days=65, effective_at=START + 60 * DAY)

        for day in range(61, 64):
            assert warn(START + day * DAY) == 0
        assert warn(START + 64 * DAY) == 1

    def test_counts_from_the_grant_for_a_lot_that_began_before_it(self, organization):
        lot = grant(organization, days=5, effective_at=START - 60 * DAY)

        assert warn(START + SECOND) == 0
        assert warn(lot.expires_at - DAY) == 1

    def test_a_missed_day_sends_the_nearest_only(self, organization):
        lot = grant(organization, days=60)

        assert warn(lot.expires_at - DAY / 2) == 1
        assert warn(lot.expires_at - DAY / 4) == 0
        assert rows() == [(1, "sent")]

    def test_nothing_for_a_lot_without_an_end(self, organization):
        grant_credits(
            wallet=selectors.main_wallet(organization),
            amount=1,
            kind=Lot.Kind.PURCHASE,
            reference="for-ever",
            source="test",
        )

        assert warn(START + 365 * DAY) == 0

    def test_the_task_goes_on_until_nothing_is_left(self, organization, monkeypatch):
        monkeypatch.setattr(core_mail, "send_due", partial(core_mail.send_due, limit=1))
        for number in range(3):
            grant(organization, days=60, reference=f"lot:{number}")

        with moved_to(START + 40 * DAY):
            celery.tasks["core.send_mails"](queue="credit_expiry")

        assert rows() == [(30, "sent")] * 3


class TestWhat:
    def test_credits_that_are_gone_get_none(self, organization):
        set_price(name="render", credit_cost=100, category="compute")
        lot = grant(organization, days=60)
        charge_event(
            wallet=selectors.main_wallet(organization), event="render", reference="j", source="test"
        )

        assert warn(lot.expires_at - 7 * DAY) == 0
        assert rows() == []

    def test_credits_that_have_expired_get_none(self, organization):
        lot = grant(organization, days=60)
        with moved_to(lot.expires_at):
            sweep_expired_lots()

        assert warn(lot.expires_at - DAY) == 0

    @pytest.mark.parametrize("where", ["closed wallet", "inactive organization", "frozen lot"])
    def test_credits_that_nobody_can_use_get_none(self, organization, where):
        lot = grant(organization, days=60)
        if where == "closed wallet":
            Wallet.objects.update(closed_at=START)
        elif where == "frozen lot":
            Lot.objects.update(frozen_at=START)
        else:
            organization.is_active = False
            organization.save()

        assert warn(lot.expires_at - DAY) == 0

    def test_one_mail_tells_of_all_lots_of_an_organization(self, organization):
        grant(organization, days=40, amount=1200)
        grant(organization, days=41, amount=34, reference="lot:2")

        assert warn(START + 20 * DAY) == 1

        (sent,) = mail.outbox
        html = sent.alternatives[0].content
        assert sent.subject == "1,234 credits of Acme & Sons expire within 30 days"
        for text in (sent.body, html):
            assert "1,200 purchase" in text
            assert "34 purchase" in text
            assert f"{START + 40 * DAY:%-d %B %Y, %H:%M} UTC" in text
            assert f"http://testserver/o/{organization.slug}/" in text
        assert "Acme & Sons" in sent.body
        assert "Acme &amp; Sons" in html

    def test_says_what_is_left_and_not_what_was_granted(self, organization):
        set_price(name="render", credit_cost=99, category="compute")
        lot = grant(organization, days=60)
        charge_event(
            wallet=selectors.main_wallet(organization), event="render", reference="j", source="test"
        )

        warn(lot.expires_at - DAY)

        assert mail.outbox[0].subject == "1 credit of Acme & Sons expires within 1 day"
        assert ExpiryWarning.objects.get().amount == 1


class TestWho:
    def test_owners_billing_people_and_the_billing_address(self, organization):
        make_member(organization, "billing manager", email="billing@example.com")
        make_member(organization, "developer", email="developer@example.com")
        make_member(organization, "billing manager", email="gone@example.com", is_active=False)
        organization.billing_email = "invoices@example.com"
        organization.save()
        other = make_organization()
        make_member(other, "owner", email="other@example.com")
        grant(organization, days=60)

        warn(START + 40 * DAY)

        (sent,) = mail.outbox
        assert sorted(sent.to) == [
            "billing@example.com",
            "invoices@example.com",
            "owner@example.com",
        ]

    def test_each_organization_gets_its_own_mail(self, organization):
        other = make_organization(owner=make_person(email="other@example.com"), name="Other")
        grant(organization, days=60, amount=11)
        grant(other, days=60, amount=22)

        assert warn(START + 40 * DAY) == 2

        said = {tuple(sent.to): sent.subject.split()[0] for sent in mail.outbox}
        assert said == {("owner@example.com",): "11", ("other@example.com",): "22"}

    def test_what_another_worker_is_sending_is_told_by_him_alone(self, organization, monkeypatch):
        """Another lot becomes due while the organization's mail is on its way."""
        moment = START + 40 * DAY
        grant(organization, days=60)
        real, said = core_mail.send_mail, []

        def send_and_find_more(**fields):
            monkeypatch.setattr(core_mail, "send_mail", real)
            grant(organization, days=70, at=START - 5 * DAY, reference="lot:2")
            said.append(warn(moment))
            real(**fields)

        monkeypatch.setattr(core_mail, "send_mail", send_and_find_more)

        assert (warn(moment), said) == (1, [1])
        assert [len(told_lots(sent)) for sent in mail.outbox] == [1, 1]

    def test_one_that_came_too_late_keeps_no_other_of_its_mail(self, organization, monkeypatch):
        late = grant(organization, days=60)
        with broken_mail(monkeypatch):
            warn(late.expires_at - 30 * DAY)
        ExpiryWarning.objects.update(mail_due_at=late.expires_at - 7 * DAY)
        grant(organization, days=80, reference="lot:2")

        assert warn(late.expires_at - 7 * DAY) == 1
        assert rows() == [(7, "sent"), (30, "dropped"), (30, "sent")]

    def test_nobody_at_all_is_no_error(self, organization):
        grant(organization, days=60)
        User.objects.update(is_active=False)

        assert warn(START + 40 * DAY) == 0
        assert rows() == [(30, "dropped")]


class TestDelivery:
    def test_is_after_commit(self, organization, monkeypatch):
        grant(organization, days=60)
        seen = []

        def look(self, messages):
            seen.append((connection.in_atomic_block, *rows()))
            return len(messages)

        monkeypatch.setattr(EmailBackend, "send_messages", look)
        warn(START + 40 * DAY)

        assert seen == [(False, (30, "waiting"))]

    def test_refuses_to_run_in_a_transaction(self):
        with transaction.atomic(), pytest.raises(RuntimeError, match="must not run in"):
            send_round("credit_expiry")

    def test_is_tried_again_when_it_failed_and_never_once_it_was_sent(
        self, organization, monkeypatch
    ):
        grant(organization, days=60)
        moment = START + 40 * DAY
        with broken_mail(monkeypatch), moved_to(moment):
            done = send_round("credit_expiry")
            assert (done.mails, done.failed, rows()) == (0, 1, [(30, "waiting")])
            assert send_round("credit_expiry").failed == 0  # not before its lease has run out

        assert warn(moment + core_mail.LEASE) == 1
        assert rows() == [(30, "sent")]
        assert ExpiryWarning.objects.get().mail_attempts == 2
        assert warn(moment + 3 * core_mail.LEASE) == 0
        assert len(mail.outbox) == 1

    def test_of_one_organization_does_not_wait_for_anothers(self, organization, monkeypatch):
        other = make_organization(owner=make_person(email="other@example.com"))
        grant(organization, days=60)
        grant(other, days=60)

        with broken_mail(monkeypatch, for_address="owner@"), moved_to(START + 40 * DAY):
            done = send_round("credit_expiry")

        assert (done.mails, done.failed) == (1, 1)
        assert mail.outbox[0].to == ["other@example.com"]

    def test_drops_what_came_too_late(self, organization, monkeypatch):
        lot = grant(organization, days=60)
        with broken_mail(monkeypatch):
            warn(lot.expires_at - 30 * DAY)

        assert warn(lot.expires_at - 7 * DAY) == 1
        assert rows() == [(7, "sent"), (30, "dropped")]
        assert "within 7 days" in mail.outbox[0].subject

    def test_drops_what_was_used_meanwhile(self, organization, monkeypatch):
        set_price(name="render", credit_cost=100, category="compute")
        lot = grant(organization, days=60)
        with broken_mail(monkeypatch):
            warn(lot.expires_at - 30 * DAY)
        charge_event(
            wallet=selectors.main_wallet(organization), event="render", reference="j", source="test"
        )

        assert warn(lot.expires_at - 29 * DAY) == 0
        assert rows() == [(30, "dropped")]

    def test_is_repeated_after_a_crash_between_mail_and_row(self, organization, monkeypatch):
        """At least once: nobody can know whether the mail went out."""
        grant(organization, days=60)

        def crash(held, **changes):
            raise SystemExit

        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(core_mail._Held, "end", crash)
            warn(START + 40 * DAY)
        assert rows() == [(30, "waiting")]

        assert warn(START + 40 * DAY + core_mail.LEASE) == 1
        assert (len(mail.outbox), rows()) == (2, [(30, "sent")])

    def test_is_left_to_whoever_took_the_claim_over(self, organization, monkeypatch):
        """A worker slept through its lease before it sent anything."""
        grant(organization, days=60)
        moment = START + 40 * DAY
        deliver, others = core_mail._deliver, []

        def sleep_first(queue, claim):
            if not others:
                others.append(None)
                others.append(warn(moment + core_mail.LEASE))
            return deliver(queue, claim)

        monkeypatch.setattr(core_mail, "_deliver", sleep_first)

        assert warn(moment) == 0
        assert others == [None, 1]
        assert len(mail.outbox) == 1


class TestAtOnce:
    def test_four_workers_send_each_warning_once(self):
        organizations = [make_organization(name=f"Org {number}") for number in range(8)]
        for number, one in enumerate(organizations):
            for lot in range(3):
                days = 40 + (number + lot) % 5
                grant(one, days=days, reference=f"lot:{lot}")
        moment = START + 30 * DAY

        def work():
            return sum(warn(moment, limit=5) for _ in range(8))

        at_once([work] * 4)

        told = Counter(line for sent in mail.outbox for line in told_lots(sent))
        assert rows() == [(30, "sent")] * 24
        assert sum(told.values()) == 24  # each lot in one mail
        assert {attempts for (attempts,) in ExpiryWarning.objects.values_list("mail_attempts")} == {
            1
        }

    def test_four_workers_take_over_what_was_left_once(self, organization, monkeypatch):
        for number in range(6):
            grant(organization, days=60, reference=f"lot:{number}")
        moment = START + 40 * DAY
        with broken_mail(monkeypatch):
            warn(moment)

        said = at_once([lambda: warn(moment + core_mail.LEASE)] * 4)

        assert sum(len(told_lots(sent)) for sent in mail.outbox) == 6
        assert (sum(said), rows()) == (len(mail.outbox), [(30, "sent")] * 6)

    def test_what_was_left_is_taken_over_by_one_even_if_he_is_slow(self, organization, monkeypatch):
        """A second worker comes after his lease, while the first writes what he will say."""
        grant(organization, days=60)
        later = START + 40 * DAY + core_mail.LEASE
        with broken_mail(monkeypatch):
            warn(START + 40 * DAY)
        seconds, recipients = [], expiry_warnings.recipients

        def work():
            seconds.append(warn(later + core_mail.LEASE))
            connection.close()

        def wait_for_second(organization):
            if current_thread() is not second:
                second.start()
                second.join(20)
            return recipients(organization)

        second = Thread(target=work)
        monkeypatch.setattr(expiry_warnings, "recipients", wait_for_second)

        assert (warn(later), seconds) == (1, [0])
        assert (len(mail.outbox), rows()) == (1, [(30, "sent")])


def told_lots(sent):
    return [line for line in sent.body.splitlines() if line.startswith("- ")]


class TestTheRow:
    @pytest.mark.parametrize(
        ("guard", "changes"),
        [
            ("credits_sent_warning_is_over", {"sent_at": START}),
            ("credits_warning_is_about_credits", {"amount": 0}),
            ("credits_warning_comes_before", {"days": 0}),
            ("credits_one_warning_per_day", {}),
        ],
    )
    def test_is_guarded_by(self, organization, guard, changes):
        lot = grant(organization, days=60)
        fields = {"organization": organization, "lot": lot, "amount": 1, "mail_due_at": START}
        ExpiryWarning.objects.create(**fields, days=30)

        def write():
            with transaction.atomic():
                row = ExpiryWarning.objects.create(**{**fields, "days": 30 if not changes else 7})
                ExpiryWarning.objects.filter(pk=row.pk).update(**changes or {"amount": 1})
                transaction.set_rollback(True)

        with pytest.raises(IntegrityError, match=guard):
            write()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE credits_expirywarning DROP CONSTRAINT {guard}")
            write()
            transaction.set_rollback(True)

    def test_is_read_by_staff_alone_and_changed_by_nobody(self, organization):
        grant(organization, days=60)
        warn(START + 40 * DAY)
        row = ExpiryWarning.objects.get()
        staff = signed_in(make_person(is_staff=True, is_superuser=True))
        address = "/admin/credits/expirywarning/"

        page = staff.get(address)
        assert row.public_id in page.content.decode()
        assert staff.get(f"{address}add/").status_code == 403
        assert staff.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert signed_in(make_person()).get(address).status_code == 302

    def test_list_asks_as_often_for_many_rows_as_for_one(self, organization):
        staff = signed_in(make_person(is_staff=True, is_superuser=True))
        counts = []
        for number in range(2):
            for lot in range(1 + 5 * number):
                grant(organization, days=60, reference=f"lot:{number}:{lot}")
            warn(START + 40 * DAY)
            staff.get("/admin/credits/expirywarning/")
            with CaptureQueriesContext(connection) as queries:
                staff.get("/admin/credits/expirywarning/")
            counts.append(len(queries))

        assert counts[0] == counts[1]

    def test_is_examined_by_verify(self, organization):
        grant(organization, days=60)
        warn(START + 40 * DAY)
        with transaction.atomic():
            ExpiryWarning.objects.update(days=5)  # it went out weeks before that

            broken = {finding.invariant.code for finding in verify() if finding.failures}
            transaction.set_rollback(True)

        assert broken == {"L13"}
