"""Automatic reload from many sides at the same moment: one charge, one grant."""

from contextlib import suppress

import pytest

from apps.billing.errors import StripeUnavailable
from apps.billing.models import Payment
from apps.billing.services import inbox, reloads
from tests.billing.buying import balance, grants
from tests.billing.reloading import attempt, charges, later, ready, tries
from tests.billing.stripe import handle_everything
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]
RACERS = 32


def test_workers_that_are_rung_together_charge_once(stripe, organization):
    ready(stripe, organization)
    before = balance(organization)

    said = at_once([lambda: attempt(organization)] * RACERS)

    assert sum(one is not None for one in said) == 1
    assert Payment.objects.get().status == "succeeded"
    assert len(charges(stripe)) == 1
    assert balance(organization) == before + 1000


def test_workers_and_a_card_that_is_declined_ask_the_bank_once(stripe, organization):
    ready(stripe, organization, "pm_card_chargeCustomerFail")
    at_once([lambda: attempt(organization)] * RACERS)
    assert tries(stripe) == 1


def test_sweeps_webhooks_and_the_answer_grant_once(stripe, organization, monkeypatch):
    ready(stripe, organization)
    monkeypatch.setattr(reloads, "follow", lambda payment, intent: payment)
    payment = attempt(organization)
    monkeypatch.undo()
    assert payment.status == "unknown"
    later(minutes=2)
    events = stripe.news()

    def webhook():
        for event in events:
            inbox.receive(event, source="webhook")
        handle_everything()

    def sweep():
        with suppress(StripeUnavailable):
            reloads.sweep()

    at_once([webhook, sweep] * 8)
    handle_everything()
    reloads.sweep()

    assert Payment.objects.get().status == "succeeded"
    assert len(charges(stripe)) == 1
    assert grants(organization).count() == 1
