"""The card that an organization pays with: followed by Stripe's news, changed on Stripe's pages."""

import logging
from datetime import date

import pytest

from apps.billing.models import Customer, WebhookEvent
from apps.billing.pages import cards as pages
from apps.billing.services.customers import ensure_customer
from apps.tenants.models import AuditLog
from tests.billing.buying import GOOD, text_of
from tests.people import make_member, make_organization, signed_in
from tests.simulator.browsing import visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(stripe, organization):
    return ensure_customer(organization=organization)


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


def place(organization, *rest):
    return f"/o/{organization.slug}/billing/payment-methods/{''.join(f'{one}/' for one in rest)}"


def attach(stripe, customer, card="pm_card_visa", *, is_default=True):
    """Give the customer a card at Stripe, and let it be the one that is charged."""
    method = stripe.v1.payment_methods.attach(card, {"customer": customer.stripe_id})
    if is_default:
        stripe.v1.customers.update(
            customer.stripe_id, {"invoice_settings": {"default_payment_method": method.id}}
        )
    return method


def shown(customer):
    customer = Customer.objects.get(pk=customer.pk)
    return (customer.payment_method_id, customer.card_brand, customer.card_last4)


class TestNews:
    def test_writes_down_what_a_receipt_shows(self, stripe, customer):
        method = attach(stripe, customer)
        stripe.tell()

        customer.refresh_from_db()
        assert shown(customer) == (method.id, "visa", "4242")
        assert customer.card_fingerprint == method.card.fingerprint
        assert customer.card_exp_month == method.card.exp_month
        assert customer.card_exp_year == method.card.exp_year
        row = AuditLog.objects.get(action="payment_method.changed")
        assert row.organization_id == customer.organization_id
        assert row.after["card_last4"] == "4242"
        assert method.id not in str(row.after)

    def test_told_twice_is_written_once(self, stripe, customer):
        attach(stripe, customer)
        stripe.tell()
        stripe.told = 0
        stripe.tell()
        assert AuditLog.objects.filter(action="payment_method.changed").count() == 1

    def test_of_a_card_that_is_not_charged_changes_nothing(self, stripe, customer):
        method = attach(stripe, customer)
        attach(stripe, customer, "pm_card_mastercard", is_default=False)
        stripe.tell()
        assert shown(customer) == (method.id, "visa", "4242")

    def test_of_another_card_replaces_it(self, stripe, customer):
        attach(stripe, customer)
        stripe.tell()
        method = attach(stripe, customer, "pm_card_mastercard")
        stripe.tell()
        assert shown(customer)[:2] == (method.id, "mastercard")

    def test_of_a_new_expiry_is_followed(self, stripe, customer):
        method = attach(stripe, customer)
        stripe.tell()
        stripe.v1.payment_methods.update(method.id, {"card": {"exp_month": 3, "exp_year": 2040}})
        stripe.tell("payment_method.updated")

        customer.refresh_from_db()
        assert (customer.card_exp_month, customer.card_exp_year) == (3, 2040)

    def test_that_it_was_taken_off_forgets_it(self, stripe, customer):
        method = attach(stripe, customer)
        stripe.tell()
        stripe.v1.payment_methods.detach(method.id)
        stripe.tell("payment_method.detached")
        assert shown(customer) == ("", "", "")

    def test_that_another_was_taken_off_forgets_nothing(self, stripe, customer):
        method = attach(stripe, customer)
        other = attach(stripe, customer, "pm_card_mastercard", is_default=False)
        stripe.tell()
        stripe.v1.payment_methods.detach(other.id)
        stripe.tell("payment_method.detached")
        assert shown(customer) == (method.id, "visa", "4242")

    def test_of_nobody_here_waits(self, stripe):
        stripe.v1.customers.update(stripe.v1.customers.create({}).id, {"name": "Somebody"})
        stripe.tell("customer.updated")
        assert WebhookEvent.objects.get().status == "pending"

    def test_in_any_order_ends_at_what_is_true(self, stripe, customer):
        from apps.billing.services import inbox
        from tests.billing.stripe import handle_everything

        attach(stripe, customer)
        method = attach(stripe, customer, "pm_card_mastercard")
        for event in reversed(stripe.news()):
            inbox.receive(event, source="webhook")
            handle_everything()
        assert shown(customer)[:2] == (method.id, "mastercard")


class TestSavingACard:
    def save(self, client, organization):
        answer = client.post(place(organization, "save"))
        assert answer.status_code == 302
        return visit(answer.url, action="pay", card=GOOD, email="buyer@example.com")

    def test_makes_it_the_one_that_is_charged(self, stripe, client, organization):
        _, _, back = self.save(client, organization)
        stripe.tell()
        customer = Customer.objects.get()

        assert back == f"http://testserver{place(organization)}?saved=1"
        at_stripe = stripe.v1.customers.retrieve(customer.stripe_id)
        assert shown(customer) == (
            at_stripe.invoice_settings.default_payment_method,
            "visa",
            "4242",
        )
        assert "Visa ending in 4242" in text_of(client.get(place(organization)))

    def test_saved_elsewhere_a_card_stays_what_it_was_made_there(
        self, stripe, customer, organization, client
    ):
        self.save(client, organization)
        stripe.tell()
        first = shown(customer)
        stripe.v1.setup_intents.create(
            {
                "customer": customer.stripe_id,
                "payment_method": "pm_card_mastercard",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        stripe.tell()
        assert shown(customer) == first

    def test_handled_twice_is_the_same(self, stripe, client, organization):
        self.save(client, organization)
        stripe.tell()
        customer = Customer.objects.get()
        once = shown(customer)
        stripe.told = 0
        stripe.tell()
        assert shown(customer) == once


class TestThePortal:
    def test_is_opened_by_an_address_that_is_kept_nowhere(
        self, stripe, client, organization, caplog
    ):
        from django.db import connection

        with caplog.at_level(logging.DEBUG):
            answer = client.post(place(organization, "portal"))

        assert answer.status_code == 302
        assert visit(answer.url)[0] == 200
        secret = answer.url.rpartition("/")[2]
        assert secret not in caplog.text
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table.startswith(("billing_", "core_", "tenants_")):
                    cursor.execute(
                        f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"]
                    )
                    assert cursor.fetchone() == (0,), table

    @pytest.mark.parametrize("way", ["portal", "save"])
    def test_takes_the_permission(self, stripe, organization, way):
        reader = signed_in(make_member(organization, "read-only"))
        assert reader.post(place(organization, way)).status_code == 403
        assert reader.get(place(organization)).status_code == 200
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("way", ["portal", "save"])
    def test_is_off_without_a_key(self, client, organization, settings, way):
        settings.STRIPE_SECRET_KEY = ""
        answer = client.get(place(organization))
        assert "Billing is not configured" in text_of(answer)
        assert answer.content.count(b'type="submit" disabled') == 2
        answer = client.post(place(organization, way), follow=True)
        assert answer.redirect_chain == [(place(organization), 302)]
        assert not Customer.objects.exists()


class TestThePage:
    def test_says_that_there_is_none(self, stripe, client, organization):
        assert "No card is saved" in text_of(client.get(place(organization)))

    @pytest.mark.parametrize(
        ("month", "year", "words"),
        [
            (10, 2026, "This card has expired"),
            (11, 2026, "This card expires soon"),
            (12, 2026, "This card expires soon"),
            (1, 2027, ""),
        ],
    )
    def test_warns_of_a_card_that_ends(
        self, stripe, client, organization, customer, monkeypatch, month, year, words
    ):
        monkeypatch.setattr(pages.timezone, "localdate", lambda: date(2026, 11, 30))
        Customer.objects.update(
            payment_method_id="pm_1",
            card_brand="visa",
            card_last4="4242",
            card_exp_month=month,
            card_exp_year=year,
        )
        text = text_of(client.get(place(organization)))

        assert f"Visa ending in 4242 until {month:02}/{year}" in text
        for one in ("This card has expired", "This card expires soon"):
            assert (one in text) == (one == words)

    def test_shows_nobody_elses(self, stripe, client, customer):
        Customer.objects.update(payment_method_id="pm_1", card_brand="visa", card_last4="4242")
        other = make_organization()
        stranger = signed_in(make_member(other, "owner"))
        assert "4242" not in text_of(stranger.get(place(other)))
