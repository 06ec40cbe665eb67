"""Coupons, promotion codes, customers' discounts and tax rates."""

import pytest
import stripe


@pytest.fixture
def coupon(client):
    return client.v1.coupons.create({"percent_off": 25, "duration": "forever", "name": "Quarter"})


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


def give(client, customer, coupon):
    """Do what Stripe's command line does: a parameter of an older version."""
    return client.raw_request("post", f"/v1/customers/{customer}", coupon=coupon)


def test_a_coupon_takes_off_a_percentage_or_an_amount(client, coupon):
    assert (coupon.percent_off, coupon.amount_off, coupon.valid) == (25, None, True)
    fixed = client.v1.coupons.create({"id": "TEN", "amount_off": 1000, "currency": "USD"})
    assert (fixed.id, fixed.currency, fixed.duration) == ("TEN", "usd", "once")
    assert [one.id for one in client.v1.coupons.list().data] == ["TEN", coupon.id]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"percent_off": 10, "amount_off": 10}, None),
        ({"duration": "once"}, None),
        ({"percent_off": 101}, "percent_off"),
        ({"amount_off": 10}, "currency"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "duration": "once", "duration_in_months": 2}, "duration_in_months"),
    ],
)
def test_what_is_no_coupon_is_refused(client, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create(params)
    assert refused.value.param == param


def test_an_id_is_used_once_and_is_free_after_deletion(client):
    client.v1.coupons.create({"id": "X", "percent_off": 10})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create({"id": "X", "percent_off": 10})
    assert refused.value.code == "resource_already_exists"
    assert client.v1.coupons.delete("X").deleted
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.coupons.retrieve("X")
    assert client.v1.coupons.create({"id": "X", "percent_off": 20}).percent_off == 20
    assert types(client) == ["coupon.created", "coupon.deleted", "coupon.created"]


def test_a_coupon_that_is_limited_to_products_tells_which_if_it_is_asked(client):
    product = client.v1.products.create({"name": "P"})
    made = client.v1.coupons.create(
        {"percent_off": 10, "applies_to": {"products": [product.id]}, "expand": ["applies_to"]}
    )
    assert made.applies_to.products == [product.id]


def test_a_customers_discount_is_created_changed_and_deleted(client, coupon):
    customer = client.v1.customers.create({"name": "N"})
    give(client, customer.id, coupon.id)
    found = client.v1.customers.retrieve(customer.id, {"expand": ["discount.source.coupon"]})
    assert found.discount.source.coupon.percent_off == 25
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1

    other = client.v1.coupons.create({"percent_off": 30})
    give(client, customer.id, other.id)
    changed = client.v1.events.list({"type": "customer.discount.updated"}).data[0]
    assert changed.data.previous_attributes["source"]["coupon"] == coupon.id

    gone = client.v1.customers.delete_discount(customer.id)
    assert gone.deleted
    assert client.v1.customers.retrieve(customer.id).discount is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.delete_discount(customer.id)
    told = [name for name in types(client) if "discount" in name]
    assert told == [f"customer.discount.{what}" for what in ("created", "updated", "deleted")]


def test_a_coupon_is_redeemed_no_more_often_than_it_may_be(client):
    coupon = client.v1.coupons.create({"percent_off": 10, "max_redemptions": 1})
    first = client.v1.customers.create({"name": "1"})
    second = client.v1.customers.create({"name": "2"})
    give(client, first.id, coupon.id)
    assert not client.v1.coupons.retrieve(coupon.id).valid
    with pytest.raises(stripe.InvalidRequestError) as refused:
        give(client, second.id, coupon.id)
    assert refused.value.code == "coupon_expired"


def test_a_promotion_code_is_for_whom_and_how_often_it_says(client, coupon):
    mine = client.v1.customers.create({"name": "1"})
    code = client.v1.promotion_codes.create(
        {
            "promotion": {"type": "coupon", "coupon": coupon.id},
            "code": "HELLO",
            "customer": mine.id,
            "max_redemptions": 1,
        }
    )
    assert (code.promotion.coupon, code.active) == (coupon.id, True)
    other = client.v1.customers.create({"name": "2"})
    with pytest.raises(stripe.InvalidRequestError):
        client.raw_request("post", f"/v1/customers/{other.id}", promotion_code=code.id)
    client.raw_request("post", f"/v1/customers/{mine.id}", promotion_code=code.id)
    assert client.v1.promotion_codes.retrieve(code.id).active is False
    with pytest.raises(stripe.InvalidRequestError):
        client.raw_request("post", f"/v1/customers/{mine.id}", promotion_code=code.id)
    assert [one.id for one in client.v1.promotion_codes.list({"code": "hello"}).data] == [code.id]
    assert client.v1.promotion_codes.list({"coupon": "other"}).data == []


def test_an_active_code_is_not_made_twice(client, coupon):
    params = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TWICE"}
    code = client.v1.promotion_codes.create(params)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.promotion_codes.create(params)
    client.v1.promotion_codes.update(code.id, {"active": False})
    assert client.v1.promotion_codes.create(params).id != code.id


def test_a_tax_rate_changes_its_words_but_not_its_percentage(client):
    rate = client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19.0, "inclusive": False, "country": "DE"}
    )
    assert (rate.percentage, rate.effective_percentage, rate.active) == (19, 19, True)
    assert client.v1.tax_rates.update(rate.id, {"active": False}).active is False
    assert client.v1.tax_rates.list({"active": True}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.tax_rates.create({"display_name": "X", "percentage": 101, "inclusive": True})
    assert types(client) == ["tax_rate.created", "tax_rate.updated"]
