"""What the ledger says above every page: that nothing can be used, and until when."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils import formats, timezone

from apps.core.banners import Banner, Place, Viewer
from apps.core.money import grouped
from apps.core.pages import day_of
from apps.credits.models import Wallet
from apps.credits.selectors import watched_wallet
from apps.credits.selectors.budgets import resets_at, used_up


def banners_of(viewer: Viewer) -> Iterator[Banner]:
    """Yield what keeps this viewer from using credits; asks once more where there are budgets."""
    if "credits.view_own" not in viewer.permissions:
        return
    wallet = watched_wallet(viewer.organization, viewer.user, viewer.permissions)
    if wallet is None:
        return
    if wallet.frozen_at is not None:
        text = f"Credits are frozen since {day_of(wallet.frozen_at)}: none can be used."
        yield Banner(Place.FROZEN, "error", f"{text} Write to support.")
    if wallet.has_budget:
        yield from _of_limits(viewer, wallet)


def _of_limits(viewer: Viewer, wallet: Wallet) -> Iterator[Banner]:
    for budget in used_up(wallet, viewer.user):
        whose = "Your" if budget.member_id else "The organization's"
        limit = grouped(budget.monthly_limit)
        again = formats.date_format(timezone.localtime(resets_at(budget)), "j F, H:i")
        text = (
            f"{whose} limit of {limit} credits a month is used up:"
            f" what costs credits is refused until {again}."
        )
        if "budgets.manage" in viewer.permissions:
            url = reverse("credits:budget", args=[viewer.organization.slug, budget.public_id])
            yield Banner(Place.OVER_LIMIT, "error", text, url, "Change the limit")
        else:
            yield Banner(Place.OVER_LIMIT, "error", f"{text} Ask somebody who sets limits.")
