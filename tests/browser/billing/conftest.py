"""What the stories of billing share: what is sold, and a window that may look at Stripe's pages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.billing.shopper import Shopper
from tests.browser.conftest import play, watched_window
from tests.stack import Stack


@pytest.fixture(scope="session")
def backstage(stack: Stack) -> Callable[[str], None]:
    """Call a function of `backstage` on the data of the stack; what the stories need is there."""

    def call(name: str) -> None:
        play(stack, "tests.browser.billing.backstage", name)

    call("prepare")
    return call


@pytest.fixture(scope="session")
def stripe_url(stack: Stack) -> str:
    """Name the stand-in for Stripe: the one other host that may be asked."""
    return stack.environment()["STRIPE_API_URL"]


@pytest.fixture
def window(browser: Browser, stack: Stack, stripe_url: str) -> Iterator[Page]:
    """Open a window that may look at our pages and at Stripe's, and complain of nothing."""
    with watched_window(browser, stack, stripe_url) as window:
        yield window


@pytest.fixture
def shopper(window: Page) -> Shopper:
    """Sign somebody up, with an organization of his own and a trial of 100 credits."""
    shopper = Shopper(window)
    shopper.sign_up()
    return shopper
