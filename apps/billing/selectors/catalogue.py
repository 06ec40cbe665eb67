"""What is sold: the versions that are in force, now or at a moment, and who has them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Prefetch, Q, QuerySet

from apps.billing.models import (
    CreditProduct,
    OrganizationSubscription,
    PlanVersion,
    ProductVersion,
    SubscriptionPlan,
)
from apps.core.clock import now_in_query

Status = OrganizationSubscription.Status
HAS_NONE = Q(status__in=[Status.INCOMPLETE, *OrganizationSubscription.OVER])  # waits, or is over


def plans_in_force() -> QuerySet[PlanVersion]:
    """Return the present version of each plan that is offered, with its plan."""
    begun = PlanVersion.objects.filter(effective_at__lte=now_in_query())
    latest = begun.order_by("plan_id", "-number").distinct("plan_id").values("pk")
    return PlanVersion.objects.filter(pk__in=latest, plan__is_active=True).select_related("plan")


def products_in_force() -> QuerySet[ProductVersion]:
    """Return the present version of each pack that is offered, with its pack."""
    begun = ProductVersion.objects.filter(effective_at__lte=now_in_query())
    latest = begun.order_by("product_id", "-number").distinct("product_id").values("pk")
    rows = ProductVersion.objects.filter(pk__in=latest, product__is_active=True)
    return rows.select_related("product")


def current_plans() -> list[PlanVersion]:
    """Return what new subscribers are offered now, each plan's present version, in order."""
    return list(plans_in_force().order_by("plan__position", "plan__code"))


def current_products() -> list[ProductVersion]:
    """Return the packs that can be bought now, each one's present version, in order."""
    return list(products_in_force().order_by("product__position", "product__code"))


def version_at(plan: SubscriptionPlan, moment: datetime) -> PlanVersion | None:
    """Return the version of a plan that is offered at a moment, or None before its first."""
    begun = PlanVersion.objects.filter(plan=plan, effective_at__lte=moment)
    return begun.select_related("plan").order_by("-number").first()


def product_version_at(product: CreditProduct, moment: datetime) -> ProductVersion | None:
    """Return the version of a pack that is sold at a moment, or None before its first."""
    begun = ProductVersion.objects.filter(product=product, effective_at__lte=moment)
    return begun.select_related("product").order_by("-number").first()


def subscribers_by_plan() -> dict[UUID, int]:
    """Return how many organizations have each plan now, by its id, where any has."""
    rows = OrganizationSubscription.objects.across_organizations("counted for the back office")
    counted = rows.exclude(HAS_NONE).values_list("version__plan").order_by()
    return dict(counted.annotate(organizations=Count("pk")))


def subscribers_by_version(plan: SubscriptionPlan) -> dict[int, int]:
    """Return how many organizations have each version of a plan now, by its number."""
    rows = OrganizationSubscription.objects.across_organizations("counted for the back office")
    counted = rows.exclude(HAS_NONE).filter(version__plan=plan).values_list("version__number")
    return dict(counted.annotate(organizations=Count("pk")).order_by("version__number"))


def with_versions[M: (SubscriptionPlan, CreditProduct)](rows: QuerySet[M]) -> QuerySet[M]:
    """Bring the versions of plans or packs along, each with `has_begun`."""
    version = PlanVersion if rows.model is SubscriptionPlan else ProductVersion
    has_begun = ExpressionWrapper(Q(effective_at__lte=now_in_query()), BooleanField())
    return rows.prefetch_related(
        Prefetch("versions", queryset=version._default_manager.annotate(has_begun=has_begun))
    )


def versions_of(thing: SubscriptionPlan | CreditProduct) -> list[Any]:
    """Return the versions that `with_versions` brought along."""
    return list(thing.versions.all())
