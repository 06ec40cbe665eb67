"""Setting automatic reload: what is charged when, and that somebody agreed to it."""

from dataclasses import asdict, dataclass
from typing import Any

from apps.billing.errors import (
    CardNeeded,
    ConsentNeeded,
    ReloadNotOffered,
    ReloadTermsRefused,
)
from apps.billing.models import AutoReload
from apps.billing.selectors.offers import LARGEST, CustomTerms
from apps.billing.selectors.reloads import card_of, reload_terms, sentence, size_of
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.money import format_money
from apps.core.queue import enqueue
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record

LEAST_AMOUNT = 10  # credits


@dataclass(frozen=True)
class Wanted:
    """What automatic reload is to be like."""

    is_enabled: bool
    threshold: int  # credits
    amount: int  # credits: what is bought each time, or what it is filled up to
    mode: str = AutoReload.Mode.FIXED
    monthly_cap: int | None = None  # minor units; None: no limit


@inside_transaction
def set_reload(
    *, organization: Organization, user: User, wanted: Wanted, has_agreed: bool = False
) -> AutoReload:
    """
    Set automatic reload; `has_agreed` says that he was shown the sentence and agreed to it.

    What is turned off needs no agreement; what is turned on, or charges otherwise than it did,
    needs a new one. A reload that is due at once is charged at once.

    :raises ReloadTermsRefused: if threshold, amount or limit cannot be so.
    :raises ReloadNotOffered: if it is turned on, and no credits are sold by amount here.
    :raises CardNeeded: if it is turned on, and no card is saved.
    :raises ConsentNeeded: if it needs an agreement that was not given.
    """
    # The organization's row decides who is first where there is no row to lock yet.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    found = AutoReload.objects.select_for_update().filter(organization=organization).first()
    terms = reload_terms()
    if terms is None and (wanted.is_enabled or found is None):
        raise ReloadNotOffered
    reload = found or AutoReload(organization=organization)
    before = _shown(reload) if found else None
    for name, value in asdict(wanted).items():
        setattr(reload, name, value)
    if terms is not None:
        check(wanted, terms)
        reload.currency, reload.price = terms.currency, terms.price
    if wanted.is_enabled and terms is not None:
        _agree(reload, user, terms, has_agreed=has_agreed)
    reload.save()
    if before != _shown(reload):
        record(
            action="auto_reload.changed",
            organization=organization,
            object_id=reload.public_id,
            before=before,
            after=_shown(reload),
        )
    if reload.is_enabled:
        enqueue("billing.reload_if_low", organization_id=str(organization.pk))
    return reload


def check(wanted: Wanted, terms: CustomTerms) -> None:
    """
    Refuse what cannot be, or could never charge anything.

    :raises ReloadTermsRefused: and says what to change.
    """
    if not 1 <= wanted.threshold <= LARGEST:
        raise ReloadTermsRefused(field="threshold", reason="Set a threshold of 1 credit or more.")
    least = max(LEAST_AMOUNT, terms.minimum)
    if not least <= wanted.amount <= terms.maximum:
        text = f"Set an amount from {least:,} to {terms.maximum:,} credits."
        raise ReloadTermsRefused(field="amount", reason=text)
    if wanted.mode == AutoReload.Mode.UP_TO and wanted.amount <= wanted.threshold:
        text = "Set an amount above the threshold: the balance is filled up to it."
        raise ReloadTermsRefused(field="amount", reason=text)
    each = AutoReload(mode=wanted.mode, threshold=wanted.threshold, amount=wanted.amount)
    least_price = terms.amount_of(size_of(each, wanted.threshold - 1, terms))
    if wanted.monthly_cap is not None and wanted.monthly_cap < least_price:
        price = format_money(least_price, terms.currency)
        text = f"One reload costs {price}, so a lower limit for a month allows none."
        raise ReloadTermsRefused(field="monthly_cap", reason=text)


def _agree(reload: AutoReload, user: User, terms: CustomTerms, *, has_agreed: bool) -> None:
    """Keep what was agreed to, by whom and when; what he has agreed to already still holds."""
    customer = card_of(reload.organization)
    if customer is None:
        raise CardNeeded
    text = sentence(reload, customer, terms)
    if text == reload.consent_text and reload.consented_at and not has_agreed:
        return
    if not has_agreed:
        raise ConsentNeeded(text=text)
    reload.consent_text = text
    reload.consented_at = database_now()
    reload.consented_by = user


def _shown(reload: AutoReload) -> dict[str, Any]:
    names = ("is_enabled", "mode", "threshold", "amount", "monthly_cap", "currency", "price")
    return {name: getattr(reload, name) for name in (*names, "consent_text")}
