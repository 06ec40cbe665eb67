"""Staff's pages of payments."""

import pytest

from apps.billing.models import Payment
from tests.billing.buying import buy, make_pack, press
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/billing/payment/"


@pytest.fixture
def payment(stripe):
    payment = buy(make_organization(name="Acme Solar"), make_pack())
    press(payment)
    stripe.tell()
    return Payment.objects.get(pk=payment.pk)


@pytest.fixture
def client():
    return signed_in(make_person(is_staff=True, is_superuser=True))


class TestPayments:
    def test_are_listed_and_found(self, client, payment):
        for query in (
            "",
            "q=acme",
            f"q={payment.public_id}",
            f"q={payment.stripe_payment_intent_id}",
            "status__exact=succeeded",
        ):
            assert payment.public_id in client.get(f"{LIST}?{query}").content.decode(), query
        for query in ("q=nobody", "q=pi_nothing", "status__exact=failed"):
            assert payment.public_id not in client.get(f"{LIST}?{query}").content.decode(), query

    def test_lead_to_the_ledger_and_to_stripe(self, client, payment):
        page = client.get(f"{LIST}{payment.pk}/change/").content.decode()

        intent = payment.stripe_payment_intent_id
        assert f'href="https://dashboard.stripe.com/test/payments/{intent}"' in page
        assert "€19.00" in page
        found = client.get(f"/admin/credits/credittransaction/?q={payment.reference}")
        assert f'/admin/credits/credittransaction/?q={payment.reference}"' in page
        assert "+1,050" in found.content.decode()

    def test_of_live_mode_lead_to_live_mode(self, client, payment):
        Payment.objects.update(is_live=True)
        page = client.get(f"{LIST}{payment.pk}/change/").content.decode()
        assert f"https://dashboard.stripe.com/payments/{payment.stripe_payment_intent_id}" in page

    def test_cannot_be_changed(self, client, payment):
        assert client.post(f"{LIST}{payment.pk}/change/", {"status": "failed"}).status_code == 403
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.post(f"{LIST}{payment.pk}/delete/").status_code == 403

    def test_are_a_file(self, client, payment):
        file = b"".join(client.get(f"{LIST}export/?status__exact=succeeded").streaming_content)
        assert payment.public_id in file.decode()
        file = b"".join(client.get(f"{LIST}export/?status__exact=failed").streaming_content)
        assert payment.public_id not in file.decode()
