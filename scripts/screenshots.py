"""Take the pictures of the README from a running demo: `make demo`, then `make screenshots`."""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "screenshots"
HOME = ROOT / ".coffer"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 780}


def main() -> None:
    """Sign in to the demo and take one picture after the other."""
    try:
        url = json.loads((HOME / "run.json").read_text())["url"]
        logins = json.loads((HOME / "demo.json").read_text())["logins"]
    except FileNotFoundError:
        sys.exit("No demo runs here: start one with make demo.")
    chromium = shutil.which("chromium") or sys.exit("No chromium was found: apt install chromium.")
    password = logins[0]["password"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = customer(browser, url, password, viewport=DESKTOP)
        take(page, f"{url}/o/acme/", "overview")
        take(page, f"{url}/o/acme/transactions/", "transactions")
        page.goto(f"{url}/o/acme/jobs/")
        page.locator("tbody a").last.click()
        take(page, page.url, "job")
        phone = customer(browser, url, password, viewport=PHONE, color_scheme="dark")
        take(phone, f"{url}/o/acme/", "phone-dark")
        staff(browser, url, password)
        browser.close()


def customer(browser: Browser, url: str, password: str, **options: object) -> Page:
    """Return a window in which a customer is signed in."""
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=login]", "owner@acme.test")
    page.fill("[name=password]", password)
    page.click("main form [type=submit]")
    return page


def staff(browser: Browser, url: str, password: str) -> None:
    """Take the picture of the admin."""
    page = browser.new_context(viewport={"width": 1440, "height": 860}).new_page()
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=login]", "root@demo.test")
    page.fill("[name=password]", password)
    page.click("main form [type=submit]")
    take(page, f"{url}/admin/credits/credittransaction/", "admin")


def take(page: Page, address: str, name: str) -> None:
    """Go there and keep what is seen."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


if __name__ == "__main__":
    main()
