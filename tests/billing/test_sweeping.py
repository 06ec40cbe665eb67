"""Sweeps: what is refused for one row, or breaks one sweep, keeps nobody else's."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing import tasks
from apps.billing.errors import BillingNotConfigured, StripeRefused, StripeUnavailable
from apps.billing.models import OrganizationSubscription, Payment
from apps.billing.services import (
    checkout,
    handling,
    refund_requests,
    reloads,
    reversals,
    sweeping,
)
from apps.billing.services.subscriptions import (
    abandoning,
    changing,
    own_periods,
    resuming,
    subscribing,
)
from apps.core import scope
from apps.credits.errors import WalletClosed
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.wallets import change_status
from apps.tenants.services.standing import close_organization, reopen_organization
from tests.billing.subscribing import again, make_plan
from tests.people import make_organization

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(days=40)


def make_payment(**fields):
    """Write down what nobody took further for long, the first one made being the oldest."""
    number = Payment.objects.count()
    defaults = {
        "organization": make_organization(),
        "purpose": "custom",
        "credits": 1000,
        "amount": 2000,
        "currency": "eur",
        "is_live": False,
        "created_at": timezone.now() - LONG_AGO + timedelta(hours=number),
    }
    return Payment.objects.create(**defaults | fields)


class TestEach:
    @pytest.mark.parametrize(
        "refusal", [WalletClosed(), StripeRefused(reason="No."), handling.NotKnownYet("Early.")]
    )
    def test_that_is_refused_does_not_keep_the_next(self, refusal):
        rows, seen = [make_payment(), make_payment()], []

        def refuse_first(payment):
            seen.append((payment, scope.current().organization_id))
            if payment == rows[0]:
                raise refusal

        assert sweeping.each(rows, refuse_first) == 2
        assert seen == [(row, row.organization_id) for row in rows]

    @pytest.mark.parametrize("away", [StripeUnavailable, BillingNotConfigured])
    def test_waits_where_nobody_answers(self, away):
        seen = []

        def nobody_there(payment):
            seen.append(payment)
            raise away

        first = make_payment()
        assert sweeping.each([first, make_payment()], nobody_there) == 1
        assert seen == [first]

    def test_that_breaks_is_no_refusal(self):
        def break_down(payment):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            sweeping.each([make_payment()], break_down)


def refuse(*args, **kwargs):
    raise WalletClosed


class TestTheSweepOf:
    """Each of them goes on after a row that is refused."""

    def test_purchases(self, monkeypatch):
        make_payment(), make_payment()
        monkeypatch.setattr(checkout, "_take_up", refuse)
        assert checkout.sweep() == 2

    def test_reloads_which_rings_all_the_same(self, monkeypatch):
        make_payment(purpose="reload"), make_payment(purpose="reload")
        rung = []
        monkeypatch.setattr(reloads, "take_up", refuse)
        monkeypatch.setattr(reloads, "ring_where_low", lambda: rung.append(True))
        assert (reloads.sweep(), rung) == (2, [True])

    def test_changes_of_plans(self, monkeypatch):
        for _ in range(2):
            row = free_plan()
            row.changes.create(
                organization=row.organization,
                kind="cancel",
                created_at=timezone.now() - timedelta(hours=1),
            )
        monkeypatch.setattr(changing, "carry_out", refuse)
        assert resuming.sweep() == 2

    def test_spent_schedules(self, monkeypatch):
        for _ in range(2):
            free_plan(stripe_schedule_id="sub_sched_1")
        monkeypatch.setattr(resuming, "_release", refuse)
        assert resuming.sweep() == 2

    def test_refunds(self, monkeypatch):
        for _ in range(2):
            payment = make_payment(status="succeeded", settled_at=timezone.now())
            payment.refunds.create(
                organization=payment.organization,
                amount=1,
                reason="other",
                created_at=timezone.now() - timedelta(hours=1),
            )
        monkeypatch.setattr(refund_requests, "_resume", refuse)
        assert refund_requests.resume_refunds() == 2


def free_plan(**fields):
    """Subscribe an organization to a free plan, which is due for its next period."""
    with transaction.atomic():
        row = subscribing.begin(
            organization=make_organization(), version=make_plan(None, price=0, rollover_cap=0)
        )
    start = row.current_period_start - LONG_AGO
    OrganizationSubscription.objects.filter(pk=row.pk).update(
        anchored_at=start,
        current_period_start=start,
        current_period_end=own_periods.end_of_period(row, start, 1),
        **fields,
    )
    return again(row)


def periods(row):
    return Lot.objects.filter(organization=row.organization, kind="subscription").count()


class TestFreePlans:
    def test_of_a_closed_organization_wait_until_it_is_open(self):
        closed, other = free_plan(), free_plan()
        organization = close_organization(
            organization=closed.organization, confirmation=closed.organization.slug
        )

        assert own_periods.sweep() == 1
        assert (periods(closed), periods(other)) == (1, 2)
        assert own_periods.sweep() == 0

        reopen_organization(organization=organization)
        assert own_periods.sweep() == 1
        assert periods(closed) == 2

    def test_of_a_wallet_that_staff_closed_wait_as_well(self):
        row = free_plan()
        change_status(wallet=main_wallet(row.organization), reason="Fraud", is_closed=True)
        assert own_periods.sweep() == 0

    def test_whose_wallet_closes_meanwhile_keep_no_other(self, monkeypatch):
        first, other = free_plan(), free_plan()
        give = own_periods.give

        def closed_meanwhile(row):
            if row == first:
                raise WalletClosed
            give(row)

        monkeypatch.setattr(own_periods, "give", closed_meanwhile)
        own_periods.sweep()

        assert (periods(first), periods(other)) == (1, 2)
        assert again(first).current_period_end == first.current_period_end


@pytest.mark.parametrize(
    ("task", "sweeps"),
    [
        (
            tasks.sweep_subscriptions,
            [(own_periods, "sweep"), (resuming, "sweep"), (abandoning, "sweep")],
        ),
        (
            tasks.sweep_refunds,
            [(refund_requests, "resume_refunds"), (reversals, "take_what_came_back")],
        ),
    ],
)
def test_a_sweep_that_breaks_does_not_keep_the_next_and_is_told(monkeypatch, task, sweeps):
    done = []

    def break_down():
        done.append(True)
        raise ZeroDivisionError

    for module, name in sweeps:
        monkeypatch.setattr(module, name, break_down)
    with pytest.raises(ExceptionGroup) as told:
        task()

    assert len(done) == len(told.value.exceptions) == len(sweeps)
