"""Staff pages of versions: look at them, and publish one after seeing whom it concerns."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.billing.models import PlanVersion, ProductVersion, SubscriptionPlan
from apps.billing.selectors import catalogue as selectors
from apps.billing.services import versions
from apps.billing.services.plan_features import features_allowed
from apps.core.errors import DomainError
from apps.credits.admin.forms import MomentField

PLAN_TERMS = list(versions.PlanTerms.__annotations__)
PRODUCT_TERMS = list(versions.ProductTerms.__annotations__)
HELP = {
    "price": "Minor units of the currency, like cents: for one period, and one unit.",
    "currency": "Like eur.",
    "interval_count": "Months or years of one period; the days of a pass.",
    "included_credits": "For one period, and one unit.",
    "rollover_cap": "Unused credits that the next period gets at most.",
    "max_users": "No limit, if empty.",
    "has_quantity": "Whether it is bought for a number of units, like properties.",
    "features": f"A JSON object with: {features_allowed()}.",
}
PACK_HELP = {
    "price": "Minor units of the currency, like cents.",
    "currency": "Like eur.",
    "bonus_credits": "Given with those that are paid for.",
    "valid_days": "They do not expire, if empty.",
}


class VersionForm(forms.ModelForm[Any]):
    """The terms of a new version, refused where they cannot be."""

    parent = ""
    effective_at = MomentField(label="Begins", help_text="Now, if empty.")

    def clean(self) -> dict[str, Any]:
        """Ask the service what it would refuse, so that the form can say it at the field."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        try:
            versions.check_moment(given[self.parent], given["effective_at"])
            self.check_terms(self.terms(given))
        except DomainError as refusal:
            reason = refusal.details.get("reason", str(refusal))
            self.add_error(field_of(refusal, self.fields), reason)
        return given

    def terms(self, given: dict[str, Any]) -> Any:
        """Return what was typed, as the service takes it."""
        kept = {name: given[name] for name in given if name not in (self.parent, "effective_at")}
        if "features" in kept:
            kept["features"] = kept["features"] or {}
        return kept

    def check_terms(self, terms: Any) -> None:
        """Refuse what cannot be."""
        raise NotImplementedError


class PlanVersionForm(VersionForm):
    """The terms of a plan."""

    parent = "plan"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if plan := self.fields.get("plan"):
            tell_subscribers(plan)

    class Meta:
        model = PlanVersion
        fields = ["plan", "effective_at", *PLAN_TERMS]
        help_texts = HELP

    def check_terms(self, terms: Any) -> None:
        """Refuse what a plan cannot be."""
        versions.check_plan_terms(terms)


class ProductVersionForm(VersionForm):
    """The terms of a pack."""

    parent = "product"

    class Meta:
        model = ProductVersion
        fields = ["product", "effective_at", *PRODUCT_TERMS]
        help_texts = PACK_HELP

    def check_terms(self, terms: Any) -> None:
        """Refuse what a pack cannot be."""
        versions.check_product_terms(terms)


class VersionAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """What the pages of versions share: they are added, looked at, and never changed."""

    parent = ""
    terms: ClassVar[list[str]] = []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the terms of the last version of what the address names."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        try:
            rows = self.model.objects.filter(**{self.parent: initial.get(self.parent)})
            last = rows.order_by("-number").first()
        except (ValidationError, ValueError):
            return initial
        if last:
            initial.update({name: getattr(last, name) for name in self.terms})
        return initial

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was offered stays as it was offered."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: subscriptions and payments point at versions."""
        return False


@admin.register(PlanVersion)
class PlanVersionAdmin(VersionAdmin):
    """Versions of plans."""

    parent = "plan"
    terms = PLAN_TERMS
    form = PlanVersionForm
    list_display = ["plan", "number", "effective_at", "price", "currency", "interval"]
    list_filter = ["plan", "interval"]
    list_select_related = ["plan"]
    search_fields = ["stripe_price_id", "plan__code"]
    ordering = ["plan", "-number"]

    def get_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> list[str]:
        """Show of a version that there is what Stripe knows, too."""
        return shown_fields("plan", PLAN_TERMS, is_new=obj is None)

    def save_model(self, request: HttpRequest, obj: PlanVersion, form: Any, change: bool) -> None:
        """Publish through the service, which writes the audit row."""
        given = form.cleaned_data
        saved = versions.publish_plan_version(
            given["plan"], effective_at=given["effective_at"], **form.terms(given)
        )
        obj.pk, obj._state.adding = saved.pk, False


@admin.register(ProductVersion)
class ProductVersionAdmin(VersionAdmin):
    """Versions of packs."""

    parent = "product"
    terms = PRODUCT_TERMS
    form = ProductVersionForm
    list_display = ["product", "number", "effective_at", "price", "currency", "credits"]
    list_filter = ["product"]
    list_select_related = ["product"]
    search_fields = ["stripe_price_id", "product__code"]
    ordering = ["product", "-number"]

    def get_fields(self, request: HttpRequest, obj: ProductVersion | None = None) -> list[str]:
        """Show of a version that there is what Stripe knows, too."""
        return shown_fields("product", PRODUCT_TERMS, is_new=obj is None)

    def save_model(
        self, request: HttpRequest, obj: ProductVersion, form: Any, change: bool
    ) -> None:
        """Publish through the service, which writes the audit row."""
        given = form.cleaned_data
        saved = versions.publish_product_version(
            given["product"], effective_at=given["effective_at"], **form.terms(given)
        )
        obj.pk, obj._state.adding = saved.pk, False


def shown_fields(parent: str, terms: list[str], *, is_new: bool) -> list[str]:
    """Return the fields of a form of a new version, or of the page of one that there is."""
    if is_new:
        return [parent, "effective_at", *terms]
    return [parent, "number", "effective_at", *terms, "stripe_price_id"]


def tell_subscribers(plan: Any) -> None:
    """Say beside each plan whom a new version does not touch, before it is published."""
    counted = selectors.subscribers_by_plan()

    def label(one: SubscriptionPlan) -> str:
        count = counted.get(one.pk, 0)
        return (
            f"{one.name} ({count} {'organization has' if count == 1 else 'organizations have'} it)"
        )

    plan.label_from_instance = label
    plan.help_text = "Who has it keeps his version. Who subscribes from then on gets this one."


def field_of(refusal: DomainError, known: Iterable[str]) -> str | None:
    """Return the field that a refusal is about, or None if the form has no such field."""
    field = str(refusal.details.get("field"))
    return field if field in known else None
