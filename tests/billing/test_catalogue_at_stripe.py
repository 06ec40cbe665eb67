"""The catalogue at Stripe: pushed once however often, and compared with what is there."""

from contextlib import suppress
from unittest import mock

import pytest
from django.db import transaction

from apps.billing import tasks
from apps.billing.errors import BillingNotConfigured, StripeRefused, StripeUnavailable
from apps.billing.gateway import catalogue as gateway
from apps.billing.models import PlanVersion, SubscriptionPlan
from apps.billing.services import catalogue, syncing, versions
from tests.billing.selling import PACK, make_pack, make_pack_version, make_plan, make_plan_version
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db


def products_and_prices(stripe):
    lists = (stripe.v1.products.list({"limit": 100}), stripe.v1.prices.list({"limit": 100}))
    return [len(page.data) for page in lists]


class TestPushing:
    def test_makes_a_product_and_a_price_for_each_version(self, stripe):
        plan = make_plan("pro", description="For studios")
        for price in (2900, 3900):
            make_plan_version(plan, price=price)

        done = syncing.push(plan)

        plan.refresh_from_db()
        assert plan.stripe_product_id == plan.public_id
        product = stripe.v1.products.retrieve(plan.stripe_product_id)
        assert (product.name, product.description) == ("Pro", "For studios")
        assert product.metadata["coffer_plan"] == plan.public_id
        for version, sentence in zip(plan.versions.order_by("number"), done[1:], strict=True):
            price = stripe.v1.prices.retrieve(version.stripe_price_id)
            assert (price.unit_amount, price.currency) == (version.price, "eur")
            assert (price.recurring.interval, price.recurring.interval_count) == ("month", 1)
            assert price.product == product.id
            assert (price.lookup_key, price.metadata["coffer_plv"]) == (version.public_id,) * 2
            assert version.stripe_price_id in sentence
        assert plan.differences == []
        assert plan.compared_at is not None

    @pytest.mark.parametrize("interval", ["month", "year"])
    def test_tells_stripe_how_long_a_period_is(self, stripe, interval):
        version = make_plan_version(interval=interval, interval_count=2)
        syncing.push(version.plan)
        version.refresh_from_db()
        recurring = stripe.v1.prices.retrieve(version.stripe_price_id).recurring
        assert (recurring.interval, recurring.interval_count) == (interval, 2)

    def test_has_packs_and_passes_paid_once(self, stripe):
        pack = make_pack_version()
        pass_ = make_plan_version(interval="pass", interval_count=7)
        for version, thing in ((pack, pack.product), (pass_, pass_.plan)):
            syncing.push(thing)
            version.refresh_from_db()
            price = stripe.v1.prices.retrieve(version.stripe_price_id)
            assert (price.type, price.recurring) == ("one_time", None)

    def test_leaves_alone_what_costs_nothing(self, stripe):
        plan = make_plan("free")
        make_plan_version(plan, price=0)
        assert syncing.push(plan) == ["Free costs nothing, so Stripe needs not know it."]
        assert syncing.compare(plan) == []
        assert products_and_prices(stripe) == [0, 0]

    def test_does_nothing_twice_and_follows_a_change(self, stripe):
        plan = make_plan("pro", description="Old")
        make_plan_version(plan)
        syncing.push(plan)
        assert syncing.push(plan) == ["Stripe had Pro with all its versions already."]
        catalogue.change(plan, name="Studio", description="", position=0)
        plan = catalogue.archive(plan)

        syncing.push(plan)

        product = stripe.v1.products.retrieve(plan.stripe_product_id)
        assert (product.name, product.description, product.active) == ("Studio", None, False)
        assert products_and_prices(stripe) == [1, 1]

    @pytest.mark.parametrize("lost", ["save_product", "save_price"])
    def test_finds_again_what_it_made_when_the_answer_was_lost(self, stripe, lost):
        plan = make_plan("pro")
        make_plan_version(plan)
        whole = getattr(gateway, lost)

        def answer_is_lost(*args):
            whole(*args)
            raise StripeUnavailable

        with mock.patch.object(gateway, lost, answer_is_lost), pytest.raises(StripeUnavailable):
            syncing.push(plan)
        # Stripe forgets its keys after a day, and somebody has renamed it since.
        stripe.server.world.keys.clear()
        plan = catalogue.change(plan, name="Studio", description="", position=0)
        syncing.push(plan)

        assert products_and_prices(stripe) == [1, 1]
        assert plan.differences == []

    def test_is_refused_in_a_transaction_and_without_a_key(self, settings):
        plan = make_plan()
        make_plan_version(plan)
        with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
            syncing.push(plan)
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            syncing.push(plan)

    def test_says_what_stripe_refuses(self, stripe, settings):
        settings.STRIPE_SECRET_KEY = "sk_live_" + "a" * 24  # not one that it knows
        version = make_plan_version()
        with pytest.raises(StripeRefused):
            syncing.push(version.plan)
        with pytest.raises(StripeRefused):
            gateway.offer_price("price_1")


@pytest.mark.django_db(transaction=True)
def test_two_who_push_at_once_make_one_of_each(stripe):
    plan = make_plan()
    for price in (1000, 2000):
        make_plan_version(plan, price=price)

    def work():
        with suppress(StripeUnavailable):  # the key is in use: nothing is known yet
            syncing.push(SubscriptionPlan.objects.get(pk=plan.pk))

    at_once([work] * 4)
    syncing.push(SubscriptionPlan.objects.get(pk=plan.pk))

    assert products_and_prices(stripe) == [1, 2]
    assert syncing.compare(SubscriptionPlan.objects.get(pk=plan.pk)) == []


class TestComparing:
    @pytest.fixture
    def plan(self, stripe):
        plan = make_plan("pro")
        make_plan_version(plan)
        syncing.push(plan)
        return plan

    def test_finds_nothing_right_after_a_push(self, plan):
        assert syncing.compare(plan) == []

    @pytest.mark.parametrize(
        ("params", "says"),
        [
            ({"name": "Other"}, "Its name is “Other” at Stripe and “Pro” here."),
            ({"description": "Other"}, "Its description at Stripe is another one than here."),
            ({"active": False}, "It is archived at Stripe and offered here."),
        ],
    )
    def test_says_what_differs_of_a_product_and_a_push_mends_it(self, stripe, plan, params, says):
        stripe.v1.products.update(plan.stripe_product_id, params)
        assert syncing.compare(plan) == [says]
        plan.refresh_from_db()
        assert plan.differences == [says]
        syncing.push(plan)
        plan.refresh_from_db()
        assert plan.differences == []

    def test_says_that_a_plan_is_archived_here_alone(self, plan):
        plan = catalogue.archive(plan)
        assert syncing.compare(plan) == ["It is active at Stripe and archived here."]

    def test_says_that_a_price_is_archived_and_a_push_mends_it(self, stripe, plan):
        version = plan.versions.get()
        stripe.v1.prices.update(version.stripe_price_id, {"active": False})
        assert "is archived at Stripe. Push it again" in syncing.compare(plan)[0]
        syncing.push(plan)
        assert plan.differences == []

    def test_says_what_was_not_pushed_yet(self, plan):
        make_plan_version(plan, price=3900)
        assert syncing.compare(plan) == ["Version 2 was not pushed to Stripe yet."]
        other = make_pack_version().product
        assert syncing.compare(other) == ["It was not pushed to Stripe yet."]

    def test_says_what_stripe_does_not_have_and_makes_a_product_anew(self, stripe, plan):
        stripe.server.world.reset()
        assert syncing.compare(plan) == [
            f"Stripe has no product {plan.public_id}. Push it again to make it."
        ]
        syncing.push(plan)
        version = plan.versions.get()
        assert plan.differences == [
            f"Version 1: Stripe has no price {version.stripe_price_id}. It was pushed to another "
            "account or in another mode; publish a new version, and push that."
        ]

    @pytest.mark.parametrize(
        ("params", "says"),
        [
            ({"unit_amount": 1}, "amount is 1 at Stripe and 1900 here"),
            ({"currency": "usd"}, "currency is usd at Stripe and eur here"),
            ({"product": "prod_other"}, "product is prod_other at Stripe and prod_"),
            (
                {"recurring": {"interval": "week"}},
                "interval is each 1 week at Stripe and paid once here",
            ),
        ],
    )
    def test_says_what_differs_of_a_price(self, stripe, params, says):
        """Somebody has made a price at Stripe with our key, but with other terms."""
        pack = make_pack()
        version = versions.publish_product_version(pack, **PACK)
        for product in (pack.public_id, "prod_other"):
            stripe.v1.products.create({"id": product, "name": "Taken"})
        given = {"product": pack.public_id, "unit_amount": 1900, "currency": "eur"}
        stripe.v1.prices.create(given | {"lookup_key": version.public_id} | params)

        syncing.push(pack)

        assert len(pack.differences) == 1
        assert pack.differences[0].startswith(f"Version 1: {says}")
        assert "publish a new version" in pack.differences[0]

    def test_keeps_what_was_asked_last(self, plan):
        """An answer that took long does not overwrite a later one."""
        later = plan.compared_at
        earlier = later.replace(year=later.year - 1)
        syncing._keep_differences(plan, ["old news"], earlier)
        plan.refresh_from_db()
        assert (plan.compared_at, plan.differences) == (later, [])


class TestTheTask:
    def test_compares_everything(self, stripe):
        version = make_plan_version()
        pack = make_pack_version().product
        syncing.push(version.plan)
        stripe.v1.products.update(version.plan.stripe_product_id, {"name": "Other"})

        tasks.compare_catalogue()

        for thing in (version.plan, pack):
            thing.refresh_from_db()
            assert len(thing.differences) == 1

    def test_waits_while_stripe_does_not_answer_or_is_not_configured(self, settings):
        make_plan_version()
        settings.STRIPE_SECRET_KEY = ""
        tasks.compare_catalogue()
        with mock.patch.object(syncing, "compare_all", side_effect=StripeUnavailable):
            tasks.compare_catalogue()
        assert PlanVersion.objects.get().plan.compared_at is None
