"""Capacity in a browser: reserved, lost, paid, read, handed on, and given to who waits."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.billing.shopper import TRIAL
from tests.browser.capacity.backstage import BLOCK_KW, BLOCKS, CREDITS_PER_KWH, GENERATED_KWH
from tests.browser.capacity.holder import Holder
from tests.browser.test_story import sign_in
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ALL_KW, CREDITS = BLOCKS * BLOCK_KW, GENERATED_KWH * CREDITS_PER_KWH


def lose_the_hold(holder: Holder, backstage: Callable[[str], None]) -> None:
    """Reserve all, and do not pay in time."""
    holder.open_project()
    holder.reserve(ALL_KW)
    backstage("let_holds_end")
    holder.page.reload()
    expect(holder.main).to_contain_text("It was not paid in time")


def see_credits(holder: Holder) -> None:
    """Look at the month's generation until its shares are posted, and at the balance."""
    holder.await_on("generation", holder.main.get_by_text("Posted", exact=True).first)
    assert holder.fact("Credits posted") == str(CREDITS)
    assert holder.balance() == TRIAL + CREDITS


def hand_a_block_on(staff: Page, stack: Stack, giver: Holder, taker: Holder) -> None:
    """Reassign one block in the back office."""
    sign_in(staff, "root@demo.test", stack.logins()["root@demo.test"])
    staff.goto(f"/admin/capacity/allocation/?q={giver.slug}")
    staff.locator("#result_list tbody a, main tbody a").first.click()
    staff.get_by_role("link", name="Reassign").click()
    staff.fill("[name=organization]", taker.slug)
    staff.fill("[name=reason]", "Half of it is the neighbour's")
    staff.get_by_role("button", name="Give it from today on").click()
    expect(staff.locator("body")).to_contain_text("Reassign: done.")


class TestCapacity:
    def test_is_reserved_lost_paid_read_handed_on_and_given_to_who_waits(
        self,
        holders: list[Holder],
        staff: Page,
        stack: Stack,
        backstage: Callable[[str], None],
    ):
        first, second = holders
        lose_the_hold(first, backstage)
        first.page.get_by_role("link", name="Reserve again").click()
        first.reserve(ALL_KW)
        first.pay()
        backstage("read_the_meter")
        see_credits(first)

        hand_a_block_on(staff, stack, first, second)
        assert [one.kw for one in holders] == [f"{BLOCK_KW}\u00a0kW"] * 2

        second.wait_for(BLOCK_KW)
        first.cancel()
        second.take_the_offer()
        assert second.kw == f"{ALL_KW}\u00a0kW"
