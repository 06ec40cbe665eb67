"""What comes in and goes out of the API of awards."""

from typing import Any

from rest_framework import serializers

from apps.partners.models import PartnerCredit
from apps.partners.selectors import read_standing
from apps.partners.services.award_checks import LARGEST_AWARD


class AwardIn(serializers.Serializer[Any]):
    """Credits for a member."""

    member = serializers.CharField(
        max_length=254, required=False, help_text="pmb_…, or the member's e-mail address."
    )
    memberId = serializers.CharField(
        max_length=254, required=False, help_text="The old name of `member`."
    )
    credits = serializers.IntegerField(min_value=1, max_value=LARGEST_AWARD)
    validity_days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        help_text="From the claim on; as the terms say if left out.",
    )
    claim_by = serializers.DateTimeField(
        required=False,
        help_text="Until when an offer can be claimed; as the terms say if not given.",
    )
    campaign = serializers.CharField(required=False, help_text="pcm_…")
    note = serializers.CharField(required=False, max_length=200, allow_blank=True)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Take the member by either of his names."""
        named = {fields.pop(name) for name in ("member", "memberId") if name in fields}
        if len(named) != 1:
            raise serializers.ValidationError({"member": "Name one member, by id or address."})
        return {**fields, "member": named.pop()}


class ExtendIn(serializers.Serializer[Any]):
    """Until when an award shall last, or an offer can be claimed."""

    until = serializers.DateTimeField(help_text="Exclusive.")


class AwardFilterIn(serializers.Serializer[Any]):
    """Which awards to list."""

    email = serializers.CharField(required=False, max_length=254, help_text="The member's address.")
    search = serializers.CharField(
        required=False, max_length=100, help_text="In address, name or note."
    )
    status = serializers.ChoiceField(choices=PartnerCredit.Status.choices, required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of this name
        choices=PartnerCredit.Source.choices, required=False
    )
    campaign = serializers.CharField(required=False, help_text="pcm_…")
    member = serializers.CharField(required=False, help_text="pmb_…")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Exclusive.")


class AwardOut(serializers.ModelSerializer[PartnerCredit]):
    """An award: credits = left + used + returned + lapsed."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="award", read_only=True)
    member = serializers.CharField(source="member.public_id", help_text="pmb_…")
    email = serializers.CharField(source="member.email")
    campaign = serializers.CharField(source="campaign.public_id", default=None, allow_null=True)
    status = serializers.SerializerMethodField(
        help_text="`offered`, `available`, `used`, `expired` or `revoked`."
    )
    left = serializers.SerializerMethodField()
    used = serializers.SerializerMethodField()
    returned = serializers.SerializerMethodField()
    lapsed = serializers.SerializerMethodField()

    class Meta:
        model = PartnerCredit
        fields = [
            *("id", "object", "member", "email", "credits", "status", "left", "used", "returned"),
            *("lapsed", "source", "campaign", "note", "validity_days", "expires_at"),
            *("claimed_at", "revoked_at", "created_at"),
        ]

    def get_status(self, award: PartnerCredit) -> str:
        """Tell how it stands."""
        return read_standing(award).status.value

    def get_left(self, award: PartnerCredit) -> int:
        """Tell how many credits can still be used or claimed."""
        return read_standing(award).left

    def get_used(self, award: PartnerCredit) -> int:
        """Tell how many credits were used, or are held."""
        return read_standing(award).used

    def get_returned(self, award: PartnerCredit) -> int:
        """Tell how many credits went back to the pool."""
        return read_standing(award).returned

    def get_lapsed(self, award: PartnerCredit) -> int:
        """Tell how many credits ended unused and went nowhere."""
        return read_standing(award).lapsed
