"""Money goes back in a browser: staff refund a payment, and a bank disputes one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from stripe import StripeClient

from tests.browser.billing.shopper import TRIAL, Shopper
from tests.browser.conftest import watched_window
from tests.browser.test_story import sign_in
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DISPUTED = "4000000000000259"


@pytest.fixture
def office(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Open the back office in a window of its own."""
    with watched_window(browser, stack) as office:
        sign_in(office, "root@demo.test", stack.logins()["root@demo.test"])
        yield office


class TestARefund:
    def test_is_given_by_staff_and_told_to_the_customer(self, shopper: Shopper, office: Page):
        payment = shopper.buy_pack()

        office.goto(f"/admin/billing/payment/?q={payment.removeprefix('payments/')}")
        office.get_by_role("link", name=re.compile("^pay_")).click()
        office.locator("a[href*='/payment/'][href$='/refund/']").click()
        office.get_by_label("Note").fill("He asked for it on the day he paid.")
        office.get_by_role("button", name="Preview").click()
        expect(office.get_by_role("definition").filter(has_text="500")).to_be_visible()
        office.get_by_role("button", name="Refund it").click()
        expect(office.get_by_text("€10.00 refunded; 500 credits taken back.")).to_be_visible()

        shopper.open(payment)
        assert shopper.fact("Refunded") == "€10.00; 500 credits were taken back"
        assert shopper.balance() == TRIAL


class TestADispute:
    def test_keeps_credits_back_until_the_bank_has_decided(self, shopper: Shopper, stripe_url):
        payment = shopper.buy_pack(DISPUTED)

        told = shopper.page.get_by_text("The bank disputes this payment.")
        shopper.await_on(payment, told)
        assert shopper.balance() == TRIAL

        shopper.open(payment)
        stripe = StripeClient("sk_test_" + "b" * 24, base_addresses={"api": stripe_url}).v1
        intent = re.search(r"pi_\w+", shopper.fact("At Stripe"))[0]
        [dispute] = stripe.disputes.list({"payment_intent": intent}).data
        evidence = {"uncategorized_text": "winning_evidence"}
        stripe.disputes.update(dispute.id, {"evidence": evidence, "submit": True})

        shopper.await_on(payment, told, is_shown=False)
        assert shopper.balance() == TRIAL + 500
