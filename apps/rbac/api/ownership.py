"""The API of ownership: offer the organization to another member, and answer an offer."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.organizations import signed_in_person
from apps.rbac.errors import NotAMember
from apps.rbac.models import OwnershipTransfer
from apps.rbac.services import ownership
from apps.tenants.models import User


class OwnershipOfferIn(serializers.Serializer[Any]):
    """To whom the organization is offered."""

    to = serializers.CharField(help_text="usr_… of another member")


class OwnershipTransferOut(serializers.Serializer[Any]):
    """An offer to hand the organization over."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="ownership_transfer")
    from_user = serializers.CharField(source="from_user.public_id")
    to_user = serializers.CharField(source="to_user.public_id")
    status = serializers.ChoiceField(choices=OwnershipTransfer.Status.choices)
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class Transfers(TenantAPIView):
    """The organization's offers of ownership."""

    permissions = {"GET": "organization.view", "POST": "organization.close"}
    confirmed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="transfers_list",
        tags=["organization"],
        responses=OwnershipTransferOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the offers, newest first."""
        return paginated(request, selectors.transfers_of(self.organization), OwnershipTransferOut)

    @extend_schema(
        operation_id="transfers_create",
        tags=["organization"],
        request=OwnershipOfferIn,
        responses={201: OwnershipTransferOut},
    )
    def post(self, request: Request) -> Response:
        """Offer the organization to another member. For owners, signed in."""
        user_id = User.read_id(validated(OwnershipOfferIn, request.data)["to"])
        members = selectors.members_of(self.organization)
        to_user = members.filter(pk=user_id).first() if user_id else None
        if to_user is None:
            raise NotAMember(field="to")
        transfer = ownership.request_transfer(
            organization=self.organization, from_user=self.user, to_user=to_user
        )
        return Response(OwnershipTransferOut(transfer).data, status=201)


class Transfer(TenantAPIView):
    """One offer."""

    permissions = {"GET": "organization.view"}

    @extend_schema(
        operation_id="transfers_retrieve", tags=["organization"], responses=OwnershipTransferOut
    )
    def get(self, request: Request, transfer_id: str) -> Response:
        """Return one offer."""
        found = self.get_object(selectors.transfers_of(self.organization), transfer_id)
        return Response(OwnershipTransferOut(found).data)


class EndedTransfer(TenantAPIView):
    """The end of an offer, by the one who may bring it about. For people, not for keys."""

    permissions = {"POST": "organization.view"}
    end: Callable[..., OwnershipTransfer]

    def answer(self, request: Request, transfer_id: str) -> Response:
        """
        End the offer; the service says whether this person may.

        :raises PersonRequired: if a key asks for it.
        """
        user = signed_in_person(request, self.permissions["POST"])
        transfer = self.get_object(selectors.transfers_of(self.organization), transfer_id)
        is_party = user in (transfer.from_user, transfer.to_user)
        if not is_party and not user.has_perm("organization.close", self.organization):
            raise NotFound
        return Response(OwnershipTransferOut(type(self).end(transfer=transfer, user=user)).data)


class AcceptedTransfer(EndedTransfer):
    """An offer that is accepted."""

    confirmed_methods = frozenset({"POST"})
    end = ownership.accept_transfer

    @extend_schema(
        operation_id="transfers_accept",
        tags=["organization"],
        request=None,
        responses=OwnershipTransferOut,
    )
    def post(self, request: Request, transfer_id: str) -> Response:
        """Become the owner. For the one to whom it is offered."""
        return self.answer(request, transfer_id)


class DeclinedTransfer(EndedTransfer):
    """An offer that is declined."""

    end = ownership.decline_transfer

    @extend_schema(
        operation_id="transfers_decline",
        tags=["organization"],
        request=None,
        responses=OwnershipTransferOut,
    )
    def post(self, request: Request, transfer_id: str) -> Response:
        """Decline the offer. For the one to whom it is made."""
        return self.answer(request, transfer_id)


class WithdrawnTransfer(EndedTransfer):
    """An offer that is taken back."""

    permissions = {"POST": "organization.close"}
    end = ownership.withdraw_transfer

    @extend_schema(
        operation_id="transfers_withdraw",
        tags=["organization"],
        request=None,
        responses=OwnershipTransferOut,
    )
    def post(self, request: Request, transfer_id: str) -> Response:
        """Take the offer back. For owners."""
        return self.answer(request, transfer_id)


class SteppingDown(TenantAPIView):
    """The end of one's own ownership. For people, not for keys."""

    permissions = {"POST": "organization.close"}

    @extend_schema(
        operation_id="organization_step_down",
        tags=["organization"],
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Become admin, where another owner remains."""
        ownership.step_down(organization=self.organization, user=self.user)
        return Response(status=204)
