"""Mails about budgets: at each threshold, once, to those who manage billing."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction

from apps.core import context
from apps.core import mail as core_mail
from apps.core.clock import moved_to
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.errors import BudgetTestTooSoon
from apps.credits.models import BudgetAlert, Lot
from apps.credits.services import budget_alerts
from apps.credits.services.budget_alerts import send_test_alert
from apps.credits.services.budgets import change_budget, create_budget
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.grants import grant_credits
from apps.tenants.models import AuditLog, Organization
from apps.tenants.services.organizations import update_organization
from config.celery import app as celery
from tests.people import make_member, make_organization, make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MARCH = datetime(2027, 3, 5, 12, tzinfo=UTC)
LEASE = core_mail.LEASE


@pytest.fixture(autouse=True)
def _nothing_is_broken():
    yield
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def wallet():
    organization = make_organization(owner=make_person(email="owner@example.com"), name="A & Sons")
    return with_credits(organization)


def with_credits(organization):
    wallet = selectors.main_wallet(organization)
    grant_credits(
        wallet=wallet, amount=10_000, kind=Lot.Kind.PURCHASE, reference="paid", source="test"
    )
    return wallet


def charge(wallet, amount, reference, *, at=MARCH):
    with moved_to(at):
        charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def send(at=MARCH):
    with moved_to(at):
        return core_mail.send_due(budget_alerts.QUEUE).mails


def budget_of(wallet, limit=100, *, at=MARCH, **terms):
    with moved_to(at):
        return create_budget(wallet=wallet, monthly_limit=limit, **terms)


def told():
    return list(BudgetAlert.objects.order_by("created_at").values_list("percent", flat=True))


class TestThreshold:
    def test_is_told_once_each(self, wallet):
        budget_of(wallet)
        said = []
        for number, amount in enumerate((49, 1, 29, 1, 19, 1)):
            charge(wallet, amount, f"c:{number}")
            said.append((send(), send()))

        assert said == [(0, 0), (1, 0), (0, 0), (1, 0), (0, 0), (1, 0)]
        assert told() == [50, 80, 100]

    def test_passed_together_with_others_is_told_as_the_highest(self, wallet):
        budget_of(wallet)
        charge(wallet, 85, "a")

        assert (send(), told()) == (1, [80])

    def test_is_not_told_again_when_credits_came_back(self, wallet):
        budget_of(wallet)
        charge(wallet, 60, "a")
        charge(wallet, 40, "b")
        send()
        with moved_to(MARCH):
            refund_charge(wallet=wallet, charge_reference="b", reference="-b", source="test")
        assert send() == 0
        charge(wallet, 40, "c")

        assert (send(), told()) == (0, [100])

    def test_is_told_again_in_the_next_month(self, wallet):
        budget_of(wallet)
        april = MARCH + timedelta(days=30)
        charge(wallet, 50, "a")
        send()
        charge(wallet, 50, "b", at=april)

        assert (send(april), told()) == (1, [50, 50])

    def test_is_told_again_of_another_limit_and_not_of_the_first_one_twice(self, wallet):
        budget = budget_of(wallet)
        charge(wallet, 100, "a")
        sent = [send()]
        for limit in (120, 100, 120):
            with moved_to(MARCH):
                change_budget(budget=budget, monthly_limit=limit)
            sent.append(send())

        assert sent == [1, 1, 0, 0]
        assert told() == [100, 80]

    @pytest.mark.parametrize("terms", [{"thresholds": []}, {"thresholds": [70]}])
    def test_that_nobody_asked_for_is_not_told(self, wallet, terms):
        budget_of(wallet, **terms)
        charge(wallet, 69, "a")

        assert send() == 0

    def test_of_a_budget_that_is_off_is_not_told(self, wallet):
        budget = budget_of(wallet)
        charge(wallet, 60, "a")
        with moved_to(MARCH):
            change_budget(budget=budget, is_active=False)

        assert (send(), told()) == (0, [])

    def test_that_waits_when_the_budget_is_switched_off_is_not_sent(self, wallet):
        budget = budget_of(wallet)
        charge(wallet, 60, "a")
        with moved_to(MARCH):
            budget_alerts._write_alerts(10)
            change_budget(budget=budget, is_active=False)

        assert send() == 0
        assert BudgetAlert.objects.get().status == "dropped"

    def test_of_an_organization_that_is_shut_out_is_not_told(self, wallet):
        budget_of(wallet)
        charge(wallet, 60, "a")
        Organization.objects.update(is_active=False)

        assert (send(), told()) == (0, [])

    def test_of_a_limit_of_nothing_is_told_when_something_is_used(self, wallet):
        budget_of(wallet, limit=0, action="notify")
        assert send() == 0
        charge(wallet, 1, "a")

        assert (send(), told()) == (1, [100])

    def test_is_told_by_the_clock_of_the_beat(self, wallet, monkeypatch):
        for _ in range(3):
            other = with_credits(make_organization())
            budget_of(other, limit=0, action="notify")
            charge(other, 1, "a")
        one_row = partial(core_mail.send_due, limit=1)
        monkeypatch.setattr(core_mail, "send_due", one_row)
        entry = celery.conf.beat_schedule["Send alerts of budgets"]
        with moved_to(MARCH):
            celery.tasks[entry["task"]](**entry["kwargs"])

        assert len(mail.outbox) == 3


class TestMail:
    def test_says_what_is_used_and_what_stops_in_text_and_html(self, wallet):
        update_organization(organization=wallet.organization, time_zone="Europe/Berlin")
        wallet.organization.refresh_from_db()
        budget = budget_of(wallet, limit=2000)
        charge(wallet, 1700, "a")
        send()

        (message,) = mail.outbox
        ((html, kind),) = message.alternatives
        assert message.subject == "80 % of the budget of A & Sons is used"
        assert kind == "text/html"
        for text in (message.body, html):
            assert "2,000 credits" in text
            assert "1,700 of" in text
            assert "March 2027" in text
            assert "(85 %)" in text
            assert "refused until 1 April 2027 (Europe/Berlin)" in text
            assert f"/budgets/{budget.public_id}/" in text
        assert "A & Sons" in message.body
        assert "A &amp; Sons" in html

    def test_says_so_where_nothing_stops(self, wallet):
        budget_of(wallet, action="notify")
        charge(wallet, 60, "a")
        send()

        assert "Nothing is stopped" in mail.outbox[0].body
        assert "refused" not in mail.outbox[0].body

    def test_goes_to_those_who_manage_billing_and_to_no_others(self, wallet):
        organization = wallet.organization
        make_member(organization, "billing manager", email="billing@example.com")
        make_member(organization, "developer", email="developer@example.com")
        make_member(organization, "billing manager", email="gone@example.com", is_active=False)
        update_organization(organization=organization, billing_email="invoices@example.com")
        budget_of(wallet)
        charge(wallet, 60, "a")
        send()

        assert mail.outbox[0].to == [
            "billing@example.com",
            "owner@example.com",
            "invoices@example.com",
        ]

    def test_goes_to_the_member_whose_budget_it_is(self, wallet):
        member = make_member(
            wallet.organization, "member", email="anna@example.com", full_name="Anna"
        )
        budget_of(wallet, member=member)
        with context.acting(actor=f"user:{member.public_id}"):
            charge(wallet, 60, "a")
        send()

        assert mail.outbox[0].to == ["owner@example.com", "anna@example.com"]
        assert mail.outbox[0].subject == "50 % of Anna's budget is used"

    def test_is_dropped_when_its_month_is_over(self, wallet, monkeypatch):
        budget_of(wallet)
        charge(wallet, 60, "a")
        with monkeypatch.context() as broken:
            broken.setattr(core_mail, "send_mail", fail)
            assert send() == 0

        assert send(MARCH + timedelta(days=30)) == 0
        assert BudgetAlert.objects.get().status == "dropped"

    def test_is_tried_again_when_it_failed_and_does_not_keep_others(self, wallet, monkeypatch):
        budget_of(wallet)
        charge(wallet, 60, "a")
        other = with_credits(make_organization(owner=make_person(email="o@example.com")))
        budget_of(other, limit=10)
        charge(other, 5, "a")
        send_messages = EmailBackend.send_messages

        def refuse(self, messages):
            if any("owner@example.com" in one.to for one in messages):
                raise OSError
            return send_messages(self, messages)

        with monkeypatch.context() as broken:
            broken.setattr(EmailBackend, "send_messages", refuse)
            assert send() == 1
        assert send() == 0  # not before its claim has ended

        assert send(MARCH + LEASE) == 1
        assert Counter(BudgetAlert.objects.values_list("mail_attempts", flat=True)) == {1: 1, 2: 1}


class TestTest:
    def test_goes_to_the_same_people_and_leaves_the_thresholds_alone(self, wallet):
        budget = budget_of(wallet)
        charge(wallet, 60, "a")
        with moved_to(MARCH):
            alert = send_test_alert(budget=budget)

        assert send() == 2  # the test, and the threshold
        tests = [one for one in mail.outbox if one.subject.startswith("Test: ")]
        assert [one.to for one in tests] == [["owner@example.com"]]
        assert "nothing has happened" in tests[0].body
        assert Counter(told()) == {100: 1, 50: 1}
        assert BudgetAlert.objects.get(pk=alert.pk).status == "sent"
        assert AuditLog.objects.filter(action="budget.test").count() == 1

    def test_is_refused_within_a_minute(self, wallet):
        budget = budget_of(wallet)
        send_test_alert(budget=budget)

        with pytest.raises(BudgetTestTooSoon):
            send_test_alert(budget=budget)
        BudgetAlert.objects.update(created_at=MARCH - timedelta(days=1000))
        send_test_alert(budget=budget)

    def test_goes_out_though_the_budget_is_off(self, wallet):
        budget = budget_of(wallet)
        with moved_to(MARCH):
            change_budget(budget=budget, is_active=False)
            send_test_alert(budget=budget)

        assert send() == 1


class TestRace:
    def test_of_four_workers_tells_each_threshold_once(self, wallet):
        budget_of(wallet)
        charge(wallet, 60, "a")
        for number in range(5):
            other = with_credits(make_organization())
            budget_of(other, limit=10)
            charge(other, 5 + number % 2, "a")

        sent = at_once([send] * 4)

        assert sum(sent) == len(mail.outbox) == 6
        assert BudgetAlert.objects.count() == 6

    def test_of_two_that_find_the_same_at_once_writes_one_row(self, wallet, monkeypatch):
        """Both have looked before either writes: the unique key decides."""
        budget_of(wallet)
        charge(wallet, 60, "a")
        found, may_write = Event(), Event()
        bulk_create = BudgetAlert.objects.bulk_create

        def wait(rows, **options):
            if not found.is_set():
                found.set()
                may_write.wait(10)
            return bulk_create(rows, **options)

        monkeypatch.setattr(BudgetAlert.objects, "bulk_create", wait)
        sent = []

        def first():
            sent.append(send())
            connection.close()

        thread = Thread(target=first)
        thread.start()
        found.wait(10)
        sent.append(send())
        may_write.set()
        thread.join()

        assert sorted(sent) == [0, 1]
        assert (len(mail.outbox), BudgetAlert.objects.count()) == (1, 1)

    def test_of_one_who_was_slow_and_one_who_took_over_sends_one_mail(self, wallet, monkeypatch):
        budget_of(wallet)
        charge(wallet, 60, "a")
        deliver, others = core_mail._deliver, []

        def be_slow(queue, claim):
            if not others:
                others.append(None)
                others.append(send(MARCH + LEASE))
            return deliver(queue, claim)

        monkeypatch.setattr(core_mail, "_deliver", be_slow)

        assert send() == 0
        assert others == [None, 1]
        assert len(mail.outbox) == 1

    def test_with_a_worker_that_holds_a_row_leaves_it_and_sends_the_others(self, wallet):
        for _ in range(2):
            other = with_credits(make_organization())
            budget_of(other, limit=10)
            charge(other, 5, "a")
        with moved_to(MARCH):
            budget_alerts._write_alerts(10)
        held, may_go = Event(), Event()

        def hold():
            with transaction.atomic():
                BudgetAlert.objects.select_for_update().order_by("id").first()
                held.set()
                may_go.wait(10)
            connection.close()

        thread = Thread(target=hold)
        thread.start()
        held.wait(10)
        sent = send()
        may_go.set()
        thread.join()

        assert sent == 1
        assert send() == 1

    def test_of_a_worker_that_died_leaves_the_mail_to_another(self, wallet, monkeypatch):
        budget_of(wallet)
        charge(wallet, 60, "a")

        def die(queue, claim):
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(core_mail, "_deliver", die)
            with pytest.raises(SystemExit):
                send()
        assert (send(), mail.outbox) == (0, [])

        assert send(MARCH + LEASE) == 1
        assert send(MARCH + 3 * LEASE) == 0

    def test_of_a_worker_that_died_before_it_claimed_loses_nothing(self, wallet, monkeypatch):
        budget_of(wallet)
        charge(wallet, 60, "a")

        def die(*args, **options):
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(core_mail, "claim_mails", die)
            with pytest.raises(SystemExit):
                send()

        assert (send(), send()) == (1, 0)


class TestInvariant:
    def test_finds_an_alert_that_was_not_due(self, wallet):
        budget_of(wallet)
        charge(wallet, 60, "a")
        send()
        BudgetAlert.objects.update(used=49)

        assert {one.invariant.code for one in verify() if one.failures} == {"L33"}
        BudgetAlert.objects.update(used=50)


def fail(**mail):
    raise OSError
