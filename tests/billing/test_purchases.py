"""Buying credits: what is written down, what Stripe is asked, and what its answers do."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing.errors import (
    AmountNotOffered,
    BillingNotConfigured,
    NotForSale,
    PaymentDiffers,
    PriceChanged,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import checkout as gateway
from apps.billing.models import CreditProduct, Customer, Payment, ProductVersion, WebhookEvent
from apps.billing.services import checkout, purchases
from apps.tenants.models import AuditLog
from apps.tenants.services.organizations import update_organization
from tests.billing.buying import (
    ASKING,
    DECLINED,
    POOR,
    again,
    balance,
    begin,
    buy,
    grants,
    press,
    set_value,
)
from tests.billing.stripe import handle_everything
from tests.people import make_organization, make_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]


@pytest.fixture
def payment(stripe, organization, pack):
    return buy(organization, pack)


def amount(organization, credits, **more):
    with transaction.atomic():
        return purchases.buy_amount(
            organization=organization, user=make_person(), credits=credits, **more
        )


def sell_as(pack, product_id, price_id):
    """Let Stripe know a pack by these ids, as the catalogue does after it was pushed."""
    CreditProduct.objects.filter(pk=pack.product_id).update(stripe_product_id=product_id)
    ProductVersion.objects.filter(pk=pack.pk).update(stripe_price_id=price_id)


class TestWritingDown:
    def test_a_pack_keeps_the_terms_of_its_version(self, stripe, organization, pack):
        buyer = make_person()
        payment = begin(organization, pack, buyer)

        assert (payment.purpose, payment.status) == ("pack", "created")
        assert (payment.credits, payment.amount, payment.currency) == (1050, 1900, "eur")
        assert (payment.valid_days, payment.product_version, payment.user) == (365, pack, buyer)
        assert not payment.is_live
        row = AuditLog.objects.get(action="payment.created")
        assert row.object_id == payment.public_id
        assert row.after["amount"] == 1900
        assert stripe.news() == []  # nobody was asked

    def test_an_amount_costs_its_price_rounded_up(self, stripe, organization):
        set_value("billing.custom_price", 1999)
        payment = amount(organization, 501)

        assert (payment.purpose, payment.credits, payment.amount) == ("custom", 501, 1002)
        assert (payment.currency, payment.valid_days) == ("eur", 365)

    def test_staff_say_currency_and_validity(self, stripe, organization):
        set_value("billing.currency", "chf")
        set_value("billing.custom_valid_days", 0)
        payment = amount(organization, 500)

        assert (payment.currency, payment.valid_days) == ("chf", None)

    def test_a_currency_that_is_none_counts_as_not_set(self, stripe, organization):
        set_value("billing.currency", "EU")
        assert amount(organization, 500).currency == "eur"

    @pytest.mark.parametrize("credits", [499, 100_001, 0, -500])
    def test_an_amount_outside_the_bounds_is_refused(self, stripe, organization, credits):
        with pytest.raises(AmountNotOffered):
            amount(organization, credits)
        assert not Payment.objects.exists()

    @pytest.mark.parametrize("credits", [500, 100_000])
    def test_the_bounds_belong_to_it(self, stripe, organization, credits):
        assert amount(organization, credits).credits == credits

    @pytest.mark.parametrize(
        ("key", "value"), [("billing.custom_price", 0), ("billing.custom_minimum", 200_000)]
    )
    def test_amounts_can_be_switched_off(self, stripe, organization, key, value):
        set_value(key, value)
        with pytest.raises(NotForSale):
            amount(organization, 500)

    def test_another_price_than_the_one_shown_is_refused(self, stripe, organization, pack):
        with pytest.raises(PriceChanged):
            amount(organization, 500, amount=999)
        with pytest.raises(PriceChanged), transaction.atomic():
            purchases.buy_pack(
                organization=organization, user=None, version_id=pack.pk, amount=1800
            )

    def test_a_version_that_was_replaced_is_refused(self, stripe, organization, pack):
        ProductVersion.objects.create(
            product=pack.product, number=2, credits=10, price=1900, currency="eur"
        )
        with pytest.raises(PriceChanged):
            begin(organization, pack)

    def test_a_version_of_tomorrow_does_not_hold_today(self, stripe, organization, pack):
        tomorrow = ProductVersion.objects.create(
            product=pack.product,
            number=2,
            credits=10,
            price=100,
            currency="eur",
            effective_at=timezone.now() + timedelta(days=1),
        )
        assert begin(organization, pack).amount == 1900
        with pytest.raises(PriceChanged):
            begin(organization, tomorrow)

    def test_a_pack_that_is_offered_no_more_is_refused(self, stripe, organization, pack):
        pack.product.is_active = False
        pack.product.save()
        with pytest.raises(NotForSale):
            begin(organization, pack)

    def test_without_a_key_nothing_is_written(self, organization, pack, settings):
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            begin(organization, pack)
        assert not Payment.objects.exists()


class TestAsking:
    def test_makes_a_session_that_is_known_by_its_payment(self, stripe, organization, payment):
        session = stripe.v1.checkout.sessions.retrieve(
            payment.stripe_session_id, {"expand": ["line_items"]}
        )
        customer = Customer.objects.get(organization=organization)

        assert (payment.status, payment.pay_url) == ("open", session.url)
        assert (session.mode, session.customer) == ("payment", customer.stripe_id)
        assert (session.amount_total, session.currency) == (1900, "eur")
        assert session.metadata["coffer_payment"] == payment.public_id
        assert session.line_items.data[0].description == "Starter: 1,050 credits"
        place = f"http://testserver/o/{organization.slug}/billing/payments/{payment.public_id}/"
        assert (session.success_url, session.cancel_url) == (place, place)
        assert session.expires_at == int((payment.created_at + timedelta(hours=6)).timestamp())
        assert payment.asked_at is not None

    def test_sells_the_price_that_stripe_knows(self, stripe, organization, pack):
        product = stripe.v1.products.create({"name": "Starter"})
        price = stripe.v1.prices.create(
            {"product": product.id, "unit_amount": 1900, "currency": "eur"}
        )
        sell_as(pack, product.id, price.id)
        payment = buy(organization, pack)

        session = stripe.v1.checkout.sessions.retrieve(
            payment.stripe_session_id, {"expand": ["line_items"]}
        )
        assert session.line_items.data[0].price.id == price.id

    def test_lets_stripe_compute_the_tax_where_staff_say_so(self, stripe, organization, pack):
        set_value("billing.automatic_tax", True)
        payment = buy(organization, pack)

        session = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id)
        assert session.automatic_tax.enabled

    def test_again_asks_nothing(self, stripe, payment, monkeypatch):
        monkeypatch.setattr(gateway, "create_session", pytest.fail)
        assert checkout.open_checkout(payment) == payment

    def test_a_lost_answer_is_had_by_asking_again(self, stripe, organization, pack, monkeypatch):
        """Stripe did it, and we do not know."""
        real = gateway.create_session
        payment = begin(organization, pack)

        def lost(**question):
            real(**question)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_session", lost)
        with pytest.raises(StripeUnavailable) as refusal:
            checkout.open_checkout(payment)
        assert refusal.value.details["payment"] == payment.public_id
        assert again(payment).status == "unknown"
        monkeypatch.undo()
        opened = checkout.open_checkout(again(payment))

        assert opened.status == "open"
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_again_says_the_same_whatever_has_changed(
        self, stripe, organization, pack, monkeypatch
    ):
        """One idempotency key with other parameters is an error at Stripe."""
        payment = begin(organization, pack)
        real = gateway.create_session

        def lost(**question):
            real(**question)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_session", lost)
        with pytest.raises(StripeUnavailable):
            checkout.open_checkout(payment)
        monkeypatch.undo()
        pack.product.name = "Another name"
        pack.product.save()
        update_organization(organization=organization, slug="elsewhere")
        set_value("billing.automatic_tax", True)

        assert checkout.open_checkout(again(payment)).status == "open"

    def test_what_stripe_refuses_has_failed_and_says_why(self, stripe, organization, pack):
        sell_as(pack, "prod_nowhere", "price_nowhere")
        payment = begin(organization, pack)
        with pytest.raises(StripeRefused):
            checkout.open_checkout(payment)

        payment = again(payment)
        assert (payment.status, payment.failure_code) == ("failed", "resource_missing")
        assert "price_nowhere" in payment.failure_message


class TestPaying:
    def test_grants_what_was_bought(self, stripe, organization, payment):
        before = balance(organization)
        press(payment)
        stripe.tell()

        payment = again(payment)
        assert (payment.status, payment.pay_url) == ("succeeded", "")
        assert balance(organization) == before + 1050
        entry = grants(organization).get()
        assert (entry.reference, entry.source) == (payment.reference, "pack")
        assert entry.lot.expires_at - entry.lot.effective_at == timedelta(days=365)
        assert not WebhookEvent.objects.exclude(status__in=["processed", "ignored"]).exists()

    @pytest.mark.parametrize("told", [["checkout.session.completed"], ["payment_intent.succeeded"]])
    def test_any_one_of_the_events_is_enough(self, stripe, organization, payment, told):
        press(payment)
        stripe.tell(*told)

        assert again(payment).status == "succeeded"
        assert grants(organization).count() == 1

    def test_looking_is_enough(self, stripe, organization, payment):
        press(payment)
        checkout.look(payment)

        assert again(payment).status == "succeeded"
        stripe.tell()
        assert grants(organization).count() == 1

    @pytest.mark.parametrize("card", [DECLINED, POOR])
    def test_a_refused_card_leaves_it_open_with_the_banks_words(
        self, stripe, organization, payment, card
    ):
        press(payment, card)
        stripe.tell()

        payment = again(payment)
        assert payment.status == "open"
        assert payment.pay_url
        assert payment.failure_code in ("generic_decline", "insufficient_funds")
        assert payment.failure_message
        press(payment)
        stripe.tell()
        payment = again(payment)
        assert (payment.status, payment.failure_message) == ("succeeded", "")

    def test_a_bank_that_wants_to_see_the_customer_is_told(self, stripe, payment):
        press(payment, ASKING)
        stripe.tell()

        payment = again(payment)
        assert payment.status == "action_required"
        assert payment.pay_url

    def test_an_expired_session_cancels_it(self, stripe, organization, payment):
        before = balance(organization)
        stripe.v1.checkout.sessions.expire(payment.stripe_session_id)
        stripe.tell()

        payment = again(payment)
        assert (payment.status, payment.pay_url) == ("cancelled", "")
        assert balance(organization) == before

    def test_news_that_comes_before_our_answer_finds_its_payment(
        self, stripe, organization, pack, monkeypatch
    ):
        """The session is known by its metadata until its id is written down."""
        real = gateway.create_session
        payment = begin(organization, pack)

        def paid_at_once(**question):
            made = real(**question)
            payment.pay_url = made["url"]
            press(payment)
            stripe.tell()
            return made

        monkeypatch.setattr(gateway, "create_session", paid_at_once)
        after = checkout.open_checkout(payment)

        assert after.status == again(payment).status == "succeeded"
        assert grants(organization).count() == 1

    def test_a_session_of_nobody_here_is_not_ours(self, stripe, organization, payment):
        """The same metadata at another customer's session is no way in."""
        other = make_organization()
        Customer.objects.create(
            organization=other, stripe_id=stripe.v1.customers.create({}).id, is_live=False
        )
        session = stripe.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": Customer.objects.get(organization=other).stripe_id,
                "line_items": payment.question["line_items"],
                "metadata": {"coffer_payment": payment.public_id},
                "success_url": "http://testserver/",
            }
        )
        stripe.v1.checkout.sessions.expire(session.id)
        stripe.tell()

        assert again(payment).status == "open"


class TestTax:
    @pytest.fixture
    def payment(self, stripe, organization, pack, monkeypatch):
        real = checkout._question

        def with_tax(payment, customer):
            question = real(payment, customer)
            rate = stripe.v1.tax_rates.create(
                {"display_name": "VAT", "percentage": 19, "inclusive": False}
            )
            question["line_items"][0]["tax_rates"] = [rate.id]
            return question

        monkeypatch.setattr(checkout, "_question", with_tax)
        return buy(organization, pack)

    def test_belongs_to_what_is_paid_and_not_to_the_price_of_credits(
        self, stripe, organization, payment
    ):
        press(payment)
        stripe.tell()

        payment = again(payment)
        assert (payment.status, payment.amount, payment.tax) == ("succeeded", 1900, 361)
        assert grants(organization).get().lot.unit_cost == Decimal("1.809524")

    @pytest.mark.parametrize(
        "order",
        [
            ["payment_intent.succeeded", "checkout.session.completed"],
            ["checkout.session.completed", "payment_intent.succeeded"],
        ],
    )
    def test_is_known_whichever_event_comes_first(self, stripe, organization, payment, order):
        Payment.objects.update(tax=0)  # as where it is computed by an address
        press(payment)
        for one in order:
            stripe.told = 0
            stripe.tell(one)
        WebhookEvent.objects.filter(status="pending").update(due_at=timezone.now())
        handle_everything()

        payment = again(payment)
        assert (payment.status, payment.tax) == ("succeeded", 361)
        assert grants(organization).count() == 1
        assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}

    def test_the_payment_alone_waits_for_it(self, stripe, organization, payment):
        Payment.objects.update(tax=0)
        press(payment)
        stripe.tell("payment_intent.succeeded")

        assert grants(organization).count() == 0
        row = WebhookEvent.objects.get()
        assert row.status == "pending"
        assert row.error.startswith("NotKnownYet: the tax of")


class TestAnotherAmount:
    def test_grants_nothing(self, stripe, organization, payment):
        Payment.objects.filter(pk=payment.pk).update(amount=1800)
        press(payment)
        with pytest.raises(PaymentDiffers):
            checkout.look(again(payment))

        assert again(payment).status == "open"
        assert grants(organization).count() == 0
        Payment.objects.filter(pk=payment.pk).update(amount=1900)


class TestABankDebit:
    """It is on its way for days, and may come back."""

    @pytest.fixture
    def session(self, stripe, payment):
        intent = {"id": "pi_debit", "status": "processing", "currency": "eur"}
        whole = gateway.retrieve_session(payment.stripe_session_id)
        return {**whole, "status": "complete", "url": None, "payment_intent": intent}

    def follow(self, payment, session):
        with transaction.atomic():
            return checkout.follow_session(payment=payment, session=session)

    def test_is_under_way_first(self, payment, session):
        followed = self.follow(payment, session)
        assert (followed.status, followed.pay_url) == ("processing", "")

    def test_that_comes_back_has_failed_for_good(self, payment, session):
        self.follow(payment, session)
        session["payment_intent"] |= {
            "status": "requires_payment_method",
            "last_payment_error": {"code": "debit_not_authorized", "message": "Not authorized."},
        }
        followed = self.follow(payment, session)
        assert (followed.status, followed.failure_code) == ("failed", "debit_not_authorized")
        assert followed.failure_message == "Not authorized."
