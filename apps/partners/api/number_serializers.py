"""Shapes of the programme's numbers in the API. All numbers are credits, where nothing is said."""

from datetime import date
from typing import Any

from rest_framework import serializers

from apps.core.days import is_sensible
from apps.partners.api.serializers import MemberFilter
from apps.partners.selectors.member_numbers import SORTS
from apps.partners.selectors.usage import LENGTHS


class DashboardParameters(serializers.Serializer[Any]):
    """By what usage is summed. Whose programme it is, the caller's organization says."""

    unit = serializers.ChoiceField(
        choices=list(LENGTHS), default="day", help_text="The last 30 days, 26 weeks or 12 months."
    )


class NumbersFilter(MemberFilter):
    """Which members, in which order."""

    sort = serializers.ChoiceField(choices=list(SORTS), default="newest")


class MonthParameter(serializers.Serializer[Any]):
    """Which month."""

    month = serializers.DateField(
        input_formats=["%Y-%m"],
        format="%Y-%m",
        help_text="`2026-10`, in the time zone of the organization.",
    )

    def validate_month(self, month: date) -> date:
        """
        Return the month.

        :raises ValidationError: if it is one of which nothing is kept.
        """
        if not is_sensible(month):
            raise serializers.ValidationError("No credits are kept of such a year.")
        return month


class PoolOut(serializers.Serializer[Any]):
    """bought - allocated + returned - used - lapsed + corrected = left."""

    bought = serializers.IntegerField()
    allocated = serializers.IntegerField(help_text="Handed to members.")
    returned = serializers.IntegerField(help_text="Not used by members, and back in the pool.")
    used = serializers.IntegerField(help_text="By the organization itself.")
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    left = serializers.IntegerField()
    expiring = serializers.IntegerField(help_text="Ends within 30 days.")


class HandedOut(serializers.Serializer[Any]):
    """awarded - used - returned - lapsed + corrected = left."""

    members = serializers.IntegerField(help_text="How many they are, those who left as well.")
    awarded = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    left = serializers.IntegerField()
    offered = serializers.IntegerField(help_text="Of what is left: not claimed yet.")
    expiring = serializers.IntegerField(help_text="Of what is left: ends within 30 days.")


class GroupSumsOut(serializers.Serializer[Any]):
    """What the members of a group got, by the group in which each is now."""

    id = serializers.CharField(source="public_id", help_text="Empty: members without a group.")
    name = serializers.CharField()
    cost_centre = serializers.CharField()
    sums = HandedOut(source="handed")


class CampaignSumsOut(serializers.Serializer[Any]):
    """awarded - used - returned - lapsed + corrected = left."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    budget = serializers.IntegerField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    awards = serializers.IntegerField(help_text="How many.")
    awarded = serializers.IntegerField()
    claimed = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    left = serializers.IntegerField()


class UsedOut(serializers.Serializer[Any]):
    """What all members used in a day, week or month."""

    first_day = serializers.DateField(source="first")
    credits = serializers.IntegerField(help_text="Below zero where more was given back than used.")


class DashboardOut(serializers.Serializer[Any]):
    """How a programme stands."""

    object = serializers.CharField(default="partner_dashboard", read_only=True)
    partner = serializers.CharField(source="dashboard.partner.public_id")
    name = serializers.CharField(source="dashboard.partner.name")
    status = serializers.CharField(source="dashboard.partner.status")
    as_of = serializers.DateTimeField(source="dashboard.as_of")
    pool = PoolOut(source="dashboard.pool")
    members = HandedOut(source="dashboard.members")
    members_by_status = serializers.DictField(
        source="dashboard.statuses", child=serializers.IntegerField()
    )
    groups = GroupSumsOut(source="dashboard.groups", many=True)
    campaigns = CampaignSumsOut(many=True)
    unit = serializers.CharField()
    usage = UsedOut(many=True)


class MemberNumbersOut(serializers.Serializer[Any]):
    """A member: awarded - used - returned - lapsed + corrected = left."""

    object = serializers.CharField(default="partner_member_numbers", read_only=True)
    id = serializers.CharField(source="public_id")
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    status = serializers.CharField()
    group = serializers.CharField(source="group.public_id", default=None, allow_null=True)
    awarded = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    left = serializers.IntegerField()
    expiring = serializers.IntegerField(help_text="Of what is left: ends within 30 days.")
    next_expires_at = serializers.DateTimeField(allow_null=True)
    last_used_on = serializers.DateField(
        allow_null=True, help_text="The day, in the time zone of the organization."
    )


class PoolLineOut(serializers.Serializer[Any]):
    """opening + bought - awarded - used + returned - lapsed + corrected = closing."""

    opening = serializers.IntegerField()
    bought = serializers.IntegerField()
    awarded = serializers.IntegerField()
    used = serializers.IntegerField(help_text="By the organization itself.")
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    closing = serializers.IntegerField()


class MemberLineOut(serializers.Serializer[Any]):
    """opening + awarded - used - returned - lapsed + corrected = closing."""

    opening = serializers.IntegerField()
    awarded = serializers.IntegerField()
    used = serializers.IntegerField()
    returned = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    corrected = serializers.IntegerField()
    closing = serializers.IntegerField()


class ProgrammeStatementOut(serializers.Serializer[Any]):
    """A month of a programme."""

    object = serializers.CharField(default="programme_statement", read_only=True)
    partner = serializers.CharField(source="partner.public_id")
    first_day = serializers.DateField(source="month")
    last_day = serializers.DateField()
    time_zone = serializers.CharField(source="partner.organization.time_zone")
    pool = PoolLineOut()
    members = MemberLineOut()
    member_count = serializers.IntegerField(
        source="count", help_text="Members that had or moved something."
    )


class MemberMovementOut(serializers.Serializer[Any]):
    """One movement of a member's credits."""

    created_at = serializers.DateTimeField()
    what = serializers.CharField()
    credits = serializers.IntegerField(help_text="Signed.")
    balance_after = serializers.IntegerField()
    description = serializers.CharField()
    reference = serializers.CharField()


class MemberStatementOut(serializers.Serializer[Any]):
    """A month of a member."""

    object = serializers.CharField(default="member_statement", read_only=True)
    member = serializers.CharField(source="statement.member.public_id")
    email = serializers.CharField(source="statement.member.email")
    first_day = serializers.DateField(source="statement.month")
    last_day = serializers.DateField(source="statement.last_day")
    time_zone = serializers.CharField(source="organization.time_zone")
    sums = MemberLineOut(source="statement.line")
    shows_history = serializers.BooleanField(
        source="statement.shows_history", help_text="Whether the terms show single movements."
    )
    movements = MemberMovementOut(many=True, help_text="The first 100; the CSV has them all.")
    has_more = serializers.BooleanField()
