"""An organization that closes, or has closed, while money may still come for it."""

from datetime import timedelta

import pytest

from apps.billing.errors import BillingUnderWay
from apps.billing.models import OrganizationSubscription, Payment, Refund, WebhookEvent
from apps.billing.services import checkout, inbox, refund_requests
from apps.billing.services.subscriptions import abandoning, changing
from apps.core import ids
from apps.core.invariants import verify
from apps.credits.models import Wallet
from apps.tenants.services.standing import (
    close_organization,
    reopen_organization,
    what_keeps_open,
)
from tests.billing.buying import begin, buy, grants, make_pack, press
from tests.billing.stripe import handle_everything
from tests.billing.subscribing import START, Life, again, make_plan
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db(transaction=True)
END = START + timedelta(days=28)
HOUR = timedelta(hours=1, minutes=1)  # a renewal's invoice is a draft for an hour


@pytest.fixture
def life(stripe, settings):
    settings.MOVABLE_CLOCK = True
    yield Life(stripe)
    assert [one for one in verify() if one.failures] == []


def close(organization):
    organization.refresh_from_db()
    return close_organization(organization=organization, confirmation=organization.slug)


def refused(organization):
    """Try to close, and return why that was refused; what is asked before says the same."""
    with pytest.raises(BillingUnderWay) as refusal:
        close(organization)
    assert str(what_keeps_open(organization=organization)) == str(refusal.value)
    organization.refresh_from_db()
    assert organization.is_active
    assert not Wallet.objects.filter(organization=organization).exclude(closed_at=None).exists()
    return str(refusal.value)


def request(life, kind):
    with life.here():
        change = changing.request(organization=life.organization, kind=kind)
        return changing.carry_out(change)


class TestClosing:
    def test_waits_for_the_end_of_a_plan_to_be_asked_for(self, life, stripe):
        life.subscribe(make_plan(stripe))
        assert "End it on the page of the subscription first" in refused(life.organization)
        request(life, "cancel")

        assert what_keeps_open(organization=life.organization) is None
        close(life.organization)
        life.move(END + HOUR)

        assert OrganizationSubscription.objects.get().status == "cancelled"
        assert set(WebhookEvent.objects.values_list("status", flat=True)) <= {
            "processed",
            "ignored",
        }

    def test_waits_for_the_first_payment_of_a_plan(self, life, stripe):
        row = life.begin(make_plan(stripe))
        assert "first payment" in refused(life.organization)
        with life.here():
            abandoning.give_up(row)
        close(life.organization)

    def test_waits_for_what_is_past_due_though_the_plan_ends(self, life, stripe):
        row = life.subscribe(make_plan(stripe))
        request(life, "cancel")
        OrganizationSubscription.objects.filter(pk=row.pk).update(
            status="past_due", past_due_since=START
        )
        assert "is open" in refused(life.organization)

    def test_waits_for_no_free_plan(self, life, stripe):
        life.begin(make_plan(stripe, price=0))
        close(life.organization)

    @pytest.mark.parametrize("status", Payment.IN_FLIGHT)
    def test_waits_for_payments_in_flight(self, status):
        organization = make_organization()
        payment = Payment.objects.create(
            organization=organization,
            purpose="reload",
            credits=1000,
            amount=2000,
            currency="eur",
            is_live=False,
            status=status,
        )
        assert "A payment is under way" in refused(organization)
        Payment.objects.filter(pk=payment.pk).update(status="cancelled")
        close(organization)

    def test_does_not_wait_for_others(self, stripe):
        buy(make_organization(), make_pack())
        close(make_organization())


class TestWhatIsPaidNevertheless:
    """Somebody pressed the button while somebody else closed the organization."""

    def test_for_credits_is_kept_and_can_be_refunded(self, stripe):
        organization = make_organization()
        close(organization)
        payment = checkout.open_checkout(begin(organization, make_pack()))
        press(payment)
        stripe.tell()

        payment.refresh_from_db()
        assert payment.status == "succeeded"
        assert not grants(organization).exists()
        assert not WebhookEvent.objects.filter(status__in=["pending", "dead"]).exists()
        assert [one for one in verify() if one.failures] == []
        refund = refund_requests.request_refund(
            payment=payment,
            refund_id=ids.new_id(),
            amount=None,
            reason=Refund.Reason.REQUESTED_BY_CUSTOMER,
            note="Closed",
            user=make_person(email="clerk@example.com"),
        )
        assert (refund.status, refund.credits) == ("succeeded", 0)
        assert [one for one in verify() if one.failures] == []

    def test_for_credits_is_missed_once_it_is_open_again(self, stripe):
        organization = make_organization()
        close(organization)
        press(checkout.open_checkout(begin(organization, make_pack())))
        stripe.tell()
        organization.refresh_from_db()
        reopen_organization(organization=organization)

        assert [one.invariant.code for one in verify() if one.failures] == ["B20"]

    def test_for_a_plan_is_kept_and_given_when_it_is_open_again(self, life, stripe):
        close(life.organization)
        row = life.begin(make_plan(stripe))
        life.press(row)
        life.tell()
        assert again(row).status == "active"
        assert Payment.objects.get().status == "succeeded"
        assert life.cycle() == []
        assert not WebhookEvent.objects.filter(status__in=["pending", "dead"]).exists()

        life.organization.refresh_from_db()
        reopen_organization(organization=life.organization)
        inbox.replay(WebhookEvent.objects.filter(type="invoice.paid").get())
        with life.here():
            handle_everything()

        assert life.cycle() == [(10, 500, 500)]
