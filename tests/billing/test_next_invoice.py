"""The next invoice: as Stripe would make it, kept a while, and no page hangs on it."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import client as gateway_client
from apps.billing.models import Payment
from apps.billing.services.subscriptions import changing, upcoming
from apps.billing.services.subscriptions.upcoming import key_of, next_invoice
from tests.billing.subscribing import Life, again, make_plan
from tests.billing.test_subscription_life import FEBRUARY, HOUR, MARCH
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def life(stripe, settings):
    settings.MOVABLE_CLOCK = True
    return Life(stripe)


@pytest.fixture
def row(life):
    return life.subscribe(make_plan(life.stripe, name="Small"))


@pytest.fixture
def asked(monkeypatch):
    """Count the questions."""
    questions = []
    ask = upcoming._ask
    monkeypatch.setattr(upcoming, "_ask", lambda row: questions.append(row.pk) or ask(row))
    return questions


@pytest.fixture
def away(monkeypatch):
    """Let Stripe not answer; return the questions that it got."""
    questions = []

    def lost(subscription):
        questions.append(subscription.pk)
        raise StripeUnavailable

    monkeypatch.setattr(upcoming, "_ask", lost)
    return questions


class TestTheNextInvoice:
    def test_is_what_comes(self, life, row):
        shown = next_invoice(row)
        (line,) = shown.lines
        assert (shown.date, shown.total, shown.credits) == (FEBRUARY, 2900, 500)
        assert (line.amount, line.period_start, line.period_end) == (2900, FEBRUARY, MARCH)

        life.move(FEBRUARY + HOUR)

        paid = Payment.objects.latest("created_at")
        assert paid.amount + paid.tax == shown.total
        assert (10, shown.credits, shown.credits) in life.cycle()

    def test_has_the_tax(self, life, row):
        rate = life.stripe.v1.tax_rates.create(
            {"display_name": "VAT", "percentage": 20.0, "inclusive": False}
        )
        life.stripe.v1.subscriptions.update(
            row.stripe_subscription_id, {"default_tax_rates": [rate.id]}
        )
        shown = next_invoice(row)
        assert (shown.tax, shown.total) == (580, 3480)

    def test_is_that_of_the_plan_that_comes(self, life, row):
        cheap = make_plan(life.stripe, name="Tiny", price=900, included_credits=50)
        with life.here():
            change = changing.request_plan(
                organization=life.organization, version=cheap, quantity=1, moment=None, user=None
            )
            changing.carry_out(change)
        shown = next_invoice(again(row))
        assert (shown.total, shown.credits) == (900, 50)

    def test_is_none_where_nothing_comes(self, life, row, asked):
        for fields in (
            {"cancel_at_period_end": True},
            {"status": "paused"},
            {"status": "incomplete"},
            {"stripe_subscription_id": None},
        ):
            rest = again(row)
            for name, value in fields.items():
                setattr(rest, name, value)
            assert next_invoice(rest) is None
        assert asked == []

    def test_is_none_where_stripe_says_so(self, life, row):
        life.stripe.v1.subscriptions.update(
            row.stripe_subscription_id, {"cancel_at_period_end": True}
        )
        assert next_invoice(row) is None

    def test_is_never_asked_for_in_a_transaction(self, row):
        with pytest.raises(RuntimeError), transaction.atomic():
            next_invoice(row)


class TestWhatIsKept:
    def test_is_asked_once(self, row, asked):
        assert next_invoice(row) == next_invoice(again(row))
        assert len(asked) == 1

    def test_is_asked_again_once_anything_about_it_has_changed(self, row, asked):
        next_invoice(row)
        row.asked_at += timedelta(seconds=1)
        next_invoice(row)
        row.quantity = 2
        next_invoice(row)
        assert len(asked) == 3

    def test_is_nobody_elses(self, life, row):
        other = Life(life.stripe)
        theirs = other.subscribe(make_plan(life.stripe, name="Large", price=9900))
        assert key_of(row) != key_of(theirs)
        assert next_invoice(row).total == 2900
        assert next_invoice(theirs).total == 9900
        assert next_invoice(row).total == 2900

    def test_is_not_needed(self, row, asked, monkeypatch):
        def down(*args, **kwargs):
            raise RedisError

        monkeypatch.setattr(cache, "get", down)
        monkeypatch.setattr(cache, "set", down)
        assert next_invoice(row).total == 2900
        assert next_invoice(row).total == 2900
        assert len(asked) == 2


class TestAStripeThatDoesNotAnswer:
    def test_is_not_waited_for_by_everybody(self, row, away):
        for _ in range(3):
            with pytest.raises(StripeUnavailable):
                next_invoice(row)
        assert len(away) == 1

    def test_is_waited_for_a_short_time(self, row, settings):
        key, address = settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL
        seen = []
        client = gateway_client._client

        def noted(key, address, hurry):
            seen.append(hurry)
            return client(key, address, hurry)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gateway_client, "_client", noted)
            next_invoice(row)
        assert seen == [True]
        assert client(key, address, True)._requestor._client._timeout == 3
        assert client(key, address, False)._requestor._client._timeout == 10

    def test_leaves_the_page_of_use(self, life, row, away):
        page = signed_in(make_member(life.organization, "owner")).get(
            f"/o/{life.organization.slug}/billing/subscription/"
        )
        assert page.status_code == 200
        text = page.content.decode()
        assert "The next invoice is not known now" in text
        assert "Cancel the plan" in text


class TestPageAndApi:
    def test_the_page_shows_it(self, life, row):
        page = signed_in(make_member(life.organization, "read-only")).get(
            f"/o/{life.organization.slug}/billing/subscription/"
        )
        text = " ".join(page.content.decode().split())
        assert '<dt>Total</dt><dd class="font-semibold">€29.00</dd>' in text
        assert "<dt>Credits that come</dt><dd>500</dd>" in text

    def test_the_api_says_that_stripe_is_away(self, life, row, away):
        person = make_member(life.organization, "owner")
        _, token = make_key(life.organization, person, "billing:read")
        api = with_key(token)
        api.raise_request_exception = False
        lost = api.get("/api/v1/subscription/next-invoice")
        assert (lost.status_code, lost.json()["code"]) == (503, "stripe_unavailable")

    def test_the_api_tells_it_and_null_where_there_is_none(self, life, row):
        person = make_member(life.organization, "owner")
        _, token = make_key(life.organization, person, "billing:read")
        told = with_key(token).get("/api/v1/subscription/next-invoice").json()["next_invoice"]
        assert (told["total"], told["credits"], told["currency"]) == (2900, 500, "eur")
        assert told["lines"][0]["amount"] == 2900

        other = make_organization()
        _, token = make_key(other, make_member(other, "owner"), "billing:read")
        answer = with_key(token).get("/api/v1/subscription/next-invoice").json()
        assert answer["next_invoice"] is None
