"""What dj-stripe is taught of today's shapes, without a database and without Stripe."""

from datetime import UTC, datetime

import pytest
from djstripe.models import Coupon, Customer, Invoice, Subscription
from djstripe.models.base import StripeModel

from apps.billing.djstripe_shapes import _with_coupon, inside, teach


def at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


class TestTeach:
    def test_is_done_at_the_start_and_only_once(self):
        before = Customer._attach_objects_post_save_hook

        teach()

        assert Customer.knows_todays_shapes
        assert Customer._attach_objects_post_save_hook is before


class TestAnInvoice:
    def test_names_its_subscription_in_its_parent(self):
        parent = {"subscription_details": {"subscription": "sub_1"}}

        found = Invoice._manipulate_stripe_object_hook({"object": "invoice", "parent": parent})

        assert found["subscription"] == "sub_1"

    @pytest.mark.parametrize("parent", [None, {}, {"subscription_details": None}])
    def test_may_have_none(self, parent):
        found = Invoice._manipulate_stripe_object_hook({"object": "invoice", "parent": parent})

        assert found["subscription"] is None


class TestASubscription:
    def test_has_the_periods_of_its_items(self):
        items = [
            {"current_period_start": 200, "current_period_end": 300},
            {"current_period_start": 100, "current_period_end": 400},
        ]

        found = Subscription(stripe_data={"items": {"data": items}})

        assert (found.current_period_start, found.current_period_end) == (at(100), at(400))

    def test_without_items_has_none(self):
        found = Subscription(stripe_data={})

        assert (found.current_period_start, found.current_period_end) == (None, None)


class TestACustomer:
    @pytest.mark.parametrize(
        ("discount", "coupons"), [({"source": {"coupon": "C"}}, ["C"]), ({"source": {}}, [])]
    )
    def test_is_attached_with_the_coupon_that_was_moved(self, monkeypatch, discount, coupons):
        looked_for = []

        def look(data, name, **more):
            looked_for.append(data[name])
            return None, False

        monkeypatch.setattr(StripeModel, "_attach_objects_post_save_hook", lambda *args, **more: 0)
        monkeypatch.setattr(Coupon, "_get_or_create_from_stripe_object", look)

        Customer()._attach_objects_post_save_hook(Customer, {"id": "cus_1", "discount": discount})

        assert looked_for == coupons

    def test_names_the_coupon_where_it_used_to_be(self):
        customer = {"id": "cus_1", "discount": {"source": {"coupon": "C"}}}

        assert _with_coupon(customer)["discount"]["coupon"] == "C"
        assert "coupon" not in customer["discount"]

    def test_of_a_discount_without_coupon_has_none(self):
        assert _with_coupon({"discount": {"source": {}}})["discount"] is None

    def test_without_discount_is_left_alone(self):
        customer = {"discount": None}

        assert _with_coupon(customer) is customer


class TestInside:
    def test_finds_nothing_on_a_broken_path(self):
        assert inside({"a": {"b": 1}}, "a", "b") == 1
        assert inside({"a": None}, "a", "b") is None
        assert inside(None, "a") is None
