"""The whole story of a newcomer, in a real browser against the running stack."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.jobs.work import picture
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "a long and quiet sentence"


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click("main form [type=submit]")


def submit(page: Page, content: bytes) -> None:
    page.goto(page.url.split("/o/")[0] + re.search(r"/o/[^/]+/", page.url)[0] + "jobs/new/")
    page.set_input_files(
        "[name=picture]", {"name": "picture.png", "mimeType": "image/png", "buffer": content}
    )
    page.check("[name=style][value=meadow]")
    page.click("main form [type=submit]")


def available(page: Page) -> str:
    page.goto(re.search(r"/o/[^/]+/", page.url)[0])
    return page.locator(".stat-value-lg").inner_text().split()[0]


class TestANewcomer:
    def test_signs_up_runs_a_job_and_is_refunded_for_a_failed_one(self, page: Page, stack: Stack):
        page.goto("/")
        page.goto("/accounts/signup/")
        page.fill("[name=email]", "nina@newcomer.test")
        page.fill("[name=full_name]", "Nina New")
        page.fill("[name=organization_name]", "Nina & Co")
        page.fill("[name=password1]", PASSWORD)
        page.click("main form [type=submit]")
        expect(page).to_have_url(re.compile("/o/nina-co/"))
        assert available(page) == "100"

        submit(page, picture(size=(320, 240)))
        expect(
            page.get_by_role("region", name="Status").get_by_text("Completed", exact=True)
        ).to_be_visible(timeout=30_000)
        result = page.locator("img[alt^='The result']")
        expect(result).to_be_visible()
        assert result.evaluate("image => image.naturalWidth") == 320
        job_page = page.url
        assert available(page) == "95"

        submit(page, picture(size=(320, 240), plain=True))
        expect(page.get_by_text("Refunded 5 credits")).to_be_visible(timeout=30_000)
        assert available(page) == "95"

        page.goto(job_page)
        page.get_by_role("link", name="in the ledger").first.click()
        expect(page.get_by_role("heading", name="Lots touched")).to_be_visible()
        expect(page.locator("main")).to_contain_text("−5")

    def test_sees_every_movement_as_staff(self, page: Page, stack: Stack):
        sign_in(page, "root@demo.test", stack.logins()["root@demo.test"])
        page.goto("/admin/credits/credittransaction/")

        expect(page.locator("#result_list, main table").first).to_contain_text("Refunded")
        assert page.locator("a[href$='/add/']").count() == 0

    def test_is_told_what_is_missing(self, page: Page, stack: Stack):
        sign_in(page, "owner@empty.test", stack.logins()["owner@empty.test"])

        submit(page, picture())

        main = page.locator("main")
        expect(main).to_contain_text("5")
        expect(main).to_contain_text("4")
        assert available(page) == "4"


class TestAVisitorOfTheDemo:
    def test_becomes_whom_he_likes_by_one_click(self, page: Page):
        page.goto("/")
        page.get_by_role("button", name="owner@acme.test").click()

        expect(page).to_have_url(re.compile("/o/acme/"))
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()


class TestWithoutScripts:
    def test_a_job_runs_all_the_same(self, browser, stack: Stack):
        context = browser.new_context(base_url=stack.url, java_script_enabled=False)
        page = context.new_page()
        sign_in(page, "owner@trial.test", stack.logins()["owner@trial.test"])

        submit(page, picture(size=(200, 100)))
        for _ in range(30):
            if (
                page.get_by_role("region", name="Status")
                .get_by_text("Completed", exact=True)
                .count()
            ):
                break
            page.wait_for_timeout(500)
            page.reload()

        expect(page.locator("img[alt^='The result']")).to_be_visible()
        context.close()


class TestAPhone:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_sees_every_page_without_scrolling_sideways(self, browser, stack: Stack, scheme):
        context = browser.new_context(
            base_url=stack.url, viewport={"width": 390, "height": 844}, color_scheme=scheme
        )
        page = context.new_page()
        sign_in(page, "owner@acme.test", stack.logins()["owner@acme.test"])
        for address in ("", "transactions/", "jobs/", "jobs/new/", "keys/"):
            page.goto(f"/o/acme/{address}")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, address
        context.close()


class TestAnIntegrator:
    def test_reads_the_balance_with_the_printed_key(self, stack: Stack):
        request = urllib.request.Request(
            f"{stack.url}/api/v1/credits/balance",
            headers={"Authorization": f"Bearer {stack.api_key()}"},
        )

        with urllib.request.urlopen(request) as answer:
            balance = json.load(answer)

        assert balance["object"] == "balance"
        assert balance["available"] > 0

    def test_reads_the_documentation_offline(self, page: Page):
        page.goto("/api/docs/")

        # Redoc draws all of it before it shows anything.
        expect(page.get_by_text("Submit a job").first).to_be_visible(timeout=60_000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)  # whatever it asks of another host, it asks by now
