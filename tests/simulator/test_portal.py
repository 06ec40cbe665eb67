"""Billing-portal sessions, deep links, and the pages."""

import pytest
import stripe

from tests.simulator.browsing import visit

BACK = "http://127.0.0.1:1/account"
ASKS = "4000002760003184"


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"email": "a@b.example", "name": "Ann <b>"})


@pytest.fixture
def enter(client, customer):
    def enter(**more):
        return client.v1.billing_portal.sessions.create(
            {"customer": customer.id, "return_url": BACK, **more}
        )

    return enter


def default_of(client, customer):
    return client.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method


class TestASession:
    def test_uses_the_default_configuration(self, client, enter):
        session = enter()
        found = client.v1.billing_portal.configurations.retrieve(session.configuration)
        assert found.is_default
        assert session.flow is None
        assert client.v1.events.list().data[0].type == "billing_portal.session.created"

    @pytest.mark.parametrize(
        ("given", "param"),
        [
            ({"customer": "cus_none"}, "customer"),
            ({"configuration": "bpc_none"}, "configuration"),
            ({"flow_data": {"type": "subscription_cancel"}}, "flow_data[subscription_cancel]"),
            (
                {
                    "flow_data": {
                        "type": "subscription_cancel",
                        "subscription_cancel": {"subscription": "sub_none"},
                    }
                },
                "flow_data[subscription_cancel][subscription]",
            ),
        ],
    )
    def test_refuses(self, client, enter, given, param):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            enter(**given)
        assert refused.value.param == param

    def test_refuses_a_link_to_what_is_not_enabled(self, client, enter):
        made = client.v1.billing_portal.configurations.create(
            {"features": {"invoice_history": {"enabled": True}}}
        )
        flow = {"type": "payment_method_update"}
        with pytest.raises(stripe.InvalidRequestError):
            enter(configuration=made.id, flow_data=flow)

    def test_ends_after_an_hour(self, server, enter):
        session = enter()
        visit(f"{server.url}/_sim/clock", seconds=3601)
        assert "This link has expired" in visit(session.url)[1]
        assert "This link has expired" in visit(f"{session.url}/card", card=ASKS)[1]


class TestAConfiguration:
    def test_is_made_changed_and_listed(self, client):
        configurations = client.v1.billing_portal.configurations
        made = configurations.create(
            {
                "features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}},
                "business_profile": {"headline": "H"},
            }
        )
        assert (made.active, made.is_default) == (True, False)
        assert made.features.subscription_cancel.mode == "immediately"
        changed = configurations.update(made.id, {"active": False, "metadata": {"a": "b"}})
        assert (changed.active, changed.metadata["a"]) == (False, "b")
        assert [one.id for one in configurations.list({"active": False}).data] == [made.id]

    def test_the_default_one_stays(self, client):
        default = client.v1.billing_portal.configurations.list({"is_default": True}).data[0]
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.billing_portal.configurations.update(default.id, {"active": False})


class TestThePages:
    def test_show_what_is_there_and_the_way_back(self, client, enter, customer):
        client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        status, shown, _ = visit(enter().url)
        assert status == 200
        assert "TEST CHECKOUT – no card is charged" in shown
        assert "visa ending in 4242" in shown
        assert "Ann &lt;b&gt;" in shown
        assert f'href="{BACK}"' in shown

    def test_add_a_card_that_then_pays(self, client, enter, customer):
        session = enter()
        assert visit(f"{session.url}/card", card="4242424242424242")[0] == 303
        saved = client.v1.customers.payment_methods.list(customer.id).data
        assert [one.id for one in saved] == [default_of(client, customer)]

    def test_add_a_card_that_asks_for_authentication(self, client, enter, customer):
        session = enter()
        _, _, bank = visit(f"{session.url}/card", card=ASKS)
        assert default_of(client, customer) is None
        _, _, back = visit(bank, outcome="succeeds")
        assert back.startswith(session.url)
        assert default_of(client, customer) is not None

    def test_a_declined_card_is_not_added(self, client, enter, customer):
        status, shown, _ = visit(f"{enter().url}/card", card="4000000000000002")
        assert (status, "Your card was declined." in shown) == (402, True)
        assert client.v1.customers.payment_methods.list(customer.id).data == []

    def test_choose_and_remove_a_card(self, client, enter, customer):
        session = enter()
        one, two = (
            client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
            for _ in range(2)
        )
        visit(f"{session.url}/default/{one.id}", press=1)
        assert default_of(client, customer) == one.id
        visit(f"{session.url}/remove/{two.id}", press=1)
        saved = client.v1.customers.payment_methods.list(customer.id).data
        assert [method.id for method in saved] == [one.id]

    @pytest.mark.parametrize("step", ["default", "remove"])
    def test_another_customers_card_is_not_there(self, client, enter, step):
        other = client.v1.customers.create({})
        theirs = client.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})
        assert visit(f"{enter().url}/{step}/{theirs.id}", press=1)[0] == 404
        assert client.v1.payment_methods.retrieve(theirs.id).customer == other.id

    def test_change_details(self, client, enter, customer):
        visit(f"{enter().url}/details", name="B", email="b@c.example")
        found = client.v1.customers.retrieve(customer.id)
        assert (found.name, found.email) == ("B", "b@c.example")

    def test_what_is_not_enabled_is_not_there(self, client, enter, customer):
        made = client.v1.billing_portal.configurations.create(
            {"features": {"invoice_history": {"enabled": True}}}
        )
        session = enter(configuration=made.id)
        assert "Add a card" not in visit(session.url)[1]
        assert visit(f"{session.url}/card")[0] == 404
        assert visit(f"{session.url}/card", card="4242424242424242")[0] == 404
        assert visit(f"{session.url}/details", name="X")[0] == 404
        assert client.v1.customers.retrieve(customer.id).name == "Ann <b>"


class TestADeepLink:
    @pytest.mark.parametrize(
        ("after", "where"),
        [
            ({"type": "redirect", "redirect": {"return_url": BACK}}, BACK),
            ({"type": "portal_homepage"}, "?done=1"),
        ],
    )
    def test_leads_to_the_card_and_away(self, client, enter, customer, after, where):
        session = enter(flow_data={"type": "payment_method_update", "after_completion": after})
        _, _, step = visit(session.url)
        assert step == f"{session.url}/card"
        assert visit(step, card="4242424242424242")[2].endswith(where)

    def test_can_end_with_words(self, enter):
        end = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "<Thanks>"}}
        session = enter(flow_data={"type": "payment_method_update", "after_completion": end})
        assert "&lt;Thanks&gt;" in visit(f"{session.url}/card", card="4242424242424242")[1]
