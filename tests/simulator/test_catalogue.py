"""Products and prices."""

from decimal import Decimal

import pytest
import stripe

from simulator.resources.catalogue import amount_of


@pytest.fixture
def product(client):
    return client.v1.products.create({"name": "Credits", "metadata": {"tier": "a"}})


def test_a_product_with_its_first_price(client):
    product = client.v1.products.create(
        {
            "id": "credits",
            "name": "Credits",
            "default_price_data": {
                "currency": "usd",
                "unit_amount": 500,
                "recurring": {"interval": "month"},
            },
            "expand": ["default_price"],
        }
    )
    assert (product.id, product.default_price.recurring.interval) == ("credits", "month")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create({"id": "credits", "name": "Again"})
    assert refused.value.code == "resource_already_exists"


def test_a_product_that_is_sold_is_not_deleted(client, product):
    price = {"currency": "usd", "product": product.id, "unit_amount": 5}
    assert client.v1.prices.create(price).type == "one_time"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.delete(product.id)
    other = client.v1.products.create({"name": "Other"})
    assert client.v1.products.delete(other.id).deleted


def test_a_price_needs_a_product_and_an_amount(client, product):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create({"currency": "usd", "unit_amount": 5})
    assert refused.value.param == "product"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create({"currency": "usd", "product": product.id})
    assert refused.value.param == "unit_amount"


def test_a_lookup_key_is_one_prices_only(client, product):
    price = {"currency": "usd", "product": product.id, "unit_amount": 5, "lookup_key": "std"}
    first = client.v1.prices.create(price)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.prices.create(price)
    second = client.v1.prices.create({**price, "transfer_lookup_key": True})
    assert [one.id for one in client.v1.prices.list({"lookup_keys": ["std"]}).data] == [second.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None


@pytest.mark.parametrize(
    ("mode", "quantity", "amount"),
    [
        ("graduated", 5, 500),
        ("graduated", 12, 1100),
        ("graduated", 0, 0),
        ("volume", 5, 500),
        ("volume", 12, 600),
    ],
)
def test_tiers(client, world, product, mode, quantity, amount):
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "product": product.id,
            "billing_scheme": "tiered",
            "tiers_mode": mode,
            "tiers": [
                {"up_to": 10, "unit_amount": 100},
                {"up_to": "inf", "unit_amount_decimal": "50"},
            ],
            "recurring": {"interval": "month"},
            "expand": ["tiers"],
        }
    )
    assert [tier.up_to for tier in price.tiers] == [10, None]
    assert amount_of(world.store.find("price", price.id), quantity) == amount


def test_amounts_of_less_than_a_cent_are_rounded_when_all_is_added_up(client, world, product):
    price = client.v1.prices.create(
        {"currency": "usd", "product": product.id, "unit_amount_decimal": "0.25"}
    )
    assert (price.unit_amount, price.unit_amount_decimal) == (None, Decimal("0.25"))
    assert amount_of(world.store.find("price", price.id), 6) == 2
