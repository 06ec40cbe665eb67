"""Keys, versions, idempotency, expansion and forms: what is the same for all resources."""

import json
import threading
import urllib.error
import urllib.request

import pytest
import stripe

from simulator.core import forms
from simulator.core.errors import StripeError
from tests.simulator.conftest import KEY
from tests.simulator.test_payments import pay


@pytest.fixture
def ask(world, server):
    """Ask without any client's help; return status, headers and body."""

    def send(method, path, form="", **headers):
        headers = {"Authorization": f"Bearer {KEY}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        request = urllib.request.Request(
            server.url + path, form.encode() or None, headers, method=method
        )
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers, json.loads(answer.read())

    return send


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("", "did not provide"),
        ("Bearer pirate", "Invalid API Key"),
        ("Bearer sk_live_" + "a" * 24, "takes no live key"),
        ("Bearer rk_live_" + "a" * 24, "takes no live key"),
        ("Basic !!!", "did not provide"),
    ],
)
def test_only_test_keys_are_taken(ask, authorization, words):
    status, _, body = ask("GET", "/v1/customers", Authorization=authorization)
    assert status == 401
    assert words in body["error"]["message"]


def test_basic_authentication_is_taken(ask):
    # "sk_test_aaaa:" in base64
    assert ask("GET", "/v1/customers", Authorization="Basic c2tfdGVzdF9hYWFhOg==")[0] == 200


def test_another_version_is_refused(ask):
    status, _, body = ask("GET", "/v1/customers", Stripe_Version="2020-08-27")
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert ask("GET", "/v1/customers", Stripe_Version=stripe.api_version)[0] == 200


def test_every_answer_has_an_id_by_which_it_is_found(ask):
    _, headers, body = ask("GET", "/v1/customers/cus_none")
    assert headers["Request-Id"].startswith("req_")
    assert body["error"]["request_log_url"].endswith(headers["Request-Id"])
    _, _, line = ask("GET", f"/_sim/requests/{headers['Request-Id']}")
    assert (line["status"], line["answer"]["error"]["code"]) == (404, "resource_missing")


@pytest.mark.parametrize("path", ["/v1/none", "/v1/customers/a/b/c", "/v1", "/"])
def test_an_address_that_does_not_exist(ask, path):
    status, _, body = ask("GET", path)
    assert status == 404
    assert "Unrecognized request URL" in body["error"]["message"]


def test_a_parameter_that_nothing_is_done_with_is_owned_up_to(ask, world):
    assert ask("POST", "/v1/customers", "tax[ip_address]=127.0.0.1")[0] == 400
    world.is_strict = False
    try:
        status, headers, _ = ask("POST", "/v1/customers", "tax[ip_address]=127.0.0.1&name=N")
    finally:
        world.is_strict = True
    assert (status, headers["Simulator-Ignored"]) == (200, "tax")


class TestIdempotency:
    def test_the_same_key_gets_the_same_answer(self, ask):
        first = ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        second = ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        assert second[2] == first[2]
        assert second[1]["Idempotent-Replayed"] == "true"
        assert second[1]["Original-Request"] == first[1]["Request-Id"]
        assert len(ask("GET", "/v1/customers")[2]["data"]) == 1

    def test_another_request_may_not_use_the_key(self, ask):
        ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        for path, form in (("/v1/customers", "name=M"), ("/v1/products", "name=N")):
            status, _, body = ask("POST", path, form, Idempotency_Key="k")
            assert (status, body["error"]["type"]) == (400, "idempotency_error")

    def test_another_account_has_keys_of_its_own(self, ask):
        ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        status, headers, _ = ask(
            "POST",
            "/v1/customers",
            "name=M",
            Idempotency_Key="k",
            Authorization="Bearer sk_test_other",
        )
        assert (status, headers["Idempotent-Replayed"]) == (200, None)

    def test_a_decline_is_repeated(self, client):
        options = {"idempotency_key": "k"}
        payment = {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_chargeDeclined",
            "payment_method_types": ["card"],
            "confirm": True,
        }
        for _ in range(2):
            with pytest.raises(stripe.CardError):
                client.v1.payment_intents.create(payment, options)
        assert len(client.v1.charges.list().data) == 1

    def test_what_never_began_leaves_the_key_free(self, ask):
        assert ask("POST", "/v1/customers", "balance=x", Idempotency_Key="k")[0] == 400
        assert ask("POST", "/v1/customers", "balance=1", Idempotency_Key="k")[0] == 200

    def test_it_is_forgotten_after_a_day(self, ask):
        ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        ask("POST", "/_sim/clock", "seconds=86400")
        assert ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")[1]["Idempotent-Replayed"]
        ask("POST", "/_sim/clock", "seconds=2")
        headers = ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")[1]
        assert headers["Idempotent-Replayed"] is None

    def test_a_second_request_while_the_first_still_runs(self, ask, world):
        answers = []

        def first():
            answers.append(ask("POST", "/v1/customers", "name=N", Idempotency_Key="k"))

        with world.lock:
            thread = threading.Thread(target=first)
            thread.start()
            while not world.keys.answers:
                pass
            status, _, body = ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")
        thread.join()
        assert (status, body["error"]["code"]) == (409, "idempotency_key_in_use")
        assert answers[0][0] == 200

    def test_a_key_has_a_greatest_length(self, ask):
        assert ask("POST", "/v1/customers", "name=N", Idempotency_Key="k" * 256)[0] == 400


class TestExpansion:
    def test_four_levels(self, client):
        customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
        method = client.v1.customers.payment_methods.list(customer.id).data[0]
        pay(client, method.id, customer=customer.id)
        found = client.v1.payment_intents.list(
            {"expand": ["data.latest_charge.balance_transaction.source", "data.customer"]}
        ).data[0]
        assert found.latest_charge.balance_transaction.source.id == found.latest_charge.id
        assert found.customer.id == customer.id

    def test_five_levels_are_too_many(self, client):
        path = "data.latest_charge.balance_transaction.source.customer"
        with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
            client.v1.payment_intents.list({"expand": [path]})

    def test_what_is_no_object_cannot_be_expanded(self, client):
        for path in ("name", "none", "metadata.a"):
            with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
                client.v1.customers.create({"metadata": {"a": "b"}, "expand": [path]})
        assert client.v1.customers.list().data == []

    def test_a_deleted_object_says_so(self, client):
        customer = client.v1.customers.create({})
        intent = pay(client, customer=customer.id)
        client.v1.customers.delete(customer.id)
        found = client.v1.payment_intents.retrieve(intent.id, {"expand": ["customer"]})
        assert found.customer.deleted


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=1&a[1]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[][x]=1&a[][y]=2&a[][x]=3", {"a": [{"x": "1", "y": "2"}, {"x": "3"}]}),
        ("a[][x][y]=1&a[][x][z]=2", {"a": [{"x": {"y": "1", "z": "2"}}]}),
        ("a%5Bb%5D=%C3%A4+b", {"a": {"b": "ä b"}}),
    ],
)
def test_forms(text, decoded):
    assert forms.decode(text) == decoded


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a[b]=2&a=1", "a[]=1&a[b]=2", "a[b=1", "a[b]c=1"])
def test_forms_that_contradict_themselves(text):
    with pytest.raises(StripeError):
        forms.decode(text)


def test_what_fails_half_way_leaves_nothing(client, world):
    product = {"name": "N", "default_price_data": {"currency": "usd"}}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.create(product)
    assert client.v1.products.list().data == []
    assert client.v1.events.list().data == []


def test_a_rate_limit(ask, world, monkeypatch):
    times = iter((10.0, 10.9, 11.0))
    monkeypatch.setattr("simulator.core.limits.monotonic", lambda: next(times))
    monkeypatch.setattr(world.limit, "per_second", 1)
    first, (status, headers, body), third = (ask("GET", "/v1/customers") for _ in range(3))
    assert (first[0], third[0]) == (200, 200)
    assert (status, body["error"]["code"]) == (429, "rate_limit")
    assert headers["Stripe-Rate-Limited-Reason"] == "global-rate"


def test_many_at_once_with_one_key_do_it_once(ask):
    statuses = []

    def send():
        statuses.append(ask("POST", "/v1/customers", "name=N", Idempotency_Key="k")[0])

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409}
    assert len(ask("GET", "/v1/customers")[2]["data"]) == 1


class TestAPublishableKey:
    """What a browser may do with a key that everybody can read."""

    def test_confirms_an_intent_whose_secret_it_knows(self, ask, client):
        intent = client.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
        )
        path = f"/v1/payment_intents/{intent.id}/confirm"
        key = {"Authorization": "Bearer pk_test_browser"}
        form = "payment_method=pm_card_visa&client_secret="
        assert ask("POST", path, form[: form.index("&")], **key)[0] == 401
        status, _, body = ask("POST", path, f"{form}pi_other_secret_x", **key)
        assert (status, body["error"]["param"]) == (400, "client_secret")
        status, _, body = ask("POST", path, form + intent.client_secret, **key)
        assert (status, body["status"]) == (200, "succeeded")

    def test_sees_nothing_else(self, ask):
        key = {"Authorization": "Bearer pk_test_browser"}
        for method, path in (("GET", "/v1/customers"), ("POST", "/v1/refunds")):
            status, _, body = ask(method, path, **key)
            assert (status, body["error"]["code"]) == (401, "secret_key_required")


def test_json_is_not_taken(ask):
    status, _, body = ask("POST", "/v1/customers", "{}", Content_Type="application/json")
    assert (status, "form-urlencoded" in body["error"]["message"]) == (400, True)


def test_another_account_is_not_there(ask):
    assert ask("GET", "/v1/customers", Stripe_Account="acct_other")[0] == 403
    account = ask("GET", "/v1/account")[2]["id"]
    assert ask("GET", "/v1/customers", Stripe_Account=account)[0] == 200
