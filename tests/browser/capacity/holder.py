"""A customer in a browser who wants capacity: what he does on our pages and on Stripe's."""

import re

from playwright.sync_api import expect

from tests.browser.billing.shopper import GOOD, Shopper
from tests.browser.capacity.backstage import NAME


class Holder(Shopper):
    """Somebody who reserves, pays, waits and cancels for his organization."""

    def open(self, place: str) -> None:
        """Look at a page of capacity; the projects have no name of their own."""
        self.page.goto(f"/o/{self.slug}/capacity/{place}/".replace("//", "/"))

    def open_project(self) -> None:
        self.open("")
        self.page.get_by_role("link", name=NAME, exact=True).click()

    def reserve(self, kw: int) -> None:
        """Ask for so much on the project's page, and reserve what the page says then."""
        self.page.fill("[name=capacity_kw]", str(kw))
        self.page.get_by_role("button", name="See what you would get").click()
        self.page.get_by_role("button", name=re.compile(f"^Reserve {kw}\\b")).click()
        expect(self.main).to_contain_text("Time left to pay")

    def pay(self) -> None:
        """Pay what is held for him on Stripe's page."""
        self.page.get_by_role("button", name=re.compile("^Pay ")).click()
        self.press(GOOD)
        expect(self.main).to_contain_text("were allocated to you")

    def wait_for(self, kw: int) -> None:
        """Join the waiting list by the link of the project's page."""
        self.open_project()
        self.page.get_by_role("link", name="Join the waiting list").click()
        self.page.fill("[name=capacity_kw]", str(kw))
        self.page.get_by_role("button", name="Join").click()
        expect(self.main).to_contain_text("Next in line")

    def take_the_offer(self) -> None:
        """Wait until a worker has made the offer, and pay it."""
        offer = self.page.get_by_role("link", name="See the offer")
        self.await_on("waiting", offer)
        offer.click()
        self.pay()

    def cancel(self) -> None:
        """Cancel the one block that he has."""
        self.open("allocations")
        self.page.get_by_role("checkbox").check()
        self.page.get_by_role("button", name="Cancel what is chosen").click()
        self.page.get_by_role("button", name=re.compile("^Cancel ")).click()
        expect(self.page.get_by_text("is cancelled. From")).to_be_visible()

    @property
    def kw(self) -> str:
        """What he has of the one project, as the page of allocations says."""
        self.open("allocations")
        return (
            self.page.get_by_role("region", name="By project")
            .locator("[data-label=Capacity]")
            .inner_text()
        )
