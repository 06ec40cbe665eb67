"""
Tell Stripe's customer the billing details that are written down here.

One asks at a time (`push_claimed_until`), so that an older version never comes after a newer
one. What gets no answer waits for the sweep; to be told the same again does no harm.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from apps.billing.errors import BillingNotConfigured, StripeRefused, StripeUnavailable
from apps.billing.gateway import customers as gateway
from apps.billing.gateway.client import Json
from apps.billing.models import BillingDetails
from apps.billing.selectors.details import PO_NUMBER, address_of
from apps.billing.services import sweeping
from apps.billing.services.customers import ensure_customer
from apps.billing.services.sweeping import PATIENCE, SWEPT_AT_ONCE
from apps.core.clock import workers_now
from apps.core.db import outside_transaction

CLAIM_LASTS = timedelta(minutes=5)  # longer than all questions of one push together may take


@dataclass(frozen=True)
class Answer:
    """What Stripe said."""

    tax_id: str = ""  # txi_…, of the one that it has now
    refusal: str = ""


@outside_transaction
def push(details: BillingDetails) -> BillingDetails:
    """
    Tell Stripe what it has not been told yet, and write its answer down.

    Where somebody else is telling it, nothing is done: the sweep looks again.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer; the sweep asks again.
    """
    claimed = _claim(details)
    if claimed is None:
        return BillingDetails.objects.get(pk=details.pk)
    try:
        answer = _tell(claimed)
    except (BillingNotConfigured, StripeUnavailable):
        BillingDetails.objects.filter(pk=details.pk).update(push_claimed_until=None)
        raise
    return _write_down(claimed, answer)


def sweep() -> int:
    """Tell what Stripe has not been told; return how many were tried."""
    waiting = BillingDetails.objects.filter(
        _is_free(), pushed_version__lt=F("version"), changed_at__lte=workers_now() - PATIENCE
    )
    rows = waiting.select_related("organization").order_by("changed_at")
    return sweeping.each(rows[:SWEPT_AT_ONCE], push)


def _is_free() -> Q:
    return Q(push_claimed_until=None) | Q(push_claimed_until__lt=workers_now())


@transaction.atomic
def _claim(details: BillingDetails) -> BillingDetails | None:
    """Return the row as it is now, for this one alone; None if there is nothing to tell."""
    rows = BillingDetails.objects.select_for_update(of=("self",)).select_related("organization")
    found = rows.filter(_is_free(), pk=details.pk, pushed_version__lt=F("version")).first()
    if found is not None:
        found.push_claimed_until = workers_now() + CLAIM_LASTS
        found.save(update_fields=["push_claimed_until"])
    return found


def _tell(details: BillingDetails) -> Answer:
    try:
        customer = ensure_customer(organization=details.organization).stripe_id
        assert customer
        gateway.update_customer(key=_key(details), customer=customer, params=_params(details))
        return Answer(tax_id=_tell_tax_id(details, customer))
    except StripeRefused as error:
        return Answer(tax_id=details.stripe_tax_id, refusal=str(error.details["reason"]))


def _params(details: BillingDetails) -> Json:
    order = [{"name": PO_NUMBER, "value": details.po_number}] if details.po_number else ""
    params: Json = {
        "name": details.legal_name,
        "address": {name: text for name, text in address_of(details).items() if text} or "",
        "invoice_settings": {"custom_fields": order},
    }
    # Stripe lets nobody take the last one away.
    if email := next(iter(details.emails), details.organization.billing_email):
        params = {**params, "email": email}
    return params


def _tell_tax_id(details: BillingDetails, customer: str) -> str:
    """
    Let the customer have this tax id and no other one of its kind; return Stripe's id of it.

    One of another kind stays, unless it was ours: the customer may have typed it at Stripe.
    """
    kept = ""
    for one in gateway.list_tax_ids(customer):
        if (one["type"], one["value"]) == (details.tax_id_type, details.tax_id):
            kept = one["id"]
        elif one["id"] == details.stripe_tax_id or one["type"] == details.tax_id_type:
            gateway.delete_tax_id(customer=customer, tax_id=one["id"])
    if kept or not details.tax_id:
        return kept
    made = gateway.create_tax_id(
        key=f"{_key(details)}:tax_id",
        customer=customer,
        kind=details.tax_id_type,
        value=details.tax_id,
    )
    return str(made["id"])


def _key(details: BillingDetails) -> str:
    return f"{details.public_id}:{details.version}"


@transaction.atomic
def _write_down(claimed: BillingDetails, answer: Answer) -> BillingDetails:
    details = BillingDetails.objects.select_for_update().get(pk=claimed.pk)
    details.push_claimed_until = None
    details.stripe_tax_id = answer.tax_id
    details.pushed_version, details.pushed_at = claimed.version, workers_now()
    details.refusal = answer.refusal
    told = ("push_claimed_until", "stripe_tax_id", "pushed_version", "pushed_at", "refusal")
    details.save(update_fields=told)
    return details
