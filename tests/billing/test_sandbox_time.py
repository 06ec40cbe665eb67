"""Sandboxes: whose time a sweep, a worker and a job go by, and what stands still."""

import json
from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import invoices as gateway
from apps.billing.gateway import reloads as charging
from apps.billing.models import BillingDetails, InvoiceAttempt, Payment
from apps.billing.services import details_pushing, invoice_attempts, reloads, sandboxes
from apps.core import mail
from apps.core.clock import moved_to, workers_now
from apps.credits.models import BudgetAlert, CreditTransaction, ExpiryWarning, Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services import budget_alerts
from apps.credits.services.budgets import create_budget
from apps.credits.services.charges import charge_amount
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.expiry_warnings import write_warnings
from apps.credits.services.holds import hold_amount
from apps.jobs.models import GenerationJob
from apps.rbac.models import LastSeen
from tests.billing.boxes import Box, give_credits
from tests.billing.invoicing import ask, open_invoice
from tests.billing.reloading import charges, ready, with_card
from tests.billing.test_billing_details import write
from tests.jobs.work import OPERATION, make_upload, set_price
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken", "no_trial"),
]
DAY = timedelta(days=1)


@pytest.fixture
def box(stripe, no_trial):
    return Box(stripe)


@pytest.fixture
def ahead(box):
    """Return a sandbox two months ahead."""
    box.move(box.now + 60 * DAY)
    box.organization.refresh_from_db()
    return box


def unanswered(*given, **more):
    raise StripeUnavailable


class TestASweepOfAllOrganizations:
    def test_expires_nothing_where_time_stands_still(self, box):
        bystander, end = make_organization(), box.now + DAY
        for one in (box.organization, bystander):
            give_credits(one, end)
            hold_amount(
                wallet=main_wallet(one), amount=5, reference="hold", source="test", ttl=DAY / 2
            )

        with moved_to(end + DAY):
            assert sweep_expired_lots().wallets == 1

        assert Lot.objects.get(organization=bystander).remaining == 0
        assert Lot.objects.get(organization=box.organization).remaining == 25
        assert (box.wallet().held, main_wallet(bystander).held) == (5, 0)

    def test_warns_nobody_where_time_stands_still(self, box):
        bystander, end = make_organization(), box.now + 40 * DAY
        for one in (box.organization, bystander):
            give_credits(one, end)

        with moved_to(end - DAY / 2):
            assert write_warnings() == 1

        assert ExpiryWarning.objects.get().organization == bystander

    def test_tells_of_a_budget_by_the_sandboxs_month(self, ahead):
        with ahead.here():
            give_credits(ahead.organization)
            create_budget(wallet=ahead.wallet(), monthly_limit=10)
            charge_amount(wallet=ahead.wallet(), amount=10, reference="use", source="test")

        mail.send_due(budget_alerts.QUEUE)

        alert = BudgetAlert.objects.get()
        assert (alert.month, alert.mail_due_at) == (ahead.now.date().replace(day=1), ahead.now)


class TestAWorker:
    def test_that_comes_late_does_nothing_at_an_older_moment(self, box):
        start = box.now
        give_credits(box.organization, start + 40 * DAY)
        box.move(start + 39 * DAY)

        sandboxes._live_through(box.organization, start + 15 * DAY)

        assert list(ExpiryWarning.objects.values_list("days", flat=True)) == [1]

    def test_asks_again_for_an_invoice_that_got_no_answer(self, ahead, monkeypatch):
        with_card(ahead.stripe, ahead.organization)
        document = open_invoice(ahead.stripe, ahead.organization)
        with ahead.here():
            attempt = ask(document)
            with monkeypatch.context() as patch, pytest.raises(StripeUnavailable):
                patch.setattr(gateway, "pay_invoice", unanswered)
                invoice_attempts.resume(ahead.organization, attempt.pk)
        InvoiceAttempt.objects.update(created_at=F("created_at") - timedelta(minutes=5))

        assert invoice_attempts.sweep() == 1

        attempt.refresh_from_db()
        assert attempt.status == "paid"
        assert attempt.ended_at < workers_now()
        assert len(charges(ahead.stripe)) == 1

    @pytest.mark.parametrize("is_asked", [True, False])
    def test_asks_again_for_a_reload_that_got_no_answer(self, ahead, monkeypatch, is_asked):
        with ahead.here():
            ready(ahead.stripe, ahead.organization)
            payment = reloads.claim(ahead.organization.pk)
            if is_asked:
                with monkeypatch.context() as patch:
                    patch.setattr(charging, "charge_saved_card", unanswered)
                    reloads.charge(payment)
                Payment.objects.update(asked_at=F("asked_at") - timedelta(minutes=5))
        assert payment.created_at == ahead.now  # by which its month is capped

        assert reloads.sweep() == 1

        payment.refresh_from_db()
        assert payment.status == "succeeded"
        assert payment.asked_at < workers_now()

    def test_leases_what_it_tells_in_real_time(self, ahead, monkeypatch):
        with ahead.here():
            details = details_pushing._claim(write(ahead.organization))
            assert details.push_claimed_until < workers_now() + DAY
        BillingDetails.objects.update(push_claimed_until=workers_now() - DAY)
        BillingDetails.objects.update(changed_at=workers_now() - DAY)

        assert details_pushing.sweep() == 1

        details.refresh_from_db()
        assert details.pushed_at < workers_now()


class TestRealTime:
    def test_is_when_somebody_was_there(self, ahead):
        owner = make_member(ahead.organization, "owner")
        page = reverse("credits:overview", args=[ahead.organization.slug])
        assert signed_in(owner).get(page).status_code == 200
        assert LastSeen.objects.get(user=owner).at < ahead.now - 50 * DAY

    def test_is_a_jobs_and_the_ledgers_rows_stay_in_order(self, ahead):
        set_price(5)
        with ahead.here():
            give_credits(ahead.organization, ahead.now + DAY)
        developer = make_member(ahead.organization, "developer")
        _, token = make_key(ahead.organization, developer, "jobs:read", "jobs:write")
        upload = make_upload(ahead.organization, developer)

        answer = with_key(token).post(
            "/api/v1/jobs",
            json.dumps(
                {
                    "operation": OPERATION,
                    "parameters": {"style": "dusk"},
                    "upload_id": upload.public_id,
                }
            ),
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )

        assert answer.status_code == 201, answer.content
        assert GenerationJob.objects.get().deadline < ahead.now - 50 * DAY
        assert CreditTransaction.objects.get(amount=-5).created_at == ahead.now
        assert Wallet.objects.get(pk=ahead.wallet().pk).head_at == ahead.now
