"""Billing details: to whom an organization's invoices are addressed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.tenants.models import Organization

MOST_EMAILS = 5


class BillingDetails(Row):
    """
    What stands on an organization's invoices, and who gets them.

    Written here first; Stripe's customer is told afterwards. `version` counts the changes, and
    `pushed_version` is the newest that Stripe has answered to.
    """

    PREFIX = "bdet"

    class TaxIdType(models.TextChoices):
        """Stripe's word for a kind of tax id."""

        EU_VAT = "eu_vat", "EU VAT number"
        GB_VAT = "gb_vat", "United Kingdom: VAT number"
        CH_VAT = "ch_vat", "Switzerland: VAT number"
        NO_VAT = "no_vat", "Norway: VAT number"
        IS_VAT = "is_vat", "Iceland: VAT number"
        US_EIN = "us_ein", "United States: EIN"
        CA_BN = "ca_bn", "Canada: business number"
        CA_GST_HST = "ca_gst_hst", "Canada: GST/HST number"
        AU_ABN = "au_abn", "Australia: ABN"
        NZ_GST = "nz_gst", "New Zealand: GST number"
        IN_GST = "in_gst", "India: GST number"
        JP_TRN = "jp_trn", "Japan: registration number"
        SG_GST = "sg_gst", "Singapore: GST number"
        AE_TRN = "ae_trn", "United Arab Emirates: TRN"
        ZA_VAT = "za_vat", "South Africa: VAT number"
        BR_CNPJ = "br_cnpj", "Brazil: CNPJ"

    class Standing(models.TextChoices):
        """What Stripe has of it."""

        WAITING = "waiting", "Not yet at Stripe"
        REFUSED = "refused", "Refused by Stripe"
        AT_STRIPE = "at_stripe", "At Stripe"

    # What a person writes; the rest of the columns say what became of it.
    WRITTEN: ClassVar[tuple[str, ...]] = (
        *("legal_name", "line1", "line2", "city", "postal_code", "state", "country"),
        *("tax_id_type", "tax_id", "po_number", "emails"),
    )

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    legal_name = models.CharField(max_length=200)
    line1 = models.CharField(max_length=200, blank=True)
    line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)  # ISO 3166-1 alpha-2
    tax_id_type = models.CharField(max_length=12, blank=True, choices=TaxIdType)
    tax_id = models.CharField(max_length=50, blank=True)
    po_number = models.CharField(max_length=100, blank=True)  # purchase order, of the customer's
    # In lower case; Stripe sends invoices to the first, our own mails about money go to all.
    emails = ArrayField(models.EmailField(), default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    pushed_version = models.PositiveIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True, blank=True)  # when Stripe answered last
    push_claimed_until = models.DateTimeField(null=True, blank=True)  # somebody is asking it
    refusal = models.TextField(blank=True)  # why Stripe refused `pushed_version`
    stripe_tax_id = models.CharField(max_length=255, blank=True)  # txi_…
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "billing details"
        constraints = [
            models.CheckConstraint(
                name="billing_details_are_possible",
                condition=Q(emails__len__lte=MOST_EMAILS)
                & (Q(country="") | Q(country__regex=r"^[A-Z]{2}$"))
                & (Q(tax_id="") | ~Q(tax_id_type="")),
            ),
            models.CheckConstraint(
                name="billing_details_at_stripe_were_written_here",
                condition=Q(pushed_version__lte=F("version"))
                & (Q(pushed_version=0) | Q(pushed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["changed_at"],
                condition=Q(pushed_version__lt=F("version")),
                name="billing_details_to_push",
            )
        ]

    def __str__(self) -> str:
        return self.legal_name

    @property
    def standing(self) -> Standing:
        """What Stripe has of it now."""
        if self.pushed_version < self.version:
            return self.Standing.WAITING
        return self.Standing.REFUSED if self.refusal else self.Standing.AT_STRIPE
