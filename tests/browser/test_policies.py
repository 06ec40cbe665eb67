"""Every page that links lead to is walked, and no browser may complain of its policy."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Error, Page, Response

from tests.browser.test_story import sign_in
from tests.markup import inline_parts
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATCH = """document.addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI}) =>
  reportViolation(`${location.pathname}: ${violatedDirective} forbids ${blockedURI}`))"""
LINKS = """[...document.querySelectorAll('a[href]')]
  .map(one => new URL(one.getAttribute('href'), location).href)"""
MAIL = "demo_mail_html"  # a mail, styled inline as mails are, under a policy of its own
MOST_PAGES = 120


class Walker:
    """Follows the links of the instance, each route once, and keeps what was wrong."""

    def __init__(self, page: Page, stack: Stack, *, below: str = "/", apart_from: str = "") -> None:
        self.page, self.home = page, stack.url
        self.below, self.apart_from = below, apart_from
        self.wrong: list[str] = []
        self.seen: dict[str, str] = {}
        page.expose_binding("reportViolation", lambda _, said: self.wrong.append(said))
        page.add_init_script(WATCH)

    def walk(self, *starts: str) -> None:
        """Visit the addresses, and whatever links lead to from there."""
        waiting = list(starts)
        while waiting and len(self.seen) < MOST_PAGES:
            address = waiting.pop(0)
            route = self.route_of(address)
            if route is None or route in self.seen:
                continue
            self.seen[route] = address
            answer = self.open(address)
            if answer is None:
                continue
            self.look(address, answer)
            waiting += self.page.evaluate(LINKS)

    def open(self, address: str) -> Response | None:
        """Show the page; None for what is a file."""
        try:
            answer = self.page.goto(address)
        except Error as error:
            assert "Download is starting" in error.message, address
            return None
        assert answer is not None
        return answer if "text/html" in answer.headers.get("content-type", "") else None

    def look(self, address: str, answer: Response) -> None:
        """Look at the policy and at the page itself, as it was sent."""
        if "/api/" in address:  # Redoc and Swagger UI draw themselves once they have the schema
            self.page.wait_for_load_state("networkidle")
        policy = answer.headers.get("content-security-policy", "")
        if "default-src 'self'" not in policy:
            self.wrong.append(f"{address}: its policy is {policy!r}")
        if self.below != "/":
            return
        if "unsafe" in policy:
            self.wrong.append(f"{address}: its policy is {policy!r}")
        self.wrong += [f"{address}: {found}" for found in inline_parts(answer.text())]

    def route_of(self, address: str) -> str | None:
        """Return the route of an address that is to be visited."""
        parts = urlsplit(address)
        is_ours = not parts.netloc or address.startswith(self.home + "/")
        if not is_ours or not parts.path.startswith(self.below):
            return None
        if self.apart_from and parts.path.startswith(self.apart_from):
            return None
        try:
            match = resolve(parts.path)
        except Resolver404:
            return None
        return None if match.url_name == MAIL else match.route


@pytest.fixture
def window(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


class TestThePolicy:
    def test_is_kept_by_all_pages_of_a_customer(self, window: Page, stack: Stack):
        walker = Walker(window, stack, apart_from="/admin/")
        walker.walk("/", "/accounts/signup/", "/accounts/password/reset/", "/api/docs/")
        sign_in(window, "owner@acme.test", stack.logins()["owner@acme.test"])
        walker.seen.clear()
        walker.walk("/o/acme/", "/o/acme/jobs/new/", "/account/profile/", "/accounts/email/")
        walker.walk("/api/docs/", "/api/try/", "/problems/", "/demo/mailbox/")

        assert walker.wrong == []
        assert len(walker.seen) > 35, sorted(walker.seen)

    def test_is_kept_by_the_back_office(self, window: Page, stack: Stack):
        sign_in(window, "root@demo.test", stack.logins()["root@demo.test"])
        walker = Walker(window, stack, below="/admin/")
        walker.walk("/admin/", "/admin/credits/wallet/", "/admin/tenants/organization/")

        assert walker.wrong == []
        assert len(walker.seen) > 30, sorted(walker.seen)

    def test_is_noticed_where_it_is_broken(self, window: Page, stack: Stack):
        walker = Walker(window, stack)
        window.route(
            "**/problems/",
            lambda route: route.fulfill(
                response=(answer := route.fetch()),
                body=answer.text().replace("<h1", "<h1 style='color:red' onclick='x()'"),
            ),
        )

        walker.walk("/problems/")

        assert any("forbids inline" in said for said in walker.wrong)
        assert any("onclick" in said for said in walker.wrong)
