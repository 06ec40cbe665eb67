"""What staff see and do about the copy of a plan or pack that Stripe has."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from apps.billing.models import CreditProduct, SubscriptionPlan
from apps.billing.services import syncing
from apps.core.errors import DomainError

type Thing = SubscriptionPlan | CreditProduct
COLOURS = {
    "as here": "success",
    "differs": "warning",
    "not pushed": "warning",
    "not needed": "",
    "not compared": "info",
}


class AtStripeAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """The part of the pages of plans and packs that is about Stripe."""

    version_model = ""  # of the versions, as Django's permissions name it
    actions = ["push_selected", "compare_selected"]
    actions_detail = ["new_version", "at_stripe"]

    @display(description="At Stripe", label=COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def stripe_state(self, thing: Thing) -> str:
        """Say whether Stripe's copy is as ours, as far as was seen when it was compared."""
        versions = syncing.priced_versions(thing)
        if not versions:
            return "not needed"
        if not thing.stripe_product_id or not all(one.stripe_price_id for one in versions):
            return "not pushed"
        if thing.compared_at is None:
            return "not compared"
        return "differs" if thing.differences else "as here"

    def has_change_selected_permission(self, request: HttpRequest) -> bool:
        """Let those push who may change plans and packs."""
        return bool(self.has_change_permission(request))

    @action(description="Push to Stripe", permissions=["change_selected"])  # type: ignore[untyped-decorator]  # of Unfold
    def push_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Push each, and say what was done."""
        for thing in queryset:
            push_and_tell(request, thing)

    @action(description="Compare with Stripe", permissions=["change_selected"])  # type: ignore[untyped-decorator]  # of Unfold
    def compare_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Compare each, and say what differs."""
        for thing in queryset:
            compare_and_tell(request, thing)

    def has_at_stripe_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those look who may look at the plan or pack."""
        return bool(self.has_view_permission(request))

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="At Stripe", url_path="at-stripe", icon="sync", permissions=["at_stripe"]
    )
    def at_stripe(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what was found at Stripe; a button pushes, another one compares."""
        thing: Thing | None = self.get_object(request, object_id)
        if thing is None:
            raise Http404
        may_push = self.has_change_permission(request, thing)
        if request.method == "POST" and may_push:
            act = push_and_tell if request.POST.get("do") == "push" else compare_and_tell
            act(request, thing)
            return redirect(request.path)
        back = reverse(f"admin:billing_{self.opts.model_name}_change", args=[thing.pk])
        page = {
            **self.admin_site.each_context(request),
            "title": f"{thing.name} at Stripe",
            "opts": self.opts,
            "thing": thing,
            "versions": thing.versions.order_by("-number"),
            "may_push": may_push,
            "back_url": back,
        }
        return render(request, "admin/billing/at_stripe.html", page)

    def has_new_version_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those publish who may add versions."""
        return request.user.has_perm(f"billing.add_{self.version_model}")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="New version",
        url_path="new-version",
        icon="add",
        permissions=["new_version"],
    )
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the form of a new version of this plan or pack."""
        if self.get_object(request, object_id) is None:
            raise Http404
        parent = "plan" if self.model is SubscriptionPlan else "product"
        address = reverse(f"admin:billing_{self.version_model}_add")
        return redirect(f"{address}?{parent}={object_id}")

    def has_delete_permission(self, request: HttpRequest, obj: Thing | None = None) -> bool:
        """Refuse: what is sold is archived and never deleted."""
        return False


def push_and_tell(request: HttpRequest, thing: Thing) -> None:
    """Push a plan or pack, and say on the next page what was done."""
    try:
        for sentence in syncing.push(thing):
            messages.success(request, sentence)
    except DomainError as refusal:
        messages.error(request, f"{thing.name}: {refusal}")
        return
    for sentence in thing.differences:
        messages.warning(request, f"{thing.name}: {sentence}")


def compare_and_tell(request: HttpRequest, thing: Thing) -> None:
    """Compare a plan or pack, and say on the next page what differs."""
    try:
        found = syncing.compare(thing)
    except DomainError as refusal:
        messages.error(request, f"{thing.name}: {refusal}")
        return
    for sentence in found:
        messages.warning(request, f"{thing.name}: {sentence}")
    if not found:
        messages.success(request, f"Stripe has {thing.name} as it is here.")
