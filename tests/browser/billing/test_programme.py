"""A programme in a browser: applied for, paid, handed on by a file, claimed, used, taken back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.billing.shopper import LONGEST_SECONDS, TRIAL, Shopper
from tests.browser.conftest import watched_window
from tests.browser.test_story import PASSWORD, sign_in, submit
from tests.jobs.work import picture
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BOUGHT, JOB = 500, 5  # credits
GIVEN, MENDED = 40, 60  # credits: of the right row, and of the three that were wrong
LOOK_MILLISECONDS = 500


def programme(shopper: Shopper, place: str) -> None:
    shopper.page.goto(f"/o/{shopper.slug}/programme/{place}/")


def apply(shopper: Shopper) -> None:
    programme(shopper, "application")
    shopper.page.fill("[name=name]", f"Programme of {shopper.slug}")
    shopper.page.fill("[name=expected_members]", "4")
    shopper.page.get_by_role("button", name="Apply").click()
    expect(shopper.main).to_contain_text("Not decided yet")


def approve(staff: Page, stack: Stack, slug: str) -> None:
    sign_in(staff, "root@demo.test", stack.logins()["root@demo.test"])
    staff.goto(f"/admin/partners/application/?q={slug}")
    staff.locator("#result_list tbody a, main tbody a").first.click()
    staff.get_by_role("link", name="Approve").click()
    staff.get_by_role("button", name="Begin the programme").click()
    expect(staff.locator("body")).to_contain_text("has begun")


def upload(shopper: Shopper, content: str) -> None:
    """Upload a file, as far as what it would do."""
    programme(shopper, "uploads")
    file = {"name": "members.csv", "mimeType": "text/csv", "buffer": content.encode()}
    shopper.page.set_input_files("[name=file]", file)
    shopper.page.get_by_role("button", name="See what it does").click()


def press(shopper: Shopper, button: str) -> None:
    """Press a button, and show the password once more if that is asked for: by time it may be."""
    page = shopper.page
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()
    if page.get_by_role("heading", name="Confirm that it is you").count():
        page.fill("[name=password]", PASSWORD)
        page.click("main form [type=submit]")


def hand_on(shopper: Shopper, credits: int, mode: str) -> None:
    """Confirm that it takes so many credits, and wait until a worker has carried it out."""
    shopper.page.select_option("[name=mode]", mode)
    press(shopper, f"Hand on {credits} credits")
    status = shopper.page.get_by_role("region", name="Status")
    expect(status).to_contain_text(f"{credits} of {credits}", timeout=1000 * LONGEST_SECONDS)


def file_of_errors(shopper: Shopper) -> str:
    with shopper.page.expect_download() as download:
        shopper.page.get_by_role("link", name="File of errors").click()
    return Path(download.value.path()).read_text()


def claim(member: Page, email: str) -> None:
    """Follow the link in the demo's mailbox, and sign up by it."""
    link = member.locator("tbody a").first
    for _ in range(1000 * LONGEST_SECONDS // LOOK_MILLISECONDS):
        member.goto(f"/demo/mailbox/?to={email}")
        if link.count():
            break
        member.wait_for_timeout(LOOK_MILLISECONDS)
    link.click()
    member.locator("main a[href*='/claims/']").first.click()
    member.fill("[name=full_name]", "Ada Able")
    member.fill("[name=password]", PASSWORD)
    member.get_by_role("button", name="Sign up and claim").click()
    expect(member).to_have_url(re.compile("/o/"))


def run_a_job(member: Page) -> None:
    submit(member, picture())
    status = member.get_by_role("region", name="Status")
    expect(status.get_by_text("Completed", exact=True)).to_be_visible()


def revoke(shopper: Shopper, email: str) -> None:
    programme(shopper, "awards")
    shopper.page.get_by_role("link", name=email).click()
    shopper.page.fill("[name=reason]", "The season is over")
    press(shopper, f"Revoke {GIVEN - JOB} credits")
    expect(shopper.main).to_contain_text("Revoked")


@pytest.fixture
def windows(browser: Browser, stack: Stack) -> Iterator[tuple[Page, Page]]:
    """Open a window for staff, and one for a member."""
    with watched_window(browser, stack) as staff, watched_window(browser, stack) as member:
        yield staff, member


class TestAProgramme:
    def test_is_begun_filled_handed_on_used_and_taken_back(
        self, shopper: Shopper, windows: tuple[Page, Page], stack: Stack
    ):
        staff, member = windows
        email = f"ada@{shopper.slug}.test"
        apply(shopper)
        approve(staff, stack, shopper.slug)
        shopper.buy_pack()

        wrong = ["bea@{},ten", "cid_at_{},20", "dot@{},=30"]
        rows = [f"{email},{GIVEN}", *(one.format(f"{shopper.slug}.test") for one in wrong)]
        upload(shopper, "\n".join(["email,credits", *rows]))
        expect(shopper.main).to_contain_text("This is no e-mail address")
        assert shopper.fact("Wrong") == "3"
        hand_on(shopper, GIVEN, "valid")

        mended = re.sub(
            "ten|'?=30", lambda one: {"ten": "10"}.get(one[0], "30"), file_of_errors(shopper)
        )
        upload(shopper, mended.replace("cid_at_", "cid@"))
        hand_on(shopper, MENDED, "all")
        assert shopper.balance() == TRIAL + BOUGHT - GIVEN - MENDED

        claim(member, email)
        run_a_job(member)
        revoke(shopper, email)
        assert shopper.balance() == TRIAL + BOUGHT - JOB - MENDED
