"""What the story of capacity needs: a project, and windows of two customers and of staff."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.capacity.holder import Holder
from tests.browser.conftest import play, watched_window
from tests.stack import Stack


@pytest.fixture(scope="session")
def backstage(stack: Stack) -> Callable[[str], None]:
    """Call a function of `backstage` on the data of the stack; the project is there."""

    def call(name: str) -> None:
        play(stack, "tests.browser.capacity.backstage", name)

    call("prepare")
    return call


@pytest.fixture
def holders(browser: Browser, stack: Stack) -> Iterator[list[Holder]]:
    """Sign two customers up, each in a window that may look at Stripe's pages."""
    stripe = stack.environment()["STRIPE_API_URL"]
    with ExitStack() as windows:
        pages = [windows.enter_context(watched_window(browser, stack, stripe)) for _ in "ab"]
        holders = [Holder(page) for page in pages]
        for holder in holders:
            holder.sign_up()
        yield holders


@pytest.fixture
def staff(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Open a window for staff."""
    with watched_window(browser, stack) as staff:
        yield staff
