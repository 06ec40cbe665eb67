"""Staff pages of the core: rows that staff may look at and never change."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.paginator import InfinitePaginator

from apps.core.exports import stream_table

CHUNK = 2000  # rows of an export that are in memory at once
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


class ExportingAdmin[M: Model](ReadOnlyAdmin[M]):
    """Rows that staff may also take away: every one that fits the filters of the list, as CSV."""

    actions_list: Sequence[str] = ["export"]
    csv_columns: ClassVar[list[str]] = []  # attributes, dotted where they are another row's

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the list; the link to the export carries the list's filters."""
        return with_filters(request, super().changelist_view(request, extra_context))

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="CSV", url_path="export", icon="download", permissions=["view"]
    )
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Stream every row that fits the filters, newest first."""
        try:
            rows: QuerySet[M] = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return redirect(f"{here}?e=1")
        return stream_table(
            filename=f"{self.opts.model_name}s.csv",
            columns={column.replace(".", "_"): column for column in self.csv_columns},
            rows=newest_first(rows),
        )


def with_filters(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    """Return the page of a list, whose link to the export carries the list's filters."""
    if isinstance(answer, TemplateResponse) and answer.context_data:
        for one in answer.context_data.get("actions_list", []):
            if one["path"].endswith("/export/"):
                one["path"] = f"{one['path']}?{request.GET.urlencode()}"
    return answer


def newest_first[M: Model](rows: QuerySet[M]) -> Iterator[M]:
    """
    Yield rows from last to first, however many, a chunk at a time.

    By keyset and not by a cursor of the database, which a pool in front of it does not give.
    """
    rows = rows.order_by("-pk")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        if len(chunk) < CHUNK:
            return
        chunk = list(rows.filter(pk__lt=chunk[-1].pk)[:CHUNK])


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
