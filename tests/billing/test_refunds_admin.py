"""Staff's pages of refunds and disputes."""

import pytest

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import refunds as gateway
from apps.billing.models import Dispute, Refund
from apps.billing.tasks import sweep_refunds
from apps.core import ids
from tests.billing.refunding import buy, settle
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
PAYMENTS = "/admin/billing/payment/"
REFUNDS = "/admin/billing/refund/"
DISPUTES = "/admin/billing/dispute/"


@pytest.fixture
def client():
    return signed_in(make_person(is_staff=True, is_superuser=True))


@pytest.fixture
def purchase(stripe, settings):
    settings.TRIAL_CREDITS = 0
    return buy(stripe)


def address(purchase):
    return f"{PAYMENTS}{purchase.payment.pk}/refund/"


def form(step="confirm", amount="5.00", **changes):
    filled = {"refund_id": str(ids.new_id()), "reason": "duplicate", "note": "Paid twice"}
    return {**filled, "amount": amount, "step": step, **changes}


class TestARefund:
    def test_begins_at_its_payment(self, client, purchase):
        page = client.get(f"{PAYMENTS}{purchase.payment.pk}/change/").content.decode()
        assert address(purchase) in page

        page = client.get(address(purchase)).content.decode()
        assert "Amount in EUR" in page
        assert "€20.00" in page

    def test_is_previewed_in_money_and_credits(self, client, purchase):
        purchase.spend(450, "job:1")

        answer = client.post(address(purchase), form("preview"))

        page = answer.content.decode()
        for text in ("€5.00", "€15.00", ">50<", ">75<", "Paid twice", "used already"):
            assert text in page, text
        assert 'name="amount" value="5.00"' in page
        assert not Refund.objects.exists()

    def test_of_all_that_is_left_is_confirmed_by_the_amount_that_was_shown(self, client, purchase):
        page = client.post(address(purchase), form("preview", amount="")).content.decode()
        assert 'name="amount" value="20.00"' in page

    def test_is_given_once_confirmed_and_once_only(self, client, purchase):
        sent = form()
        answers = [client.post(address(purchase), sent) for _ in range(2)]

        refund = Refund.objects.get()
        for answer in answers:
            assert answer.headers["Location"] == f"{REFUNDS}{refund.pk}/change/"
        assert (refund.amount, refund.credits, refund.reason) == (500, 125, "duplicate")
        page = client.get(f"{REFUNDS}{refund.pk}/change/").content.decode()
        assert "€5.00" in page
        assert (
            refund.public_id
            in client.get(f"{REFUNDS}?q={refund.stripe_refund_id}").content.decode()
        )

    @pytest.mark.parametrize(
        ("changes", "status", "text"),
        [
            ({"amount": "20.01"}, 400, "at most €20.00"),
            ({"amount": "0.001"}, 422, "no coin that small"),
            ({"amount": "-1"}, 422, "greater than or equal"),
            ({"note": ""}, 422, "This field is required"),
            ({"reason": "x"}, 422, "Select a valid choice"),
        ],
    )
    def test_that_cannot_be_says_why(self, client, purchase, changes, status, text):
        answer = client.post(address(purchase), form(**changes))

        assert answer.status_code == status
        assert text in answer.content.decode()
        assert not Refund.objects.exists()

    def test_of_a_disputed_payment_says_why(self, client, stripe):
        purchase = buy(stripe, card="pm_card_createDispute")
        answer = client.post(address(purchase), form("preview"))

        assert answer.status_code == 409
        assert "bank has taken this payment back" in answer.content.decode()

    def test_whose_answer_got_lost_is_asked_again_by_itself(self, client, purchase, monkeypatch):
        def away(**asked):
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_refund", away)
        answer = client.post(address(purchase), form(), follow=True)
        assert "asked again by itself" in answer.content.decode()
        monkeypatch.undo()
        Refund.objects.update(created_at="2026-01-01T00:00Z")

        sweep_refunds()

        assert Refund.objects.get().status == "succeeded"

    def test_is_for_those_who_may_add_refunds(self, purchase):
        clerk = signed_in(make_person(is_staff=True))

        assert clerk.get(address(purchase)).status_code == 403
        assert clerk.post(address(purchase), form()).status_code == 403

    def test_of_nothing_is_not_found(self, client):
        assert client.get(f"{PAYMENTS}{ids.new_id()}/refund/").status_code == 404

    def test_cannot_be_written_by_hand(self, client, purchase):
        client.post(address(purchase), form())
        refund = Refund.objects.get()
        assert client.post(f"{REFUNDS}{refund.pk}/change/", {"status": "failed"}).status_code == 403
        assert client.get(f"{REFUNDS}add/").status_code == 403

    def test_is_in_the_file(self, client, purchase):
        client.post(address(purchase), form())
        file = b"".join(client.get(f"{REFUNDS}export/").streaming_content).decode()
        assert Refund.objects.get().public_id in file


class TestDisputes:
    def test_are_flagged_and_lead_to_stripe(self, client, stripe):
        buy(stripe, card="pm_card_createDispute")
        dispute = Dispute.objects.get()

        page = client.get(DISPUTES).content.decode()

        assert "Needs an answer" in page
        assert f"https://dashboard.stripe.com/test/disputes/{dispute.stripe_dispute_id}" in page
        assert "in 8 days" in page or "in 9 days" in page
        assert client.get(f"{DISPUTES}{dispute.pk}/change/").status_code == 200

    def test_that_wait_are_counted_in_the_menu(self, client, stripe):
        from django.contrib import admin

        purchase = buy(stripe, card="pm_card_createDispute")
        shown = admin.site._registry[Dispute]
        assert shown.menu_badge(None) == "1"
        purchase.answer("winning_evidence")
        stripe.tell()
        settle()
        assert shown.menu_badge(None) == ""
