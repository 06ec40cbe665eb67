"""The API of saved cards: who may, what is refused, and that Stripe is asked once."""

from uuid import uuid4

import pytest

from apps.billing.models import AutoReload, Customer
from apps.billing.services.customers import ensure_customer
from apps.tenants.models import AuditLog
from tests.billing.buying import GOOD
from tests.billing.reloading import agree, with_card
from tests.billing.subscribing import Life, make_plan
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of
from tests.simulator.browsing import visit

pytestmark = pytest.mark.django_db(transaction=True)
METHODS = "/api/v1/payment-methods"


@pytest.fixture
def client(organization):
    return by_key(organization)


@pytest.fixture
def methods(stripe, organization):
    """Two saved cards: a Visa that is charged, and a Mastercard."""
    customer = with_card(stripe, organization)
    other = stripe.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.stripe_id})
    return [customer.payment_method_id, other.id]


def by_key(organization, *scopes):
    scopes = scopes or ("billing:read", "billing:write")
    return with_key(make_key(organization, make_member(organization, "owner"), *scopes)[1])


def post(client, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(METHODS, content_type="application/json", headers=headers)


def default_at_stripe(stripe, organization):
    customer = Customer.objects.get(organization=organization)
    return stripe.v1.customers.retrieve(customer.stripe_id).invoice_settings.default_payment_method


def attached(stripe, organization):
    customer = Customer.objects.get(organization=organization)
    return {one.id for one in stripe.v1.customers.payment_methods.list(customer.stripe_id).data}


class TestReading:
    def test_lists_what_is_saved_and_which_is_charged(self, client, methods):
        body = client.get(METHODS).json()
        found = {one["id"]: one for one in body["data"]}

        assert set(found) == set(methods)
        visa = found[methods[0]]
        assert (visa["object"], visa["type"]) == ("payment_method", "card")
        assert (visa["brand"], visa["last4"]) == ("visa", "4242")
        assert [found[one]["is_default"] for one in methods] == [True, False]
        assert "4242424242424242" not in str(body)

    def test_of_elsewhere_is_not_there(self, methods):
        assert by_key(make_organization()).get(METHODS).json()["data"] == []


class TestSaving:
    def test_leads_to_stripes_page_and_is_then_the_one_that_is_charged(
        self, stripe, client, organization
    ):
        answer = post(client)
        assert answer.status_code == 201
        assert answer.json()["object"] == "payment_method_setup"
        assert visit(answer.json()["url"], action="pay", card=GOOD, email="a@example.com")[2]
        stripe.tell()

        (saved,) = client.get(METHODS).json()["data"]
        assert saved["is_default"]
        assert Customer.objects.get().payment_method_id == saved["id"]

    def test_again_with_the_same_key_is_the_same_page(self, stripe, client):
        first, second, other = post(client, "a"), post(client, "a"), post(client, "b")
        assert first.json() == second.json() != other.json()
        assert second["Idempotent-Replayed"] == "true"
        assert len(stripe.v1.checkout.sessions.list().data) == 2

    def test_of_two_people_with_one_key_are_two_pages(self, stripe, client, organization):
        assert post(client, "a").json() != post(by_key(organization), "a").json()

    def test_needs_a_key(self, stripe, client):
        problem_of(
            client.post(METHODS, content_type="application/json"), 400, "idempotency_key_required"
        )
        assert not Customer.objects.exists()


class TestChoosing:
    def test_lets_the_other_one_be_charged(self, stripe, client, organization, methods):
        answer = client.put(f"{METHODS}/{methods[1]}/default")

        assert answer.status_code == 200
        assert (answer.json()["id"], answer.json()["is_default"]) == (methods[1], True)
        assert default_at_stripe(stripe, organization) == methods[1]
        row = AuditLog.objects.get(action="payment_method.default_requested")
        assert row.organization_id == organization.pk
        assert row.after["brand"] == "mastercard"
        assert methods[1] not in str(row.after)
        stripe.tell()
        assert Customer.objects.get().payment_method_id == methods[1]

    def test_is_for_a_subscription_as_well(self, stripe, settings):
        settings.MOVABLE_CLOCK = True
        life = Life(stripe)
        row = life.subscribe(make_plan(stripe))
        other = stripe.v1.payment_methods.attach(
            "pm_card_mastercard", {"customer": life.customer.id}
        )
        client = by_key(life.organization)

        assert client.put(f"{METHODS}/{other.id}/default").status_code == 200

        told = stripe.v1.subscriptions.retrieve(row.stripe_subscription_id)
        assert told.default_payment_method == other.id


class TestRemoving:
    def test_takes_it_off_for_good(self, stripe, client, organization, methods):
        assert client.delete(f"{METHODS}/{methods[0]}").status_code == 204

        assert attached(stripe, organization) == {methods[1]}
        row = AuditLog.objects.get(action="payment_method.removal_requested")
        assert row.organization_id == organization.pk
        problem_of(client.delete(f"{METHODS}/{methods[0]}"), 404, "not_found")
        stripe.tell()
        assert Customer.objects.get().payment_method_id == ""

    def test_is_refused_for_the_card_that_automatic_reload_charges(
        self, stripe, client, organization, methods
    ):
        agree(organization)
        problem = problem_of(client.delete(f"{METHODS}/{methods[0]}"), 409, "payment_method_in_use")
        assert "Automatic reload is charged to it" in problem["detail"]
        assert attached(stripe, organization) == set(methods)
        assert not AuditLog.objects.filter(action="payment_method.removal_requested").exists()

        assert client.delete(f"{METHODS}/{methods[1]}").status_code == 204
        AutoReload.objects.update(is_enabled=False)
        assert client.delete(f"{METHODS}/{methods[0]}").status_code == 204

    def test_is_refused_for_the_card_that_a_subscription_charges(self, stripe, settings):
        settings.MOVABLE_CLOCK = True
        life = Life(stripe)
        life.subscribe(make_plan(stripe))
        (card,) = attached(stripe, life.organization)

        answer = by_key(life.organization).delete(f"{METHODS}/{card}")
        assert "The subscription is charged to it" in problem_of(answer, 409)["detail"]
        assert attached(stripe, life.organization) == {card}


class TestRefusals:
    def test_without_the_scope_nothing_is_done(self, stripe, organization, methods):
        reader = by_key(organization, "billing:read")
        assert reader.get(METHODS).status_code == 200
        problem_of(post(reader), 403)
        problem_of(reader.put(f"{METHODS}/{methods[1]}/default"), 403)
        problem_of(reader.delete(f"{METHODS}/{methods[1]}"), 403)
        assert default_at_stripe(stripe, organization) == methods[0]
        assert attached(stripe, organization) == set(methods)

    def test_of_elsewhere_and_of_nobody_are_not_there(self, stripe, organization, methods):
        there = make_organization()
        ensure_customer(organization=there)
        stranger = by_key(there)
        for method in (methods[1], "pm_nobody"):
            problem_of(stranger.put(f"{METHODS}/{method}/default"), 404, "not_found")
            problem_of(stranger.delete(f"{METHODS}/{method}"), 404, "not_found")
        assert attached(stripe, organization) == set(methods)
        assert not AuditLog.objects.filter(organization=there, action__contains="method").exists()

    def test_where_billing_is_not_configured(self, client):
        client.raise_request_exception = False
        for answer in (
            client.get(METHODS),
            post(client),
            client.put(f"{METHODS}/pm_1/default"),
            client.delete(f"{METHODS}/pm_1"),
        ):
            problem_of(answer, 503, "billing_not_configured")
