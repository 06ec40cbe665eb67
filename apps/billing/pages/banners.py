"""What billing says above every page: a fact, what follows from it, until when, and what to do."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from apps.billing.gateway.client import is_configured, is_simulated
from apps.billing.models import AutoReload, OrganizationSubscription
from apps.billing.selectors.alerts import Alerts, Credits, alerts_of
from apps.billing.selectors.subscriptions import grace_ends
from apps.core.banners import Banner, Place, Viewer
from apps.core.money import format_money, grouped
from apps.core.pages import day_of
from apps.credits.models import Wallet
from apps.credits.selectors import watched_wallet

TRIAL_DAYS, EXPIRY_DAYS = timedelta(days=3), timedelta(days=7)
LOW_PERCENT = 10  # of what the lots gave that still have some
ASK = "Ask somebody who manages billing."
REASONS = {
    AutoReload.Reason.DECLINED: "the card was declined three times in a row",
    AutoReload.Reason.DECLINED_FOR_GOOD: "the bank declined the card for good",
    AutoReload.Reason.REFUSED: "the saved card cannot be charged any more",
}


def banners_of(viewer: Viewer) -> Iterator[Banner]:
    """Yield all that holds for the organization and that this viewer may know."""
    sees_money = "billing.view" in viewer.permissions
    sees_credits = "credits.view_own" in viewer.permissions and _shares_credits(viewer)
    if not sees_money and not sees_credits:
        return
    alerts = alerts_of(viewer.organization)
    if sees_money:
        yield from _of_payments(viewer, alerts)
        yield from _of_reload(viewer, alerts)
        yield from _of_trial(viewer, alerts)
        yield from _of_set_up(viewer)
    if sees_credits:
        yield from _of_credits(viewer, alerts)


def _shares_credits(viewer: Viewer) -> bool:
    """Tell whether the viewer spends the organization's credits, and none of his own."""
    if "credits.view" in viewer.permissions:
        return True
    wallet = watched_wallet(viewer.organization, viewer.user, viewer.permissions)
    return wallet is not None and wallet.kind == Wallet.Kind.ORGANIZATION


def _of_payments(viewer: Viewer, alerts: Alerts) -> Iterator[Banner]:
    row = alerts.subscription
    if row is not None and row.status == OrganizationSubscription.Status.PAST_DUE:
        grace = grace_ends(row)
        plan, day = row.version.plan.name, day_of(grace)
        works = grace is not None and alerts.now < grace
        until = f"It works until {day}." if works else f"It has not worked since {day}."
        url = alerts.failed.pay_url if alerts.failed else _page(viewer, "payment_methods")
        yield _act(
            viewer,
            Banner(Place.PAYMENT_FAILED, "error", f"The payment for {plan} failed. {until}"),
            url,
            "Pay now" if alerts.failed else "Change the card",
        )
    if alerts.waiting is not None:
        price = format_money(alerts.waiting.amount + alerts.waiting.tax, alerts.waiting.currency)
        text = f"Your bank wants you to confirm a payment of {price}. Until then nothing is paid."
        yield _act(
            viewer,
            Banner(Place.AUTHENTICATION_NEEDED, "error", text),
            _page(viewer, "payment", alerts.waiting.public_id),
            "Confirm",
        )


def _of_reload(viewer: Viewer, alerts: Alerts) -> Iterator[Banner]:
    reload = alerts.reload
    if reload is None or not reload.is_enabled:
        return
    place, why = Place.RELOAD_STOPPED, ""
    if reload.state == AutoReload.State.PAUSED:
        place, why = Place.AUTHENTICATION_NEEDED, "the bank wants to see you before it pays"
    elif reload.state == AutoReload.State.SUSPENDED:
        why = REASONS.get(AutoReload.Reason(reload.reason), "the card could not be charged")
    elif not alerts.has_card:
        why = "there is no saved card"
    if why:
        text = f"Automatic reload has stopped: {why}. Nothing is charged until that is mended."
        yield _act(
            viewer, Banner(place, "error", text), _page(viewer, "auto_reload"), "Automatic reload"
        )


def _of_trial(viewer: Viewer, alerts: Alerts) -> Iterator[Banner]:
    row = alerts.subscription
    if row is None or row.status != OrganizationSubscription.Status.TRIAL or not row.trial_end:
        return
    if row.trial_end > alerts.now + TRIAL_DAYS:
        return
    day, plan = day_of(row.trial_end), row.version.plan.name
    price = format_money(row.version.price * row.quantity, row.version.currency)
    follows = f"{price} plus taxes is charged then."
    if row.cancel_at_period_end:
        follows = "The plan ends with it, and nothing is charged."
    yield _act(
        viewer,
        Banner(
            Place.TRIAL_ENDS,
            "warning",
            f"The trial of {plan} ends on {day}. {follows}",
            dismissed_as=f"trial:{row.public_id}:{row.trial_end.date()}",
        ),
        _page(viewer, "subscription"),
        "Subscription",
    )


def _of_credits(viewer: Viewer, alerts: Alerts) -> Iterator[Banner]:
    credits = alerts.credits
    can_buy = is_configured()
    url, label = (_page(viewer, "buy"), "Buy credits") if can_buy else ("", "")
    if credits.available <= 0 and not credits.may_owe:
        text = "No credits are left: what costs credits is refused."
        yield _act(viewer, Banner(Place.OUT_OF_CREDITS, "error", text), url, label)
    elif _is_low(credits) and not (alerts.reload is not None and alerts.reload.is_enabled):
        left = _count(credits.available, ("credit is", "credits are"))
        yield _act(
            viewer,
            Banner(
                Place.LOW_BALANCE,
                "warning",
                f"{left} left, less than a tenth. What costs more is refused.",
                dismissed_as=f"low:{credits.granted}",
            ),
            url,
            label,
        )
    if credits.expires_at is not None and credits.expires_at <= alerts.now + EXPIRY_DAYS:
        yield Banner(
            Place.CREDITS_EXPIRE,
            "warning",
            f"{_count(credits.expiring, ('credit expires', 'credits expire'))} on"
            f" {day_of(credits.expires_at)} if not used before.",
            reverse("credits:lots", args=[viewer.organization.slug]),
            "Which ones",
            dismissed_as=f"expire:{credits.expires_at.date()}",
        )


def _count(number: int, words: tuple[str, str]) -> str:
    """Write a number with the words for one or for several."""
    return f"{grouped(number)} {words[number != 1]}"


def _is_low(credits: Credits) -> bool:
    return credits.available * 100 < credits.granted * LOW_PERCENT


def _of_set_up(viewer: Viewer) -> Iterator[Banner]:
    """Say how billing is set up, except where billing's own pages say it in detail."""
    if viewer.section == "billing":
        return
    if not is_configured():
        if "billing.manage" in viewer.permissions:
            yield Banner(
                Place.NOT_CONFIGURED,
                "info",
                "Billing is not configured, so nothing can be bought. Ask whoever runs this site.",
                dismissed_as="not_configured",
            )
    elif is_simulated() or not settings.STRIPE_LIVE_MODE:
        yield Banner(
            Place.TEST_MODE,
            "info",
            "Billing is in test mode: only test cards work, and no card is charged.",
            dismissed_as="test_mode",
        )


def _act(viewer: Viewer, banner: Banner, url: str, label: str) -> Banner:
    """Add what to do, for those who may; the others are told whom to ask."""
    facts = vars(banner)
    if "billing.manage" in viewer.permissions:
        return Banner(**facts | {"action_url": url, "action_label": label})
    return Banner(**facts | {"text": f"{banner.text} {ASK}"})


def _page(viewer: Viewer, name: str, *more: str) -> str:
    return reverse(f"billing:{name}", args=[viewer.organization.slug, *more])
