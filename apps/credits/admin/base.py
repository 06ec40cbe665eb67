"""What the ledger's admin pages share: who sees them, and how they are searched."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from apps.core import ids
from apps.core.admin import ExportingAdmin
from apps.tenants.models import Organization, User

MOST_NAMED = 50  # organizations that one search may mean
LINK = '<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>'


def may_correct(request: HttpRequest) -> bool:
    """Tell whether this member of staff may change wallets."""
    return request.user.has_perm("credits.adjust")


def may_decide(request: HttpRequest) -> bool:
    """Tell whether this member of staff may decide the corrections of others."""
    return request.user.has_perm("credits.approve")


def staff_of(request: HttpRequest) -> User:
    """Return who is signed in: the admin lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def list_url(model: str, **chosen: object) -> str:
    """Return a list of the ledger with these filters."""
    query = "&".join(f"{name}={value}" for name, value in chosen.items())
    return f"{reverse(f'admin:credits_{model}_changelist')}?{query}"


def link(url: str, text: object) -> str:
    """Write a link that can be told from text without colour."""
    return format_html(LINK, url, text)


def hash_text(value: bytes) -> str:
    """Write a hash as the API does, so that a narrow screen may break it."""
    text = value.hex()
    pieces = ((text[start : start + 8],) for start in range(0, len(text), 8))
    return format_html_join(mark_safe("<wbr>"), "{}", pieces)


class LedgerAdmin[M: Model](ExportingAdmin[M]):
    """
    Rows of the ledger: superusers cannot change them here either, and nothing counts them.

    Newest first by id, because ids begin with the time of their making and have an index.
    """

    ordering: Sequence[Any] = ["-id"]
    list_select_related = ["organization"]
    list_filter_submit = True
    ids_searched: ClassVar[dict[str, str]] = {}  # prefix of an id → the field that it is in
    texts_searched: ClassVar[list[str]] = []  # fields that are searched for the exact text

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Let those look who correct or decide, and those whom Django's permissions let."""
        by_role = may_correct(request) or may_decide(request)
        return by_role or bool(super().has_view_permission(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the ledger to the same people on the first page."""
        by_role = may_correct(request) or may_decide(request)
        return by_role or bool(super().has_module_permission(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Find by id, by organization, or by an exact text: what an index can answer first."""
        text = search_term.strip()
        if not text:
            return queryset, False
        for prefix, field in self.ids_searched.items():
            try:
                return queryset.filter(**{field: ids.decode(prefix, text)}), False
            except ValueError:
                continue
        named = Organization.objects.filter(Q(slug=text.lower()) | Q(name__icontains=text))
        if found := list(named.values_list("pk", flat=True)[:MOST_NAMED]):
            return queryset.filter(organization__in=found), False
        condition = Q(pk__in=[])
        for field in self.texts_searched:
            condition |= Q(**{field: text})
        return queryset.filter(condition), False
