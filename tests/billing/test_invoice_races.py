"""Two clicks on one open invoice, and more of them, at the same moment: one charge."""

from contextlib import suppress

import pytest

from apps.billing.errors import InvoiceNotOpen, StripeUnavailable
from apps.billing.models import InvoiceAttempt
from apps.billing.services import invoice_attempts
from tests.billing.invoicing import ask, open_invoice, pay, use_card
from tests.billing.reloading import charges, tries, with_card
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]
RACERS = 8


@pytest.fixture
def document(stripe, organization):
    with_card(stripe, organization)
    return open_invoice(stripe, organization)


def test_clicks_at_once_are_one_attempt_that_asks_the_bank_once(stripe, organization, document):
    use_card(stripe, organization, "pm_card_chargeCustomerFail")
    said = at_once([lambda: ask(document)] * RACERS)
    assert len(set(said)) == InvoiceAttempt.objects.count() == 1

    def carry_out():
        with suppress(StripeUnavailable):  # its twin has not been answered yet
            invoice_attempts.carry_out(said[0])

    at_once([carry_out] * RACERS)
    carry_out()
    assert InvoiceAttempt.objects.get().status == "declined"
    assert tries(stripe) == 1


def test_clicks_and_the_sweep_charge_once(stripe, organization, document):
    def click():
        with suppress(StripeUnavailable, InvoiceNotOpen):
            pay(document)

    at_once([click] * RACERS)
    assert len(charges(stripe)) == 1
    document.refresh_from_db()
    assert document.status == "paid"
