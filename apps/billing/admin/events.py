"""Staff pages of Stripe's events: the inbox, what became of each, and once more."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from apps.billing.models import WebhookEvent
from apps.billing.services import inbox
from apps.core.admin import ReadOnlyAdmin, badge_of

COLOURS = {"pending": "info", "processed": "success", "ignored": "", "dead": "danger"}
MIRROR_COLOURS = {"pending": "info", "mirrored": "success", "failed": "warning"}


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    """Every event that Stripe told, raw, with its attempts; kept longer than Stripe keeps them."""

    list_display = [
        "event_id",
        "type",
        "state",
        "mirror",
        "subject",
        "object_id",
        "attempts",
        "deliveries",
        "source",
        "told_at",
        "lag",
    ]
    list_filter = ["status", "mirror_status", "source", "is_live", "type"]
    search_fields = ["event_id", "object_id", "subject"]
    search_help_text = "An event, the object that it is about, or the customer: evt_…, pi_…, cus_…"
    ordering = ["-told_at", "-id"]
    actions = ["handle_again", "leave_alone"]
    exclude = ["payload", "claim"]
    readonly_fields = ["told"]

    @display(description="Effect", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, event: WebhookEvent) -> str:
        """Say what became of it."""
        return event.status

    @display(description="Mirror", ordering="mirror_status", label=MIRROR_COLOURS)  # type: ignore[untyped-decorator]
    def mirror(self, event: WebhookEvent) -> str:
        """Say how far dj-stripe's copy is."""
        return event.mirror_status

    @display(description="Lag")  # type: ignore[untyped-decorator]
    def lag(self, event: WebhookEvent) -> str:
        """Say how long after Stripe told it the effect was there, in seconds."""
        if event.processed_at is None:
            return "–"
        return f"{max(0, round((event.processed_at - event.told_at).total_seconds()))} s"

    @display(description="As Stripe told it")  # type: ignore[untyped-decorator]
    def told(self, event: WebhookEvent) -> str:
        """Show the whole event."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    def menu_badge(self, request: HttpRequest) -> str:
        """Count those that a person has to look at."""
        return badge_of(WebhookEvent.objects.filter(status=WebhookEvent.Status.DEAD))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell whether he may have events handled again, or left alone."""
        return request.user.has_perm("billing.change_webhookevent")

    @admin.action(description="Handle again", permissions=["decide"])
    def handle_again(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Let a worker handle each once more; what it did before it does not do again."""
        for event in queryset:
            inbox.replay(event)
        messages.success(request, f"{len(queryset)} events will be handled again.")

    @admin.action(description="Leave alone", permissions=["decide"])
    def leave_alone(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """End dead events without effect."""
        count = sum(inbox.ignore(event) for event in queryset)
        messages.success(request, f"{count} dead events are left alone now.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        """Leave the payload where it is: a list does not show it."""
        rows: QuerySet[WebhookEvent] = super().get_queryset(request)
        return rows.defer("payload")
