"""A browser, and the running stack that it looks at."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.stack import ROOT, Stack

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LONGEST_MILLISECONDS = 30_000  # until a page shows what is expected: a machine may be busy
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
        expect.set_options(timeout=LONGEST_MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(browser, tmp_path_factory) -> Iterator[Stack]:
    """Start the whole of Coffer, and leave nothing of it."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop(signal.SIGINT)
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--reset"],
        cwd=ROOT,
        env={**os.environ, "COFFER_HOME": str(stack.home)},
        check=True,
    )


def play(stack: Stack, module: str, name: str) -> None:
    """Call a function of a module in a process of its own, on the data of the stack."""
    program = f"from {module} import {name}; {name}()"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", program],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,  # less than a test has
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    """Open a fresh window, and fail when a page complains or asks another host."""
    with watched_window(browser, stack) as page:
        yield page


@contextmanager
def watched_window(browser: Browser, stack: Stack, *allowed: str) -> Iterator[Page]:
    """
    Open a window, and fail at its end if a page has complained or asked another host.

    `allowed` are the addresses of other hosts that may be asked.
    """
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    ours = (stack.url, *allowed, "data:", "blob:")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("request", lambda asked: asked.url.startswith(ours) or complaints.append(asked.url))
    page.set_default_timeout(LONGEST_MILLISECONDS)
    yield page
    context.close()
    # A refused form answers 402 or 422, which Chromium reports as an error.
    assert [text for text in complaints if "status of 4" not in text] == []
