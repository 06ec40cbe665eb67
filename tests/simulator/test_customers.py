"""Customers, and with them lists, search, expansion, errors and events."""

import pytest
import stripe


def test_a_customer_is_made_changed_and_deleted(client):
    customer = client.v1.customers.create({"email": "a@b.example", "metadata": {"a": "1"}})
    assert customer.email == "a@b.example"
    changed = client.v1.customers.update(
        customer.id, {"name": "N", "metadata": {"a": "", "b": "2"}}
    )
    assert changed.metadata.to_dict() == {"b": "2"}
    assert client.v1.customers.delete(customer.id).deleted
    assert client.v1.customers.retrieve(customer.id).deleted
    types = [event.type for event in client.v1.events.list().data]
    assert types == ["customer.deleted", "customer.updated", "customer.created"]


def test_an_update_tells_what_was_before(client):
    customer = client.v1.customers.create({"email": "a@b.example", "metadata": {"a": "1"}})
    client.v1.customers.update(customer.id, {"name": "N", "metadata": {"a": "", "b": "2"}})
    event = client.v1.events.list({"type": "customer.updated"}).data[0]
    previous = event.data.previous_attributes.to_dict()
    assert previous == {"name": None, "metadata": {"a": "1", "b": None}}


def test_an_update_that_changes_nothing_makes_no_event(client):
    customer = client.v1.customers.create({"name": "N"})
    client.v1.customers.update(customer.id, {"name": "N"})
    assert len(client.v1.events.list().data) == 1


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"address": {"colour": "red"}}, "address[colour]", "parameter_unknown"),
        ({"balance": "x"}, "balance", "parameter_invalid_integer"),
        ({"tax_exempt": "maybe"}, "tax_exempt", None),
        ({"description": ""}, "description", "parameter_invalid_empty"),
        ({"test_clock": "clock_none"}, "test_clock", "resource_missing"),
    ],
)
def test_it_refuses_what_the_description_does_not_have(client, parameters, param, code):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create(parameters)
    assert (refused.value.param, refused.value.code) == (param, code)
    assert client.v1.customers.list().data == []
    assert client.v1.events.list().data == []


def test_lists_go_forward_and_back(client):
    made = [client.v1.customers.create({"name": str(n)}).id for n in range(5)][::-1]
    first = client.v1.customers.list({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (made[:2], True)
    second = client.v1.customers.list({"limit": 3, "starting_after": made[1]})
    assert ([one.id for one in second.data], second.has_more) == (made[2:], False)
    back = client.v1.customers.list({"limit": 2, "ending_before": made[4]})
    assert ([one.id for one in back.data], back.has_more) == (made[2:4], True)
    assert [one.id for one in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made


def test_lists_are_narrowed(client):
    client.v1.customers.create({"email": "x@y.example"})
    wanted = client.v1.customers.create({"email": "a@b.example"})
    found = client.v1.customers.list({"email": "a@b.example"}).data
    assert [one.id for one in found] == [wanted.id]
    assert client.v1.customers.list({"created": {"lt": wanted.created - 60}}).data == []


def test_search(client):
    wanted = client.v1.customers.create({"email": "jane@a.example", "metadata": {"org": "42"}})
    client.v1.customers.create({"email": "joe@b.example", "metadata": {"org": "43"}})

    def found(query):
        return [one.id for one in client.v1.customers.search({"query": query}).data]

    assert found("metadata['org']:'42'") == [wanted.id]
    assert found("email~'A.example' AND -metadata['org']:'43'") == [wanted.id]
    assert len(found('email:\'joe@b.example\' OR metadata["org"]:"42"')) == 2
    assert found("metadata['none']:null AND created<5") == []
    first = client.v1.customers.search({"query": "created>5", "limit": 1})
    second = client.v1.customers.search({"query": "created>5", "limit": 1, "page": first.next_page})
    assert (first.has_more, second.has_more, second.data[0].id) == (True, False, wanted.id)


@pytest.mark.parametrize(
    "query", ["", "colour:'x'", "email=", "a", "email:'a' AND name:'b' OR created>1"]
)
def test_search_refuses_what_it_does_not_understand(client, query):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.search({"query": query})


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "cus_none"}, "starting_after"),
        ({"ending_before": "cus_none"}, "ending_before"),
    ],
)
def test_lists_refuse_what_cannot_be_listed(client, parameters, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.list(parameters)
    assert refused.value.param == param
