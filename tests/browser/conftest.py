"""A browser, and the running stack that it looks at."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.stack import ROOT, Stack

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; without one the tests are skipped, unless they were asked for."""
    if CHROMIUM is None:
        message = "No Chromium was found: apt install chromium, or put one into PATH."
        if os.environ.get("COFFER_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(browser, tmp_path_factory) -> Iterator[Stack]:
    """Start the whole of Coffer, and leave nothing of it."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    stack.start()
    yield stack
    stack.stop(signal.SIGINT)
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--reset"],
        cwd=ROOT,
        env={**os.environ, "COFFER_HOME": str(stack.home)},
        check=True,
    )


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    """Open a fresh window, and fail when a page complains or asks another host."""
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("request", lambda asked: _is_ours(asked.url, stack) or complaints.append(asked.url))
    page.set_default_timeout(15_000)
    yield page
    context.close()
    # A refused form answers 402 or 422, which Chromium reports as an error.
    assert [text for text in complaints if "status of 4" not in text] == []


def _is_ours(url: str, stack: Stack) -> bool:
    return url.startswith((stack.url, "data:", "blob:"))
