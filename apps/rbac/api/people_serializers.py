"""What the API takes and gives of members and invitations."""

from typing import Any

from rest_framework import serializers

from apps.rbac.models import Invitation
from apps.rbac.services.invitations import MOST_AT_ONCE, Row

MOST_ROLES = 20  # of one member, at once
LONGEST_PASTED = 320  # characters of what should be one address


class MemberOut(serializers.Serializer[Any]):
    """A person who belongs to the organization."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="member")
    email = serializers.CharField()
    full_name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField(), source="role_names")
    active = serializers.BooleanField(source="is_active")
    joined_at = serializers.DateTimeField()
    last_active_at = serializers.DateTimeField(allow_null=True)


class MemberFilter(serializers.Serializer[Any]):
    """Which members are listed."""

    search = serializers.CharField(required=False, max_length=100)
    role = serializers.CharField(required=False, max_length=50)
    active = serializers.BooleanField(required=False, allow_null=True, default=None)


class MemberIn(serializers.Serializer[Any]):
    """What can be changed of a member: his one role, or all his roles, by name or id."""

    role = serializers.CharField(max_length=50, required=False)
    roles = serializers.ListField(
        child=serializers.CharField(max_length=50),
        required=False,
        allow_empty=False,
        max_length=MOST_ROLES,
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two; `role` is a short way to write `roles`."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Send either role or roles.", "role_or_roles")
        roles = attrs.get("roles", [attrs.get("role")])
        return {"roles": list(dict.fromkeys(roles))}


class InvitationOut(serializers.Serializer[Any]):
    """An invitation. Its link is told to nobody but the invited mailbox."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="invitation")
    email = serializers.CharField()
    role = serializers.CharField(source="role_name", help_text="Empty once it is deleted.")
    status = serializers.ChoiceField(choices=Invitation.Status.choices, source="state")
    invited_by = serializers.CharField(source="invited_by.public_id", default=None)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    resends = serializers.IntegerField()
    ended_at = serializers.DateTimeField(allow_null=True)


class InvitationFilter(serializers.Serializer[Any]):
    """Which invitations are listed."""

    status = serializers.ChoiceField(choices=Invitation.Status.choices, required=False)


class InvitationIn(serializers.Serializer[Any]):
    """A new invitation; the role by its name or id."""

    email = serializers.CharField(max_length=LONGEST_PASTED)
    role = serializers.CharField(max_length=50)


class InvitationsIn(serializers.Serializer[Any]):
    """Several new invitations to one role."""

    emails = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PASTED, allow_blank=True),
        min_length=1,
        max_length=MOST_AT_ONCE,
    )
    role = serializers.CharField(max_length=50)


class RowErrorOut(serializers.Serializer[Any]):
    """Why one address was not invited."""

    code = serializers.CharField()
    detail = serializers.CharField()


class RowOut(serializers.Serializer[Any]):
    """What became of one address: an invitation, or an error."""

    row = serializers.IntegerField()
    email = serializers.CharField()
    invitation = InvitationOut(allow_null=True)
    error = RowErrorOut(allow_null=True)


class InvitedOut(serializers.Serializer[Any]):
    """What became of each address of a list."""

    object = serializers.CharField(default="invitation_batch")
    invited = serializers.IntegerField()
    failed = serializers.IntegerField()
    rows = RowOut(many=True)


class TokenIn(serializers.Serializer[Any]):
    """The secret of a link, as the mail has it: cof_invite_…."""

    token = serializers.CharField(max_length=100)


class AcceptedOut(serializers.Serializer[Any]):
    """The organization that one belongs to now."""

    object = serializers.CharField(default="membership")
    organization_id = serializers.CharField(source="organization.public_id")
    organization_slug = serializers.CharField(source="organization.slug")
    role = serializers.CharField(source="role_name", help_text="Empty once it is deleted.")


def row_line(row: Row) -> dict[str, Any]:
    """Return one row of a batch as RowOut writes it."""
    error = {"code": row.error.code, "detail": str(row.error)} if row.error else None
    return {"row": row.number, "email": row.email, "invitation": row.invitation, "error": error}
