"""A customer in a browser: what he does on our pages and on Stripe's."""

import re
import secrets
import time

from playwright.sync_api import Error, Locator, Page, expect

from tests.browser.billing.backstage import PASSWORD

TRIAL = 100
LONGEST_SECONDS = 240  # an event that came too early is tried again after 5, 30 and 120 s
LOOK_MILLISECONDS = 500
STATES = {True: "visible", False: "detached"}
STRIPE = re.compile("/c/pay/")  # its page of what is bought
GOOD, DECLINED, ASKING = "goes through", "is declined", "asks for authentication"


class Shopper:
    """Somebody who buys for his organization."""

    def __init__(self, page: Page, slug: str = "") -> None:
        self.page, self.slug = page, slug

    def sign_up(self) -> None:
        mark = secrets.token_hex(4)
        self.page.goto("/accounts/signup/")
        self.page.fill("[name=email]", f"{mark}@shopper.test")
        self.page.fill("[name=full_name]", "Sam Shopper")
        self.page.fill("[name=organization_name]", f"Shop {mark}")
        self.page.fill("[name=password1]", PASSWORD)
        self.page.click("main form [type=submit]")
        expect(self.page).to_have_url(re.compile("/o/"))
        self.slug = re.search(r"/o/([^/]+)/", self.page.url)[1]

    def open(self, place: str) -> None:
        """Look at a page of billing."""
        self.page.goto(f"/o/{self.slug}/billing/{place}/")

    def await_on(self, place: str, what: Locator, *, is_shown: bool = True) -> None:
        """Look at a page again and again until a worker has done what changes it."""
        until = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < until:
            self.open(place)
            try:
                what.wait_for(timeout=LOOK_MILLISECONDS, state=STATES[is_shown])
            except Error:
                continue
            return
        raise AssertionError(f"{place} did not change in {LONGEST_SECONDS} seconds: {what}")

    def choose_pack(self, name: str = "500 credits") -> None:
        """Choose a pack, as far as Stripe's page."""
        self.open("buy")
        self.page.get_by_role("button", name=f"Buy {name}").click()

    def press(self, card: str, button: str = "Pay") -> None:
        """Choose a card on Stripe's page, by what it does or by its number, and go on."""
        expect(self.page).to_have_url(STRIPE)
        pay = self.page.get_by_role("button", name=re.compile(f"^{button}"))
        pay.wait_for()  # the last of the form, so that all before it is there
        email = self.page.get_by_label("Email")
        if email.count():
            email.fill("sam@shopper.test")
        if card.isdecimal():
            self.page.get_by_label("Another test card").first.check()
            self.page.get_by_label("Number of another test card").fill(card)
        else:
            self.page.get_by_label(card).check()
        pay.click()

    def buy_pack(self, card: str = GOOD) -> str:
        """Buy 500 credits for €10.00; return the address of the payment's page."""
        self.choose_pack()
        self.press(card)
        expect(self.main).to_contain_text("Paid: 500 credits came in")
        return re.search(r"billing/(payments/[^/?]+)", self.page.url)[1]

    def save_card(self) -> None:
        self.open("payment-methods")
        self.page.get_by_role("button", name="Save a card").click()
        self.press(GOOD, "Save card")
        expect(self.main).to_contain_text("Visa ending in 4242")

    def subscribe(self, plan: str) -> None:
        """Choose a plan and pay for it."""
        self.open("plans")
        self.card_of(plan).get_by_role("button", name="Subscribe").click()
        self.press(GOOD, "Subscribe")
        expect(self.main.get_by_text("Active", exact=True)).to_be_visible()

    def card_of(self, plan: str) -> Locator:
        """Return the card of a plan on the page of plans."""
        heading = self.page.get_by_role("heading", name=plan, exact=True)
        return self.page.get_by_role("listitem").filter(has=heading)

    def balance(self) -> int:
        self.page.goto(f"/o/{self.slug}/")
        shown = self.page.locator(".stat-value-lg").inner_text()
        return int(shown.split()[0].replace(",", ""))

    def fact(self, label: str) -> str:
        """Return what a page says beside a word."""
        return self.main.locator(f"dt:text-is('{label}') + dd").inner_text()

    @property
    def main(self) -> Locator:
        """The page without its menu."""
        return self.page.locator("main")
