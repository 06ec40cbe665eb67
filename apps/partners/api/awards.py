"""The API of awards: hand credits on, and what becomes of them."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core import ids
from apps.core.api import (
    LimitParameter,
    check_parameters,
    paginated,
    run_once,
    validated,
    validated_query,
)
from apps.core.errors import NotFound
from apps.core.exports import stream_csv
from apps.core.idempotency import Answer
from apps.partners import selectors
from apps.partners.api.award_serializers import (
    AwardFilterIn,
    AwardIn,
    AwardOut,
    ExtendIn,
)
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.serializers import ProgrammeReasonIn
from apps.partners.models import Campaign, PartnerCredit, PartnerMember
from apps.partners.selectors import AwardFilter
from apps.partners.selectors.awards import COLUMNS
from apps.partners.selectors.campaigns import campaign_of
from apps.partners.services import awards, claims, settling
from apps.partners.services.awards import AwardRequest

VIEW, MANAGE = "partners.view", "partners.manage"
FILTERS = frozenset(AwardFilterIn().fields)


class AwardView(ProgrammeAPIView):
    """What views of awards share."""

    def shown(self, award: PartnerCredit) -> dict[str, Any]:
        """Return an award as it stands now."""
        return dict(AwardOut(selectors.award_of(self.partner, award.public_id)).data)

    def filter_of(self, asked: dict[str, Any]) -> AwardFilter:
        """Return which awards are asked for."""
        return AwardFilter(
            email=asked.get("email", ""),
            text=asked.get("search", ""),
            status=asked.get("status", ""),
            source=asked.get("source", ""),
            campaign=_read_id(Campaign, asked.get("campaign")),
            member=_read_id(PartnerMember, asked.get("member")),
            since=asked.get("since"),
            until=asked.get("until"),
        )


class AssignCredits(AwardView):
    """The award of credits to a member."""

    permissions = {"POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_assign_credits",
        tags=["partner"],
        request=AwardIn,
        responses={201: AwardOut},
    )
    def post(self, request: Request) -> Response:
        """Award credits of the pool to a member; the same key never awards twice."""
        fields = validated(AwardIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.assign(fields))

    def assign(self, fields: dict[str, Any]) -> Answer:
        """Award, and say where the award is."""
        member = selectors.receiver_of(self.partner, fields.pop("member"))
        campaign = fields.pop("campaign", None)
        asked = AwardRequest(
            member=member,
            key=f"api:{ids.new_id()}",  # the request's own key stands before it
            campaign=campaign_of(self.partner, campaign) if campaign else None,
            **fields,
        )
        made = awards.award(partner=self.partner, request=asked, by=self.user).award
        location = reverse("api:partners:award", args=[made.public_id])
        return Answer(201, self.shown(made), {"Location": location})


class Awards(AwardView):
    """The programme's awards."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_awards_list",
        tags=["partner"],
        parameters=[AwardFilterIn, LimitParameter],
        responses=AwardOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return awards with how they stand, newest first."""
        check_parameters(request, FILTERS | {"limit", "cursor"})
        asked = validated(AwardFilterIn, request.query_params)
        rows = selectors.awards_of(self.partner, self.filter_of(asked))
        return paginated(request, rows, AwardOut, parameters=FILTERS)


class AwardsCsv(AwardView):
    """The awards as a file."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_awards_export",
        tags=["partner"],
        parameters=[AwardFilterIn],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Return awards with how they stand, newest first, as CSV."""
        asked = validated_query(AwardFilterIn, request)
        rows = selectors.awards_of(self.partner, self.filter_of(asked))
        return stream_csv(
            filename="programme-awards.csv", columns=COLUMNS, rows=selectors.award_rows(rows)
        )


class Award(AwardView):
    """One award."""

    permissions = {"GET": VIEW}

    @extend_schema(operation_id="partner_awards_retrieve", tags=["partner"], responses=AwardOut)
    def get(self, request: Request, award_id: str) -> Response:
        """Return one award as it stands; `left` is what its revocation would take back now."""
        return Response(AwardOut(selectors.award_of(self.partner, award_id)).data)


class RevokeAward(AwardView):
    """The end of an award before its date."""

    permissions = {"POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_awards_revoke",
        tags=["partner"],
        request=ProgrammeReasonIn,
        responses=AwardOut,
    )
    def post(self, request: Request, award_id: str) -> Response:
        """Take back what is not used: it returns or lapses by the terms; used stays used."""
        fields = validated(ProgrammeReasonIn, request.data)
        award = selectors.award_of(self.partner, award_id)

        def effect() -> Answer:
            settling.revoke(award=award, **fields)
            return Answer(200, self.shown(award))

        return run_once(request, principal=self.principal, effect=effect, is_repeatable=True)


class ExtendAward(AwardView):
    """A later end of an award."""

    permissions = {"POST": MANAGE}

    @extend_schema(
        operation_id="partner_awards_extend", tags=["partner"], request=ExtendIn, responses=AwardOut
    )
    def post(self, request: Request, award_id: str) -> Response:
        """Let what is left last longer, or let an offer be claimed for longer."""
        fields = validated(ExtendIn, request.data)
        award = selectors.award_of(self.partner, award_id)
        return Response(self.shown(claims.extend(award=award, **fields)))


def _read_id(model: type[Campaign | PartnerMember], text: str | None) -> UUID | None:
    """
    Return the row id of a filter.

    :raises NotFound: if it is no id of such an object.
    """
    if not text:
        return None
    found = model.read_id(text)
    if found is None:
        raise NotFound
    return found
