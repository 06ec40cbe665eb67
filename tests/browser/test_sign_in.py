"""Passkeys, security keys and apps, with a virtual authenticator in a real browser."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "a long and quiet sentence"
NAMES = iter(f"person-{number}@keys.test" for number in range(100))


class Person:
    """Somebody who has just signed up, with a browser that holds his passkeys."""

    def __init__(self, page: Page) -> None:
        self.page, self.email = page, next(NAMES)
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))

    def plug_in(self, *, is_verified: bool = True) -> None:
        devtools = self.page.context.new_cdp_session(self.page)
        devtools.send("WebAuthn.enable")
        devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": is_verified,
                    "automaticPresenceSimulation": True,
                }
            },
        )

    def sign_up(self) -> None:
        self.page.goto("/accounts/signup/")
        self.page.fill("[name=email]", self.email)
        self.page.fill("[name=full_name]", "Kim Key")
        self.page.fill("[name=organization_name]", "Keys and Locks")
        self.page.fill("[name=password1]", PASSWORD)
        self.page.click("main form [type=submit]")
        expect(self.page).to_have_url(re.compile("/o/keys-and-locks"))

    def confirm_address(self) -> None:
        """Follow the link in the demo's mailbox."""
        self.page.goto(f"/demo/mailbox/?to={self.email}")
        self.page.locator("tbody a").first.click()
        self.page.locator("main a[href*='confirm-email']").first.click()
        self.page.get_by_role("button", name="Confirm").click()

    def confirm_person(self) -> None:
        expect(self.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main form [type=submit]")

    def add_key(self, *, is_passkey: bool) -> None:
        self.page.goto("/accounts/2fa/webauthn/add/")
        self.confirm_person()
        self.page.fill("[name=name]", "Left pocket")
        if is_passkey:
            self.page.check("[name=passwordless]")
        self.page.get_by_role("button", name="Add the key").click()
        expect(self.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()

    def sign_out(self) -> None:
        self.page.goto("/accounts/logout/")
        self.page.locator("main").get_by_role("button", name="Sign out").click()
        self.page.goto("/accounts/login/")

    def sign_in_by_password(self) -> None:
        self.page.goto("/accounts/login/")
        self.page.fill("[name=login]", self.email)
        self.page.fill("[name=password]", PASSWORD)
        self.page.locator("main form").first.locator("[type=submit]").click()


@pytest.fixture
def person(browser: Browser, stack: Stack) -> Iterator[Person]:
    # Browsers tie keys to a name and refuse numbers, so not 127.0.0.1.
    context = browser.new_context(base_url=f"http://localhost:{stack.port}")
    page = context.new_page()
    page.set_default_timeout(15_000)
    person = Person(page)
    person.sign_up()
    person.confirm_address()
    yield person
    context.close()
    assert [text for text in person.complaints if "status of 4" not in text] == []


class TestAPasskey:
    def test_signs_in_without_a_password(self, person: Person):
        person.plug_in()
        person.add_key(is_passkey=True)
        person.sign_out()

        person.page.get_by_role("button", name="Sign in with a passkey").click()

        expect(person.page).to_have_url(re.compile("/o/keys-and-locks"))
        person.page.goto("/accounts/2fa/webauthn/")
        expect(person.page.get_by_role("row", name="Left pocket")).to_contain_text("Passkey")

    def test_of_nobody_here_signs_nobody_in(self, person: Person):
        person.plug_in()
        person.add_key(is_passkey=True)
        person.page.goto("/accounts/2fa/webauthn/")
        person.page.get_by_role("link", name="Remove Left pocket").click()
        person.page.get_by_role("button", name="Remove").click()
        expect(person.page.get_by_text("No keys yet")).to_be_visible()
        person.sign_out()

        person.page.get_by_role("button", name="Sign in with a passkey").click()

        expect(person.page.get_by_text("Incorrect code")).to_be_visible()
        person.page.goto("/account/profile/")
        expect(person.page).to_have_url(re.compile("/accounts/login/"))


class TestASecurityKey:
    def test_is_asked_for_after_the_password(self, person: Person):
        person.plug_in()
        person.add_key(is_passkey=False)
        person.sign_out()

        person.sign_in_by_password()
        expect(person.page.get_by_role("heading", name="Your second factor")).to_be_visible()
        person.page.get_by_role("button", name="Use a passkey or security key").click()

        expect(person.page).to_have_url(re.compile("/o/keys-and-locks"))

    def test_confirms_who_it_is(self, person: Person):
        person.plug_in()
        person.add_key(is_passkey=False)
        person.sign_out()
        person.sign_in_by_password()
        person.page.get_by_role("button", name="Use a passkey or security key").click()
        expect(person.page).to_have_url(re.compile("/o/keys-and-locks"))

        person.page.goto("/accounts/2fa/webauthn/add/")
        person.page.get_by_role("link", name=re.compile("security key")).click()
        person.page.get_by_role("button", name="Use a passkey or security key").click()

        expect(person.page.get_by_role("button", name="Add the key")).to_be_visible()


class TestAnOrganizationThatRequiresAFactor:
    def test_opens_once_an_app_is_set_up(self, person: Person, browser: Browser):
        page = person.page
        person.plug_in()
        person.add_key(is_passkey=True)
        page.get_by_role("link", name="I have kept them").click()
        page.locator(".sidebar").get_by_role("link", name="Security").click()
        page.get_by_role("button", name="Require a second factor").click()
        expect(page.get_by_text("now requires a second factor")).to_be_visible()
        home = re.search(r"/o/[^/]+/", page.url)[0]
        page.goto("/accounts/2fa/webauthn/")
        page.get_by_role("link", name="Remove Left pocket").click()
        page.get_by_role("button", name="Remove").click()

        page.goto(home)
        expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
        page.get_by_role("link", name="Use an authenticator app").click()
        secret = page.locator("main code").inner_text()
        assert page.locator("img[alt^='The secret']").evaluate("image => image.naturalWidth") > 0
        page.fill("[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
        page.get_by_role("button", name="Set up").click()
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()

        page.goto(home)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()


ACCOUNT_PAGES = (
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/account/sessions/",
    "/account/second-factor/",
    "/demo/mailbox/",
    "/accounts/reauthenticate/",
)
NAMELESS = """() => [...document.querySelectorAll('a[href], button, input, select, [role=img]')]
  .filter(one => one.checkVisibility() && one.type !== 'hidden')
  .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim()
    || one.labels?.length || one.title))
  .map(one => one.outerHTML.slice(0, 120))"""


class TestEveryPage:
    def test_fits_and_names_what_can_be_used(self, person: Person):
        person.plug_in()
        person.add_key(is_passkey=True)
        person.page.goto("/")
        home = re.search(r"/o/[^/]+/", person.page.url)[0]
        for width in (320, 1280):
            person.page.set_viewport_size({"width": width, "height": 844})
            for address in (*ACCOUNT_PAGES, f"{home}security/"):
                person.page.goto(address)
                wide = person.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, address
                assert person.page.evaluate(NAMELESS) == [], address
