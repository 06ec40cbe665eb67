"""The pages that explain the ledger, with a keyboard, on a phone, without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_story import sign_in
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = (
    "",
    "lots/",
    "usage/?period=90d&group_by=actor",
    "explain/",
    "transactions/?type=usage",
    "budgets/",
)


@pytest.fixture
def acme(page: Page, stack: Stack) -> Page:
    sign_in(page, "owner@acme.test", stack.logins()["owner@acme.test"])
    expect(page).to_have_url(re.compile("/o/acme/"))
    return page


class TestAChart:
    def test_leads_by_keyboard_to_what_adds_up_to_a_bar(self, acme: Page):
        acme.goto("/o/acme/usage/")
        acme.locator("#id_group_by").focus()
        for _ in range(20):
            acme.keyboard.press("Tab")
            if acme.evaluate("document.activeElement.matches('svg a')"):
                break
        told = acme.evaluate("document.activeElement.getAttribute('aria-label')")
        used = re.search(r": (−?[\d,]+)", told)[1]

        acme.keyboard.press("Enter")

        expect(acme.get_by_role("heading", name="What was used on this day")).to_be_visible()
        expect(acme.get_by_text("Adds up", exact=True)).to_be_visible()
        assert acme.locator("main .text-3xl").inner_text().split()[0] == used

    def test_has_the_same_as_a_table(self, acme: Page):
        acme.goto("/o/acme/usage/")
        acme.get_by_text("Show as a table").click()

        rows = acme.get_by_role("region", name="as a table").locator("tbody tr")
        total = sum(
            int(cell.replace("−", "-").replace(",", ""))
            for cell in rows.locator("td:last-child").all_inner_texts()
        )

        assert rows.count() == 30
        assert f"{total:,}" == acme.locator(".stat-value-lg").inner_text().split()[0]


class TestANumber:
    def test_is_explained_by_a_click(self, acme: Page):
        acme.goto("/o/acme/")
        shown = acme.locator(".stat-value-lg a").inner_text()
        acme.locator(".stat-value-lg a").click()

        expect(acme.get_by_text("Adds up", exact=True)).to_be_visible()
        expect(acme.locator("main")).to_contain_text(f"Sum\n+{shown}", use_inner_text=True)

    def test_is_told_for_another_moment(self, acme: Page):
        acme.goto("/o/acme/lots/")
        acme.fill("[name=as_of]", "2020-01-01T00:00")
        acme.get_by_role("button", name="Show").click()

        expect(acme.locator(".stat-value-lg")).to_contain_text("0 credits")
        expect(acme.locator("main")).to_contain_text("there were no credits")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
class TestEveryPage:
    def test_fits_and_names_what_can_be_used(self, browser, stack: Stack, scheme, width):
        context = browser.new_context(
            base_url=stack.url,
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
        )
        page = context.new_page()
        sign_in(page, "owner@acme.test", stack.logins()["owner@acme.test"])
        for address in PAGES:
            page.goto(f"/o/acme/{address}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.evaluate(NAMELESS) == [], address
        context.close()


# What can be focused and would be read out as nothing, and labels that label nothing.
NAMELESS = """() => [...document.querySelectorAll('a[href], button, input, select, [role=img]')]
  .filter(one => one.checkVisibility() && one.type !== 'hidden')
  .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim()
    || one.labels?.length || one.title))
  .map(one => one.outerHTML.slice(0, 120))"""
