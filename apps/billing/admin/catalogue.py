"""Staff pages of plans and packs: what they are called, whether they are offered, and Stripe."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.billing.admin.stripe_state import AtStripeAdmin, Thing
from apps.billing.models import CreditProduct, PlanVersion, ProductVersion, SubscriptionPlan
from apps.billing.selectors import catalogue as selectors
from apps.billing.services import catalogue
from apps.core.money import format_money

FIELDS = ["code", "name", "description", "position", "is_active"]
PERIODS = {"month": "month", "year": "year", "pass": "days, once"}


class VersionInline(TabularInline):  # type: ignore[misc]  # Unfold is untyped
    """The versions, to be looked at: one is added on a page of its own, and none is changed."""

    extra = 0
    show_change_link = True
    ordering = ["-number"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a version is published on a page of its own, which says whom it concerns."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: versions never change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: subscriptions and payments point at them."""
        return False

    @display(description="Price")  # type: ignore[untyped-decorator]  # of Unfold
    def cost(self, version: PlanVersion | ProductVersion) -> str:
        """Write the price, and for how long it is."""
        text = format_money(version.price, version.currency)
        if isinstance(version, ProductVersion):
            return text
        return f"{text} / {version.interval_count} {PERIODS[version.interval]}"


class PlanVersionInline(VersionInline):
    """The versions of a plan."""

    model = PlanVersion
    fields = ["number", "effective_at", "cost", "included_credits", "max_users", "stripe_price_id"]
    readonly_fields = ["cost"]


class ProductVersionInline(VersionInline):
    """The versions of a pack."""

    model = ProductVersion
    fields = [
        "number",
        "effective_at",
        "cost",
        "credits",
        "bonus_credits",
        "valid_days",
        "stripe_price_id",
    ]
    readonly_fields = ["cost"]


class ThingAdmin(AtStripeAdmin):
    """What the pages of plans and of packs share."""

    list_display = ["name", "code", "is_active", "in_force", "stripe_state", "position"]
    list_filter = ["is_active"]
    search_fields = ["name", "code", "stripe_product_id"]
    ordering = ["position", "code"]
    fields = [*FIELDS, "stripe_product_id", "compared_at"]
    make: Callable[..., Thing]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the versions along."""
        return selectors.with_versions(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Thing | None = None) -> list[str]:
        """Keep the code of what there is, and what Stripe's answers say."""
        kept = ["stripe_product_id", "compared_at", *(["code"] if obj else [])]
        return [*super().get_readonly_fields(request, obj), *kept]

    @display(description="Offered now")  # type: ignore[untyped-decorator]  # of Unfold
    def in_force(self, thing: Thing) -> str:
        """Say which version is offered, and for how much."""
        begun: list[Any] = [one for one in selectors.versions_of(thing) if one.has_begun]
        if not begun:
            return "nothing yet"
        version = max(begun, key=lambda one: one.number)
        return f"v{version.number}, {format_money(version.price, version.currency)}"

    def save_model(self, request: HttpRequest, obj: Thing, form: Any, change: bool) -> None:
        """Write through the services, which write the audit rows."""
        given = form.cleaned_data
        names = {name: given[name] for name in ("name", "description", "position")}
        if change:
            catalogue.change(obj, **names)
        else:
            make = (
                catalogue.create_plan
                if self.model is SubscriptionPlan
                else catalogue.create_product
            )
            saved = make(code=given["code"], **names)
            obj.pk, obj._state.adding = saved.pk, False
        (catalogue.offer_again if given["is_active"] else catalogue.archive)(obj)


@admin.register(SubscriptionPlan)
class SubscriptionPlanAdmin(ThingAdmin):
    """Plans: what they give and cost stands in their versions."""

    inlines = [PlanVersionInline]
    fields = [*ThingAdmin.fields, "subscribers"]
    readonly_fields = ["subscribers"]
    version_model = "planversion"
    make = staticmethod(catalogue.create_plan)

    @display(description="Organizations that have it now")  # type: ignore[untyped-decorator]  # of Unfold
    def subscribers(self, plan: SubscriptionPlan) -> str:
        """Count those who are subscribed to each version; they keep it."""
        counted = selectors.subscribers_by_version(plan) if plan.code else {}
        return ", ".join(f"v{number}: {count}" for number, count in counted.items()) or "none"


@admin.register(CreditProduct)
class CreditProductAdmin(ThingAdmin):
    """Packs of credits: what they hold and cost stands in their versions."""

    inlines = [ProductVersionInline]
    version_model = "productversion"
    make = staticmethod(catalogue.create_product)
