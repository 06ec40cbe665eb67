"""What comes in and goes out of the API: requests, rules, campaigns, and one's own credits."""

from datetime import datetime
from functools import cached_property
from typing import Any

from rest_framework import serializers

from apps.core.clock import database_now
from apps.partners.models import AwardRule, Campaign, CreditRequest
from apps.partners.selectors.campaigns import Report, stands
from apps.partners.services.campaigns import LARGEST_BUDGET
from apps.partners.services.requests import MOST_CREDITS


class RequestIn(serializers.Serializer[Any]):
    """How many credits a member asks for, and why."""

    credits = serializers.IntegerField(min_value=1, max_value=MOST_CREDITS)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class RequestFilterIn(serializers.Serializer[Any]):
    """Which requests to list."""

    status = serializers.ChoiceField(
        choices=CreditRequest.Status.choices, required=False, default=""
    )


class ApproveIn(serializers.Serializer[Any]):
    """How many credits a member gets: those he asked for, if it is left out."""

    credits = serializers.IntegerField(
        min_value=1, max_value=MOST_CREDITS, required=False, default=None
    )
    answer = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class DeclineIn(serializers.Serializer[Any]):
    """Why a member gets none; he reads it."""

    answer = serializers.CharField(max_length=500)


class CreditRequestOut(serializers.ModelSerializer[CreditRequest]):
    """A member's wish for credits, and what became of it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="credit_request", read_only=True)
    member = serializers.CharField(source="member.public_id", help_text="pmb_…")
    email = serializers.CharField(source="member.email")
    award = serializers.CharField(source="award.public_id", default=None, allow_null=True)
    awarded = serializers.IntegerField(source="award.credits", default=None, allow_null=True)

    class Meta:
        model = CreditRequest
        fields = [
            *("id", "object", "member", "email", "credits", "reason", "status", "answer"),
            *("award", "awarded", "decided_at", "created_at"),
        ]


class RuleChangeIn(serializers.Serializer[Any]):
    """What to change of a rule; what is left out stays."""

    credits = serializers.IntegerField(min_value=1, max_value=MOST_CREDITS, required=False)
    campaign = serializers.CharField(
        max_length=40, required=False, allow_null=True, help_text="pcm_…, or null for none."
    )


class RuleIn(RuleChangeIn):
    """For whom a rule is, and what they get."""

    domain = serializers.CharField(max_length=253, help_text="Exactly: example.com.")
    credits = serializers.IntegerField(min_value=1, max_value=MOST_CREDITS)


class RuleOut(serializers.ModelSerializer[AwardRule]):
    """Whoever has a verified address at the domain may join, and gets so many credits once."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="award_rule", read_only=True)
    campaign = serializers.CharField(source="campaign.public_id", default=None, allow_null=True)

    class Meta:
        model = AwardRule
        fields = ["id", "object", "domain", "credits", "campaign", "is_active", "created_at"]


class OpenRuleOut(serializers.ModelSerializer[AwardRule]):
    """A programme that the person may join, and what he gets."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="open_programme", read_only=True)
    programme = serializers.CharField(source="partner.name")
    is_taken = serializers.BooleanField(help_text="Whether he has the credits already.")

    class Meta:
        model = AwardRule
        fields = ["id", "object", "programme", "domain", "credits", "is_taken"]


class JoinedOut(serializers.Serializer[Any]):
    """The person's membership in a programme."""

    object = serializers.CharField(default="programme_membership", read_only=True)
    id = serializers.CharField(source="public_id")
    organization = serializers.SerializerMethodField(help_text="org_…: whose programme it is.")
    status = serializers.CharField()

    def get_organization(self, member: Any) -> str:
        """Name the organization."""
        text: str = member.organization.public_id
        return text


class CampaignChangeIn(serializers.Serializer[Any]):
    """What to change of a campaign; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    budget = serializers.IntegerField(
        min_value=1, max_value=LARGEST_BUDGET, required=False, help_text="Credits."
    )
    begins_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Exclusive.")


class CampaignIn(CampaignChangeIn):
    """What a campaign says."""

    name = serializers.CharField(max_length=100)
    budget = serializers.IntegerField(min_value=1, max_value=LARGEST_BUDGET, help_text="Credits.")
    begins_at = serializers.DateTimeField(required=False, help_text="Now, if left out.")


class CampaignOut(serializers.ModelSerializer[Campaign]):
    """Awards that belong together, within a budget and a window."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="campaign", read_only=True)
    state = serializers.SerializerMethodField(help_text="`to come`, `open`, `spent` or `over`.")

    class Meta:
        model = Campaign
        fields = [
            *("id", "object", "name", "budget", "awarded", "state"),
            *("begins_at", "ends_at", "created_at"),
        ]

    def get_state(self, campaign: Campaign) -> str:
        """Tell how it stands now."""
        return stands(campaign, self.now)

    @cached_property
    def now(self) -> datetime:
        """The moment of the answer: asked once, however many campaigns there are."""
        return database_now()


class CampaignDayOut(serializers.Serializer[Any]):
    """Credits of a campaign that moved on one day."""

    date = serializers.DateField()
    awarded = serializers.IntegerField()
    claimed = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField(help_text="What else moved, signed.")


class CampaignReportOut(serializers.Serializer[Any]):
    """What became of a campaign: awarded - used - returned - lapsed + corrected = left."""

    object = serializers.CharField(default="campaign_report", read_only=True)
    awarded = serializers.SerializerMethodField()
    claimed = serializers.SerializerMethodField()
    used = serializers.SerializerMethodField()
    returned = serializers.SerializerMethodField()
    lapsed = serializers.SerializerMethodField()
    corrected = serializers.SerializerMethodField()
    left = serializers.IntegerField()
    days = CampaignDayOut(many=True, help_text="Those on which something moved, in order.")

    def get_awarded(self, report: Report) -> int:
        """Tell how many credits were awarded."""
        return report.total("awarded")

    def get_claimed(self, report: Report) -> int:
        """Tell how many of them were claimed."""
        return report.total("claimed")

    def get_used(self, report: Report) -> int:
        """Tell how many were used or are held."""
        return report.total("used")

    def get_returned(self, report: Report) -> int:
        """Tell how many went back to the pool."""
        return report.total("returned")

    def get_lapsed(self, report: Report) -> int:
        """Tell how many ended unused and went nowhere."""
        return report.total("lapsed")

    def get_corrected(self, report: Report) -> int:
        """Tell what else moved, signed."""
        return report.total("corrected")


class OwnAwardOut(serializers.Serializer[Any]):
    """The award that credits came by."""

    id = serializers.CharField(source="public_id")
    note = serializers.CharField()
    campaign = serializers.CharField(source="campaign.name", default=None, allow_null=True)
    created_at = serializers.DateTimeField()


class OwnLotOut(serializers.Serializer[Any]):
    """Credits of one origin in the member's wallet."""

    id = serializers.CharField(source="standing.lot.public_id")
    object = serializers.CharField(default="lot", read_only=True)
    remaining = serializers.IntegerField(source="standing.remaining")
    used = serializers.IntegerField(source="standing.used")
    status = serializers.CharField(source="standing.status.value")
    expires_at = serializers.DateTimeField(source="standing.lot.expires_at", allow_null=True)
    award = OwnAwardOut(allow_null=True)


class OwnCreditsOut(serializers.Serializer[Any]):
    """What a member has, in the order in which it is spent."""

    object = serializers.CharField(default="own_credits", read_only=True)
    member = serializers.CharField(source="member.public_id")
    programme = serializers.CharField(source="member.partner.name")
    status = serializers.CharField(source="member.status")
    available = serializers.IntegerField(source="balance.available")
    held = serializers.IntegerField(source="balance.held")
    expiring_amount = serializers.IntegerField(source="balance.expiring_amount")
    expiring_at = serializers.DateTimeField(source="balance.expiring_at", allow_null=True)
    lots = OwnLotOut(many=True)
