"""Billing details: written down here, and then told to Stripe by `details_pushing`."""

from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.billing.errors import BillingDetailsRefused
from apps.billing.models import BillingDetails
from apps.billing.models.details import MOST_EMAILS
from apps.billing.services import tax_ids
from apps.core.countries import COUNTRIES
from apps.core.db import inside_transaction
from apps.tenants.models import Organization
from apps.tenants.services.audit import record


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the billing details are to be; all of them, not only what changes."""

    legal_name: str
    line1: str = ""
    line2: str = ""
    city: str = ""
    postal_code: str = ""
    state: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    tax_id_type: str = ""
    tax_id: str = ""
    po_number: str = ""
    emails: tuple[str, ...] = ()


@inside_transaction
def set_details(*, organization: Organization, wanted: Wanted) -> BillingDetails:
    """
    Write the billing details down; the same ones again change nothing.

    Stripe is told afterwards, outside of any transaction; documents that are issued already
    stay as they are.

    :raises BillingDetailsRefused: if a line cannot be so; it names the field.
    """
    wanted = _checked(wanted)
    # The organization's row decides who is first where there is no row to lock yet.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    found = BillingDetails.objects.select_for_update().filter(organization=organization).first()
    details = found or BillingDetails(organization=organization, version=0)
    before = written_of(details) if found else None
    for name in BillingDetails.WRITTEN:
        setattr(details, name, getattr(wanted, name))
    details.emails = list(wanted.emails)
    after = written_of(details)
    if before == after:
        return details
    details.version += 1
    details.save()
    record(
        action="billing_details.changed",
        organization=organization,
        object_id=details.public_id,
        before=before,
        after=after,
    )
    return details


def written_of(details: BillingDetails) -> dict[str, Any]:
    """Return what a person wrote of the details."""
    written = {name: getattr(details, name) for name in BillingDetails.WRITTEN}
    return {**written, "tax_id_type": str(details.tax_id_type), "emails": list(details.emails)}


def _checked(wanted: Wanted) -> Wanted:
    """
    Return the details tidied up.

    :raises BillingDetailsRefused: if a line cannot be so.
    """
    if not wanted.legal_name.strip():
        _refuse("legal_name", "Write the name that stands on the invoices.")
    country = wanted.country.strip().upper()
    if country and country not in COUNTRIES:
        _refuse("country", "Give the country by its two letters (ISO 3166-1), as in DE.")
    has_address = any((wanted.line1, wanted.line2, wanted.city, wanted.postal_code, wanted.state))
    if has_address and not country:
        _refuse("country", "An address needs its country.")
    return replace(
        wanted,
        country=country,
        tax_id=_checked_tax_id(wanted),
        emails=_checked_emails(wanted.emails),
    )


def _checked_tax_id(wanted: Wanted) -> str:
    kind, value = wanted.tax_id_type, tax_ids.tidied(wanted.tax_id_type, wanted.tax_id)
    if kind and kind not in BillingDetails.TaxIdType.values:
        _refuse("tax_id_type", "This kind of tax id is not known here.")
    if value and not kind:
        _refuse("tax_id_type", "Say which kind of tax id this is.")
    if kind and not value:
        _refuse("tax_id", "Write the tax id, or choose no kind.")
    if value and (fault := tax_ids.fault_of(kind, value)):
        _refuse("tax_id", fault)
    return value


def _checked_emails(emails: tuple[str, ...]) -> tuple[str, ...]:
    tidied = tuple(dict.fromkeys(one.strip().lower() for one in emails if one.strip()))
    if len(tidied) > MOST_EMAILS:
        _refuse("emails", f"Give {MOST_EMAILS} addresses at most.")
    for one in tidied:
        try:
            validate_email(one)
        except ValidationError:
            _refuse("emails", f"“{one}” is no e-mail address.")
    return tidied


def _refuse(field: str, reason: str) -> None:
    raise BillingDetailsRefused(field=field, reason=reason)
