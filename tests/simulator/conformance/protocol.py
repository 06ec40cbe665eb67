"""Keys, versions, errors, expansion, lists, search, idempotency, events, webhooks."""

import stripe

from tests.simulator.conformance.scenarios import KEY, Shop, scenario
from tests.simulator.receiver import receiving


@scenario("api/authentication")
def only_test_keys_are_taken(shop: Shop) -> None:
    for key, status in (("sk_live_" + "a" * 24, 401), ("nonsense", 401)):
        client = stripe.StripeClient(key, base_addresses={"api": shop.url})
        error = shop.refusal(client.v1.customers.list)
        assert isinstance(error, stripe.AuthenticationError)
        assert error.http_status == status
    assert shop.v1.accounts.retrieve_current().charges_enabled


@scenario("api/versioning")
def another_version_is_refused(shop: Shop) -> None:
    error = shop.refusal(lambda: shop.v1.customers.list({}, {"stripe_version": "2019-01-01"}))
    assert error.http_status == 400


@scenario("api/errors")
def errors_say_what_is_wrong(shop: Shop) -> None:
    error = shop.refusal(shop.v1.customers.retrieve, "cus_none")
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert error.request_id.startswith("req_")
    error = shop.refusal(shop.v1.customers.create, {"colour": "red"})
    assert (error.code, error.param) == ("parameter_unknown", "colour")
    error = shop.refusal(shop.v1.payment_intents.create, {"currency": "usd"})
    assert (error.code, error.param) == ("parameter_missing", "amount")


@scenario("api/idempotent_requests")
def a_key_does_a_thing_once(shop: Shop) -> None:
    options = {"idempotency_key": "wish-1"}
    first = shop.v1.customers.create({"name": "N"}, options)
    assert shop.v1.customers.create({"name": "N"}, options).id == first.id
    error = shop.refusal(shop.v1.customers.create, {"name": "M"}, options)
    assert isinstance(error, stripe.IdempotencyError)
    assert len(shop.v1.customers.list().data) == 1


@scenario("api/expanding_objects")
def objects_are_expanded_four_levels_deep(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    saved = customer.invoice_settings.default_payment_method
    intent = shop.pay(saved, customer=customer.id)
    path = "latest_charge.customer.invoice_settings.default_payment_method"
    found = shop.v1.payment_intents.retrieve(intent.id, {"expand": [path]})
    method = found.latest_charge.customer.invoice_settings.default_payment_method
    assert method.card.last4 == "4242"
    shop.refusal(shop.v1.payment_intents.retrieve, intent.id, {"expand": [f"{path}.customer"]})


@scenario("api/pagination")
def lists_are_paged(shop: Shop) -> None:
    made = [shop.v1.customers.create({"name": str(number)}).id for number in range(7)]
    first = shop.v1.customers.list({"limit": 3})
    assert first.has_more
    assert [one.id for one in first.auto_paging_iter()] == made[::-1]
    back = shop.v1.customers.list({"limit": 2, "ending_before": made[0]})
    assert [one.id for one in back.data] == [made[2], made[1]]


@scenario("search")
def objects_are_found_by_metadata(shop: Shop) -> None:
    wanted = shop.v1.customers.create({"metadata": {"org": "7"}, "email": "a@b.example"})
    shop.v1.customers.create({"metadata": {"org": "8"}})
    query = "metadata['org']:'7' AND email:'a@b.example'"
    assert [one.id for one in shop.v1.customers.search({"query": query}).data] == [wanted.id]


@scenario("api/metadata")
def metadata_is_merged_and_unset(shop: Shop) -> None:
    customer = shop.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = shop.v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert shop.v1.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}


@scenario("webhooks")
def events_are_delivered_signed(shop: Shop) -> None:
    with receiving() as receiver:
        endpoint = shop.v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["customer.created", "customer.updated"]}
        )
        customer = shop.v1.customers.create({"name": "N"})
        shop.v1.customers.update(customer.id, {"name": "M"})
        shop.v1.customers.delete(customer.id)
        receiver.wait(2)
        # Two deliveries are two connections: which one ends first is not promised.
        events = [
            stripe.Webhook.construct_event(body, signature, endpoint.secret)
            for body, signature in zip(receiver.bodies, receiver.signatures, strict=True)
        ]
        assert {event.type for event in events} == {"customer.created", "customer.updated"}
        for event in events:
            found = shop.v1.events.retrieve(event.id)
            assert found.data.object.id == customer.id
        shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
        shop.v1.webhook_endpoints.delete(endpoint.id)


@scenario("products-prices/manage-prices")
def products_and_prices_are_kept(shop: Shop) -> None:
    product = shop.v1.products.create({"name": "Gold", "metadata": {"tier": "1"}})
    price = shop.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "lookup_key": "gold",
        }
    )
    assert shop.v1.prices.list({"lookup_keys": ["gold"]}).data[0].id == price.id
    assert not shop.v1.prices.update(price.id, {"active": False}).active
    shop.refusal(shop.v1.products.delete, product.id)


@scenario("api/customers")
def customers_are_deleted_but_known(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    tax = shop.v1.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
    assert tax.country == "DE"
    owed = shop.v1.customers.balance_transactions.create(
        customer.id, {"amount": -500, "currency": "usd"}
    )
    assert owed.ending_balance == -500
    assert shop.v1.customers.delete(customer.id).deleted
    assert shop.v1.customers.retrieve(customer.id).deleted


@scenario("keys#test-live-modes")
def nothing_here_is_live(shop: Shop) -> None:
    assert KEY.startswith("sk_test_")
    assert shop.pay().livemode is False
