"""A member's own credits: what he has, what became of it, and asking for more."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import check_parameters, paginated, run_once, validated
from apps.core.exports import stream_csv
from apps.core.idempotency import Answer
from apps.credits import selectors as ledger
from apps.partners.api.asking_serializers import CreditRequestOut, OwnCreditsOut, RequestIn
from apps.partners.models import PartnerMember
from apps.partners.selectors.own import own_lots, own_membership
from apps.partners.selectors.requests import own_request, own_requests
from apps.partners.services import requests
from apps.rbac.api.base import TenantAPIView

VIEW, ASK = "credits.view_own", "jobs.submit"  # who spends credits may ask for more


class OwnView(TenantAPIView):
    """A view of what is the caller's own in the organization's programme."""

    def member(self) -> PartnerMember:
        """
        Return who the caller is in the programme; of a key, who made it.

        :raises NotAMember: if he is nobody there.
        """
        return own_membership(self.organization, self.user)


class OwnCredits(OwnView):
    """The member's balance and lots."""

    permissions = {"GET": VIEW}

    @extend_schema(operation_id="own_credits_retrieve", tags=["member"], responses=OwnCreditsOut)
    def get(self, request: Request) -> Response:
        """Return what the caller has from the programme, who gave it, and when it ends."""
        check_parameters(request, frozenset())
        member = self.member()
        found = {
            "member": member,
            "balance": ledger.balance_of(member.wallet),
            "lots": own_lots(member),
        }
        return Response(OwnCreditsOut(found).data)


class OwnTransactionsCsv(OwnView):
    """Every movement in the member's wallet, as a file; `credits/own/transactions` lists them."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="own_transactions_export",
        tags=["member"],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return a row for each movement, newest first."""
        check_parameters(request, frozenset())
        return stream_csv(
            filename="my-credits.csv",
            columns=ledger.TRANSACTION_COLUMNS,
            rows=ledger.transaction_rows(ledger.transactions_of(self.member().wallet)),
        )


class OwnRequests(OwnView):
    """What the member asked for."""

    permissions = {"GET": VIEW, "POST": ASK}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="own_requests_list", tags=["member"], responses=CreditRequestOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return the caller's requests, newest first."""
        return paginated(request, own_requests(self.member()), CreditRequestOut)

    @extend_schema(
        operation_id="own_requests_create",
        tags=["member"],
        request=RequestIn,
        responses={201: CreditRequestOut},
    )
    def post(self, request: Request) -> Response:
        """Ask the programme for more credits; one request waits at a time."""
        fields = validated(RequestIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.ask(fields))

    def ask(self, fields: dict[str, Any]) -> Answer:
        """Write the request down."""
        made = requests.request_credits(member=self.member(), **fields)
        return Answer(201, dict(CreditRequestOut(made).data))


class WithdrawRequest(OwnView):
    """The end of a request that nobody has answered."""

    permissions = {"POST": ASK}

    @extend_schema(
        operation_id="own_requests_withdraw",
        tags=["member"],
        request=None,
        responses=CreditRequestOut,
    )
    def post(self, request: Request, request_id: str) -> Response:
        """Take it back; withdrawn twice is withdrawn once."""
        found = own_request(self.organization, self.user, request_id)
        return Response(CreditRequestOut(requests.withdraw_request(request=found)).data)
