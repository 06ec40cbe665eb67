"""Credits are bought in a browser: our pages, Stripe's page, and our inbox in between."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.billing.shopper import ASKING, DECLINED, GOOD, STRIPE, TRIAL, Shopper
from tests.browser.test_story import submit
from tests.jobs.work import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST_TABS = 60
NAME_OF_FOCUSED = """(({labels, innerText}) => labels?.[0]?.innerText ?? innerText ?? '')(
  document.activeElement)"""


def tab_to(page: Page, words: str) -> None:
    """Go on by the keyboard alone until what these words name has the focus."""
    told = ""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        told = page.evaluate(NAME_OF_FOCUSED).strip()
        if told.startswith(words):
            return
    raise AssertionError(f"no way by Tab to {words!r}; the last was {told!r}")


def payments(shopper: Shopper) -> list[str]:
    """Return the rows of the page of payments."""
    shopper.open("payments")
    return shopper.main.locator("tbody tr").all_inner_texts()


class TestAPack:
    def test_is_bought_by_keyboard_alone(self, shopper: Shopper):
        page = shopper.page
        shopper.open("buy")
        tab_to(page, "Buy 500 credits for")
        page.keyboard.press("Enter")
        expect(page).to_have_url(STRIPE)
        tab_to(page, "Email")
        page.keyboard.type("sam@shopper.test")
        tab_to(page, "Pay")
        page.keyboard.press("Enter")

        expect(shopper.main).to_contain_text("Paid: 500 credits came in")
        expect(shopper.main).to_contain_text("You have 600 credits now")
        assert shopper.balance() == TRIAL + 500

    def test_is_paid_with_another_card_after_one_was_declined(self, shopper: Shopper):
        shopper.choose_pack()
        shopper.press(DECLINED)
        expect(shopper.page.get_by_role("alert")).to_have_text("Your card was declined.")
        shopper.page.get_by_role("link", name="Go back without buying").click()

        expect(shopper.main).to_contain_text("The last try was declined")
        assert shopper.balance() == TRIAL
        shopper.page.go_back()
        shopper.page.get_by_role("link", name="Go on to pay €10.00").click()
        shopper.press(GOOD)

        expect(shopper.main).to_contain_text("Paid: 500 credits came in")
        assert shopper.balance() == TRIAL + 500
        [row] = payments(shopper)
        assert "Paid" in row

    def test_waits_for_the_bank_to_see_who_pays(self, shopper: Shopper):
        shopper.choose_pack()
        shopper.press(ASKING)
        expect(shopper.page.get_by_role("heading", name="Is it you?")).to_be_visible()
        shopper.page.get_by_role("button", name="Complete authentication").click()

        expect(shopper.main).to_contain_text("Paid: 500 credits came in")
        assert shopper.balance() == TRIAL + 500


class TestAutomaticReload:
    def test_buys_when_the_balance_falls_below_what_was_agreed_to(self, shopper: Shopper):
        page = shopper.page
        shopper.save_card()
        shopper.open("auto-reload")
        page.get_by_label("Reload automatically").check()
        page.get_by_label("When the balance falls below").fill(str(TRIAL))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Agree to this first")).to_be_visible()

        page.get_by_label("I agree to these charges").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Automatic reload is on.")).to_be_visible()
        expect(page.get_by_text("Armed", exact=True)).to_be_visible()
        submit(page, picture())

        attempt = page.get_by_role("region", name="Last attempts").get_by_role("listitem")
        shopper.await_on("auto-reload", attempt.filter(has_text=re.compile(r"€20\.00.*Paid", re.S)))
        assert attempt.count() == 1
        assert shopper.balance() == TRIAL - 5 + 1000
