"""The staff's price list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.core.clock import now_in_query
from apps.credits import selectors
from apps.credits.models import CreditEvent
from apps.credits.services.prices import set_price


class PriceForm(forms.ModelForm[CreditEvent]):
    """A new version of a price."""

    class Meta:
        model = CreditEvent
        fields = [
            "name",
            "category",
            "credit_cost",
            "unit",
            "description",
            "metadata",
            "is_active",
            "effective_at",
        ]


class InForceFilter(admin.SimpleListFilter):
    """Versions that are to come, are in force, or have been replaced."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the three."""
        return [("now", "Now"), ("future", "To come"), ("past", "Replaced")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CreditEvent]
    ) -> QuerySet[CreditEvent]:
        """Return the versions that were asked for."""
        in_force = selectors.price_versions().distinct("name").values("pk")
        future = Q(effective_at__gt=now_in_query())
        return {
            "now": queryset.filter(pk__in=in_force),
            "future": queryset.filter(future),
            "past": queryset.exclude(future).exclude(pk__in=in_force),
        }.get(self.value() or "", queryset)


@admin.register(CreditEvent)
class CreditEventAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """The price list: versions are added and never edited, so past charges keep their price."""

    form = PriceForm
    list_display = ["name", "category", "credit_cost", "unit", "is_active", "effective_at"]
    list_filter = [InForceFilter, "category", "is_active"]
    search_fields = ["name"]
    ordering = ["name", "-effective_at"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the present version of the price that is named in the address."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        latest: QuerySet[CreditEvent] = CreditEvent.objects.filter(name=initial.get("name", ""))
        if version := latest.order_by("-effective_at").first():
            fields = ["category", "credit_cost", "unit", "description", "metadata", "is_active"]
            initial.update({field: getattr(version, field) for field in fields})
        return initial

    def has_change_permission(self, request: HttpRequest, obj: CreditEvent | None = None) -> bool:
        """Refuse: a price is changed by adding a version."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CreditEvent | None = None) -> bool:
        """Refuse: charges point at the version that they were made with."""
        return False

    def save_model(self, request: HttpRequest, obj: CreditEvent, form: Any, change: bool) -> None:
        """Add the version through the service, which writes the audit row."""
        saved = set_price(**form.cleaned_data)
        obj.pk, obj._state.adding = saved.pk, False
