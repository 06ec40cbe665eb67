"""Staff pages of what one customer may have: by class of customers."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.capacity.models import ClassCap, Customer, CustomerClass
from apps.capacity.services import projects
from apps.rbac.admin.base import ServiceAdmin


@admin.register(CustomerClass)
class CustomerClassAdmin(ServiceAdmin[CustomerClass]):
    """Classes of customers: made here, and then given to organizations and to projects."""

    fields = ["name"]
    list_display = ["name", "created_at"]
    ordering = ["name"]

    def has_change_permission(self, request: HttpRequest, obj: CustomerClass | None = None) -> bool:
        """Refuse: caps that were agreed to go by its name."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CustomerClass | None = None) -> bool:
        """Refuse: customers and caps point at it."""
        return False

    def save_model(self, request: HttpRequest, obj: CustomerClass, form: Any, change: bool) -> None:
        """Make it through the service."""
        saved = projects.create_customer_class(name=form.cleaned_data["name"])
        obj.pk, obj._state.adding = saved.pk, False


@admin.register(Customer)
class CustomerAdmin(ServiceAdmin[Customer]):
    """In which class an organization is; without a row here it is in none."""

    fields = ["organization", "customer_class"]
    list_display = ["organization", "customer_class", "created_at"]
    list_filter = ["customer_class"]
    list_select_related = ["organization", "customer_class"]
    search_fields = ["organization__name", "organization__slug"]
    raw_id_fields = ["organization"]
    ordering = ["organization__name"]

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Refuse: take it out of one class, and put it into another."""
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """Put it there through the service."""
        projects.classify_customer(**form.cleaned_data)
        saved = Customer.objects.get(organization=obj.organization)
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: Customer) -> None:
        """Take it out through the service."""
        projects.classify_customer(organization=obj.organization, customer_class=None)


@admin.register(ClassCap)
class ClassCapAdmin(ServiceAdmin[ClassCap]):
    """The most that one customer of a class may have of a project."""

    fields = ["project", "customer_class", "customer_cap_kw"]
    list_display = ["project", "customer_class", "customer_cap_kw"]
    list_filter = ["project", "customer_class"]
    list_select_related = ["project", "customer_class"]
    ordering = ["project__name", "customer_class__name"]

    def has_change_permission(self, request: HttpRequest, obj: ClassCap | None = None) -> bool:
        """Refuse: take it away, and set another."""
        return False

    def save_model(self, request: HttpRequest, obj: ClassCap, form: Any, change: bool) -> None:
        """Set it through the service."""
        saved = projects.set_class_cap(**form.cleaned_data)
        assert saved is not None, "the form asks for a cap"
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: ClassCap) -> None:
        """Take it away through the service."""
        projects.set_class_cap(
            project=obj.project, customer_class=obj.customer_class, customer_cap_kw=None
        )
