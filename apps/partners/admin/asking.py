"""Staff pages of what members asked for, of campaigns and of rules."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ExportingAdmin
from apps.partners.models import AwardRule, Campaign, CreditRequest
from apps.partners.services.campaigns import end_campaign
from apps.partners.services.rules import end_rule


@admin.register(CreditRequest)
class CreditRequestAdmin(ExportingAdmin[CreditRequest]):
    """Who asked for how much, and what the programme answered; members and partners decide."""

    list_display = ["created_at", "partner", "member", "credits", "status", "decided_by"]
    list_display += ["decided_at", "mail_attempts", "sent_at", "public_id"]
    list_filter = ["status"]
    search_fields = ["partner__name", "organization__slug", "member__email"]
    list_select_related = ["partner", "member", "decided_by"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "member.email"),
        *("credits", "reason", "status", "decided_by.email", "decided_at", "answer"),
    ]


@admin.register(Campaign)
class CampaignAdmin(ExportingAdmin[Campaign]):
    """Budgets and windows, and what was awarded in them; staff can end one."""

    list_display = ["created_at", "partner", "name", "budget", "awarded", "begins_at", "ends_at"]
    list_display += ["created_by", "public_id"]
    search_fields = ["name", "partner__name", "organization__slug"]
    list_select_related = ["partner", "created_by"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "name", "budget"),
        *("awarded", "begins_at", "ends_at", "created_by.email"),
    ]
    actions = ["end"]

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Let those end campaigns whom Django lets change them."""
        return request.user.has_perm("partners.change_campaign")

    @admin.action(description="End now: nothing is awarded in it any more", permissions=["end"])
    @transaction.atomic
    def end(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        """End the chosen campaigns through the service, which writes the audit rows."""
        for campaign in queryset.select_related("partner").order_by("partner", "pk"):
            end_campaign(campaign=campaign)
        messages.success(request, "The campaigns are over.")


@admin.register(AwardRule)
class AwardRuleAdmin(ExportingAdmin[AwardRule]):
    """Domains whose people may join programmes by themselves; staff can end one."""

    list_display = ["created_at", "partner", "domain", "credits", "campaign", "is_active"]
    list_display += ["created_by", "public_id"]
    list_filter = ["is_active"]
    search_fields = ["domain", "partner__name", "organization__slug"]
    list_select_related = ["partner", "campaign", "created_by"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "domain", "credits"),
        *("campaign.name", "is_active", "created_by.email"),
    ]
    actions = ["end"]

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Let those end rules whom Django lets change them."""
        return request.user.has_perm("partners.change_awardrule")

    @admin.action(description="End now: nobody joins by it any more", permissions=["end"])
    @transaction.atomic
    def end(self, request: HttpRequest, queryset: QuerySet[AwardRule]) -> None:
        """End the chosen rules through the service, which writes the audit rows."""
        for rule in queryset.select_related("partner").order_by("partner", "pk"):
            end_rule(rule=rule)
        messages.success(request, "The rules have ended.")
