"""A plan in a browser: chosen, paid, changed, cancelled; and what a month does to it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.billing.backstage import CREDITS, EMAIL, PASSWORD, SLUG
from tests.browser.billing.shopper import TRIAL, Shopper
from tests.browser.test_reading import NAMELESS
from tests.browser.test_story import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("plans", "subscription", "subscription/cancel", "buy", "auto-reload", "payments")
PAGES += ("payment-methods", "invoices")


def number(text: str) -> int:
    """Return the first number in what a page says, signs and groups understood."""
    found = re.search(r"[−+]?[\d,]+", text)[0]
    return int(found.replace("−", "-").replace(",", ""))


@pytest.mark.usefixtures("backstage")
class TestAPlan:
    def test_is_chosen_and_then_changed_as_its_preview_said(self, shopper: Shopper):
        page = shopper.page
        shopper.subscribe("Story small")
        before = shopper.balance()
        assert before == TRIAL + CREDITS

        shopper.open("plans")
        shopper.card_of("Story large").get_by_role("button", name="Upgrade").click()
        charge = shopper.fact("Charged today").split()[0]
        more = number(shopper.fact("Credits now"))
        page.get_by_role("button", name=f"Pay {charge} and change").click()

        expect(page.get_by_text("Your plan is Story large now.")).to_be_visible()
        assert shopper.balance() == before + more
        assert more > 0
        total = page.get_by_role("row").filter(has_text="Story large").get_by_text(charge)
        shopper.await_on("payments", total)

    def test_is_cancelled_and_kept_after_all(self, shopper: Shopper):
        page = shopper.page
        shopper.subscribe("Story small")
        page.get_by_role("link", name="Cancel the plan").click()
        page.get_by_role("button", name="Cancel the plan").click()
        expect(page.get_by_text("The plan ends on").first).to_be_visible()
        expect(shopper.main.locator("dt:text-is('Next invoice') + dd")).to_have_text("None")

        page.get_by_role("button", name="Undo what is scheduled").click()

        expect(page.get_by_text("Nothing is scheduled any more")).to_be_visible()
        expect(page.get_by_role("region", name="Next invoice", exact=True)).to_contain_text(
            "€29.00"
        )
        assert shopper.balance() == TRIAL + CREDITS


class TestAMonth:
    def test_gives_new_credits_and_carries_some_over(self, window: Page, backstage):
        shopper = Shopper(window, SLUG)
        sign_in(window, EMAIL, PASSWORD)
        expect(window).to_have_url(re.compile("/o/"))
        shopper.subscribe("Story small")
        assert shopper.fact("Credits of this period") == "500 of 500 left"
        began = shopper.fact("Period")

        backstage("pass_a_month")

        shopper.open("subscription")
        told = shopper.fact("Credits of this period").split("\n")
        assert told == ["500 of 500 left", "and 100 carried over"]
        assert shopper.fact("Period").split(" to ")[0] == began.split(" to ")[1]
        shopper.open("payments")
        paid = window.get_by_role("row").filter(has_text="Story small")
        expect(paid.filter(has_text="€29.00").filter(has_text="Paid")).to_have_count(2)


@pytest.mark.usefixtures("backstage")
class TestEveryPage:
    def test_fits_a_phone_and_names_what_can_be_used(self, shopper: Shopper):
        shopper.subscribe("Story small")
        shopper.page.set_viewport_size({"width": 390, "height": 844})
        for place in PAGES:
            shopper.open(place)
            width = shopper.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, place
            assert shopper.page.evaluate(NAMELESS) == [], place
