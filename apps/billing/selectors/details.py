"""Billing details of an organization, and how they are printed on what it is billed."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.billing.models import BillingDetails
from apps.core.countries import COUNTRIES
from apps.tenants.models import Organization

PO_NUMBER = "Purchase order"  # what Stripe prints before it


def details_of(organization: Organization) -> BillingDetails | None:
    """Return what was written down; None where nobody has done so yet."""
    return BillingDetails.objects.filter(organization=organization).first()


def invoice_emails_of(organization: Organization) -> list[str]:
    """Return where mails about the organization's money go, beside its people."""
    details = details_of(organization)
    own = [organization.billing_email] if organization.billing_email else []
    return [*own, *(details.emails if details else [])]


def printed(details: BillingDetails | None) -> str:
    """Return the details as they are printed, line by line; empty if there are none."""
    if details is None:
        return ""
    has_tax_id, has_order = bool(details.tax_id), bool(details.po_number)
    return _lines(
        details.legal_name,
        address_of(details),
        [(details.tax_id_type, details.tax_id)] if has_tax_id else [],
        [(PO_NUMBER, details.po_number)] if has_order else [],
    )


def address_of(details: BillingDetails) -> dict[str, str]:
    """Return the address in Stripe's words."""
    names = ("line1", "line2", "city", "postal_code", "state", "country")
    return {name: getattr(details, name) for name in names}


def printed_by_stripe(invoice: Mapping[str, Any]) -> str:
    """Return to whom Stripe has addressed an invoice, in the same lines; empty if to no name."""
    if not invoice.get("customer_name"):
        return ""
    return _lines(
        invoice["customer_name"],
        invoice.get("customer_address") or {},
        [(one["type"], one["value"] or "") for one in invoice.get("customer_tax_ids") or []],
        [(one["name"], one["value"]) for one in invoice.get("custom_fields") or []],
    )


def _lines(
    name: str,
    address: Mapping[str, str | None],
    tax_ids: Iterable[tuple[str, str]],
    fields: Iterable[tuple[str, str]],
) -> str:
    kinds = dict(BillingDetails.TaxIdType.choices)
    place = " ".join(filter(None, [address.get("postal_code"), address.get("city")]))
    country = address.get("country") or ""
    lines = [
        name,
        *(address.get("line1"), address.get("line2"), place, address.get("state")),
        COUNTRIES.get(country, country),
        *(f"{kinds.get(kind, 'Tax id')}: {value}" for kind, value in tax_ids),
        *(f"{label}: {value}" for label, value in fields),
    ]
    return "\n".join(line for line in lines if line)
