"""The simulator's hosted pages in a browser without scripts: Checkout, the bank, the portal."""

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.__main__ import make_world
from simulator.core.server import Server
from tests.simulator.conformance.scenarios import Shop

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BANNER = "TEST CHECKOUT – no card is charged"
WIDTHS = (320, 390, 1280)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    server = Server(make_world())
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield Shop(server.url)
    server.shutdown()
    thread.join()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def session(shop: Shop, **more: object):
    return shop.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": shop.price().id, "quantity": 2}],
            "success_url": f"{shop.url}/_sim/style.css?session={{CHECKOUT_SESSION_ID}}",
            **more,
        }
    )


def pay(window: Page, card: str) -> None:
    window.get_by_label(card).check()
    window.get_by_role("button", name="Pay 30.00 USD").click()


class TestCheckout:
    def test_a_declined_card_then_one_that_is_poor_then_a_good_one(self, shop: Shop, window: Page):
        made = session(shop, customer_email="jenny@example.com")
        window.goto(made.url)
        for card, words in (
            ("is declined", "Your card was declined."),
            ("has insufficient funds", "Your card has insufficient funds."),
        ):
            pay(window, card)
            expect(window.get_by_role("alert")).to_have_text(words)
        pay(window, "goes through")
        expect(window).to_have_url(re.compile(f"session={made.id}$"))
        assert shop.v1.checkout.sessions.retrieve(made.id).payment_status == "paid"

    def test_authentication_fails_and_then_succeeds(self, shop: Shop, window: Page):
        made = session(shop, customer_email="jenny@example.com")
        window.goto(made.url)
        pay(window, "asks for authentication")
        window.get_by_role("button", name="Fail authentication").click()
        expect(window.get_by_role("alert")).to_contain_text("unable to authenticate")
        pay(window, "asks for authentication")
        window.get_by_role("button", name="Complete authentication").click()
        expect(window).to_have_url(re.compile(f"session={made.id}$"))

    def test_by_keyboard_alone(self, shop: Shop, window: Page):
        made = session(shop)
        window.goto(made.url)
        window.get_by_label("Email").focus()
        window.keyboard.type("jenny@example.com")
        window.keyboard.press("Enter")
        expect(window).to_have_url(re.compile(f"session={made.id}$"))


class TestThePortal:
    def test_a_card_is_added_and_removed(self, shop: Shop, window: Page):
        customer = shop.customer()
        window.goto(shop.v1.billing_portal.sessions.create({"customer": customer.id}).url)
        window.get_by_role("link", name="Add a card").click()
        window.get_by_label("goes through").check()
        window.get_by_role("button", name="Save card").click()
        expect(window.locator("main")).to_contain_text("visa ending in 4242, until 12/2034 (pays)")
        window.get_by_role("button", name="Remove visa ending in 4242").click()
        expect(window.locator("main")).to_contain_text("No card.")

    def test_a_plan_is_changed_and_canceled(self, shop: Shop, window: Page):
        customer = shop.customer("pm_card_visa")
        cheap = shop.price(1000, "month")
        shop.price(3000, "month", product_data={"name": "Platinum"})
        made = shop.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": cheap.id}]}
        )
        window.goto(shop.v1.billing_portal.sessions.create({"customer": customer.id}).url)
        window.get_by_role("link", name="Change plan").click()
        window.get_by_label("Platinum, 30.00 USD / month").check()
        window.get_by_role("button", name="Change plan").click()
        expect(window.locator("main")).to_contain_text("Platinum, 30.00 USD / month")
        window.get_by_role("link", name="Cancel plan").click()
        window.get_by_role("button", name="Cancel plan").click()
        expect(window.locator("main")).to_contain_text("Ends on")
        assert shop.v1.subscriptions.retrieve(made.id).cancel_at_period_end


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_says_that_nothing_is_charged(
    browser: Browser, shop: Shop, scheme, width
):
    customer = shop.customer("pm_card_visa", name="Jenny Rosen")
    portal = shop.v1.billing_portal.sessions.create({"customer": customer.id}).url
    adjustable = {"enabled": True, "minimum": 1, "maximum": 5}
    lines = [{"price": shop.price().id, "quantity": 2, "adjustable_quantity": adjustable}]
    pages = (
        session(shop, line_items=lines, allow_promotion_codes=True).url,
        portal,
        f"{portal}/card",
        f"{portal}/details",
    )
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=True
    )
    page = context.new_page()
    for address in pages:
        page.goto(address)
        expect(page.get_by_text(BANNER)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        unnamed = "[...document.querySelectorAll('input,button,select')].filter(one => "
        unnamed += "!one.labels?.length && !one.textContent.trim()).length"
        assert page.evaluate(unnamed) == 0, address
        assert page.get_by_role("heading", level=1).count() == 1
    context.close()
