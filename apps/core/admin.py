"""Staff pages of the core: rows that staff may look at and never change."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

MOST_COUNTED = 99  # rows, in a number of the menu


class ReadOnlyAdmin[M: Model](ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Shows rows; nobody adds, changes or deletes them here, superusers included."""

    # Never counts the rows: a ledger of millions opens as quickly as an empty one.
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Refuse: such rows are written by services alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: such rows are written by services alone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: such rows are kept for ever."""
        return False


def badge_of(rows: QuerySet[Any]) -> str:
    """Return how many rows wait, for the menu; many are not counted out, none are not shown."""
    found = len(rows.order_by().values_list("pk")[: MOST_COUNTED + 1])
    return f"{MOST_COUNTED}+" if found > MOST_COUNTED else str(found or "")


def environment(request: HttpRequest) -> list[str]:
    """Name the instance on every page of the back office, so that nobody mistakes it."""
    if settings.DEMO:
        return ["Demo", "info"]
    if settings.DEBUG:
        return ["Development", "warning"]
    return ["Production", "danger"]


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of the back office: what there is, and this person may see."""
    registered = {model._meta.label: shown for model, shown in admin.site._registry.items()}
    groups = []
    for title, entries in settings.ADMIN_MENU:
        items = [
            {
                "title": label,
                "icon": icon,
                "link": reverse(f"admin:{model.replace('.', '_').lower()}_changelist"),
                **_badge(registered[model], request),
            }
            for label, model, icon in entries
            if model in registered and registered[model].has_view_permission(request)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _badge(shown: ModelAdmin, request: HttpRequest) -> dict[str, str]:
    """Return the number beside an entry, where its admin class has a `menu_badge` to say."""
    ask: Callable[[HttpRequest], str] | None = getattr(shown, "menu_badge", None)
    number = ask(request) if ask else ""
    return {"badge": number, "badge_variant": "warning"} if number else {}


admin.site.site_header = "Coffer"
admin.site.site_title = "Coffer"
# Staff sign in where everybody does, so that no second factor can be gone around.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
