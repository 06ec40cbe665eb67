"""What the API of programmes takes and gives: programme, terms, applications, members, groups."""

from typing import Any

from rest_framework import serializers

from apps.partners.models import Application, Partner, PartnerMember, PartnerTerms
from apps.partners.services.invitations import MOST_AT_ONCE


class TermsOut(serializers.ModelSerializer[PartnerTerms]):
    """By which terms the programme hands credits on, from `created_at` until the next."""

    object = serializers.CharField(default="partner_terms", read_only=True)

    class Meta:
        model = PartnerTerms
        fields = [
            *("object", "number", "validity_days", "claim_days", "unused", "privacy"),
            *("seat_limit", "created_at"),
        ]


class PartnerOut(serializers.Serializer[Any]):
    """The organization's programme."""

    id = serializers.CharField(source="partner.public_id")
    object = serializers.CharField(default="partner")
    name = serializers.CharField(source="partner.name")
    status = serializers.ChoiceField(choices=Partner.Status.choices, source="partner.status")
    terms = TermsOut(help_text="Those in force.")
    members = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many there are in each status."
    )
    created_at = serializers.DateTimeField(source="partner.created_at")


class ApplicationIn(serializers.Serializer[Any]):
    """What staff need to decide."""

    name = serializers.CharField(max_length=100, help_text="Of the programme, as members see it.")
    expected_members = serializers.IntegerField(min_value=1, max_value=1_000_000)
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")


class ApplicationOut(serializers.ModelSerializer[Application]):
    """An application for a programme."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="partner_application", read_only=True)

    class Meta:
        model = Application
        fields = [
            *("id", "object", "name", "expected_members", "reason", "status", "answer"),
            *("created_at", "decided_at"),
        ]


class GroupIn(serializers.Serializer[Any]):
    """How a group is called, and where its costs go."""

    name = serializers.CharField(max_length=100)
    cost_centre = serializers.CharField(max_length=50, allow_blank=True, default="")


class MemberGroupOut(serializers.Serializer[Any]):
    """Members that are looked at together."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="partner_group")
    name = serializers.CharField()
    cost_centre = serializers.CharField()
    members = serializers.IntegerField(source="size", help_text="Without those who left.")
    created_at = serializers.DateTimeField()


class NewMemberIn(serializers.Serializer[Any]):
    """Somebody who shall belong to the programme."""

    email = serializers.CharField(max_length=320)
    first_name = serializers.CharField(max_length=100, allow_blank=True, default="")
    last_name = serializers.CharField(max_length=100, allow_blank=True, default="")
    group = serializers.CharField(
        max_length=50, allow_null=True, default=None, help_text="Its id: pgr_…"
    )


class NewMembersIn(serializers.Serializer[Any]):
    """Some people at once; a file brings more."""

    members = serializers.ListField(child=NewMemberIn(), min_length=1, max_length=MOST_AT_ONCE)


class ProgrammeMemberIn(serializers.Serializer[Any]):
    """How a member is known; what is left out stays."""

    email = serializers.CharField(max_length=320, required=False)
    first_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=100, allow_blank=True, required=False)
    group = serializers.CharField(max_length=50, allow_null=True, required=False)


class ProgrammeReasonIn(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=500)


class ProgrammeMemberOut(serializers.Serializer[Any]):
    """A member of the programme. His link is told to nobody but his mailbox."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="partner_member")
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    status = serializers.ChoiceField(choices=PartnerMember.Status.choices)
    group = serializers.CharField(source="group.public_id", default=None)
    reminders = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    mailed_at = serializers.DateTimeField(source="sent_at", allow_null=True)
    claimed_at = serializers.DateTimeField(allow_null=True)
    left_at = serializers.DateTimeField(allow_null=True)


class MembersOut(serializers.Serializer[Any]):
    """The members that were asked for, in the same order."""

    object = serializers.CharField(default="partner_member_batch")
    members = ProgrammeMemberOut(many=True)


class MemberFilter(serializers.Serializer[Any]):
    """Which members are listed."""

    search = serializers.CharField(required=False, max_length=100)
    status = serializers.ChoiceField(choices=PartnerMember.Status.choices, required=False)
    group = serializers.CharField(required=False, max_length=50)


class RemindedOut(serializers.Serializer[Any]):
    """How many of those who have not claimed are written to."""

    object = serializers.CharField(default="partner_reminders")
    reminded = serializers.IntegerField()
    too_soon = serializers.IntegerField(help_text="Got a mail less than a day ago.")


class ProgrammeClaimIn(serializers.Serializer[Any]):
    """The secret of a link, as the mail has it: cof_claim_…."""

    token = serializers.CharField(max_length=100)


class ClaimedOut(serializers.Serializer[Any]):
    """The membership that one has now."""

    object = serializers.CharField(default="partner_membership")
    organization_id = serializers.CharField(source="organization.public_id")
    organization_slug = serializers.CharField(source="organization.slug")
    programme = serializers.CharField(source="partner.name")
    member_id = serializers.CharField(source="public_id")
