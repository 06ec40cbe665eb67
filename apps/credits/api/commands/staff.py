"""What staff do to wallets by API: corrections, decisions on them, status, credit line."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import LimitParameter, paginated, run_once, validated
from apps.core.errors import NotFound
from apps.core.idempotency import Answer
from apps.credits import selectors
from apps.credits.api.commands.shapes import Credits, PostingOut, posting
from apps.credits.api.commands.wallets import WalletOut
from apps.credits.models import Correction, Lot, Wallet
from apps.credits.services import corrections, wallets
from apps.credits.services.correction_terms import Terms
from apps.rbac.api.staff import StaffAPIView


class CorrectionIn(serializers.Serializer[Any]):
    """What to change, and why."""

    wallet = serializers.CharField(help_text="wal_…")
    action = serializers.ChoiceField(choices=Correction.Action.choices)
    amount = Credits(required=False)
    kind = serializers.ChoiceField(
        choices=[one for one in Lot.Kind.choices if one[0] != Lot.Kind.DEBT],
        default=Lot.Kind.ADJUSTMENT,
    )
    lot = serializers.CharField(required=False, help_text="lot_…, to void it or change its expiry.")
    effective_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    priority = serializers.IntegerField(required=False, min_value=0, max_value=1000)
    unit_cost = serializers.DecimalField(18, 6, required=False, default=Decimal(0), min_value=0)
    currency = serializers.RegexField(r"^([a-z]{3})?$", required=False, default="")
    reason = serializers.ChoiceField(choices=Correction.Reason.choices)
    note = serializers.CharField(max_length=2000, required=False, default="")
    ticket = serializers.CharField(max_length=200, required=False, default="")
    dry_run = serializers.BooleanField(default=False)
    preview_token = serializers.CharField(max_length=64, required=False, default="")


class CorrectionOut(serializers.ModelSerializer[Correction]):
    """A change by staff."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="correction", read_only=True)
    wallet = serializers.CharField(source="wallet.public_id")
    requested_by = serializers.CharField(source="requested_by.public_id")
    decided_by = serializers.CharField(source="decided_by.public_id", default=None, allow_null=True)

    class Meta:
        model = Correction
        fields = [
            "id",
            "object",
            "wallet",
            "action",
            "amount",
            "status",
            "reason",
            "note",
            "ticket",
            "reference",
            "requested_by",
            "needs_second_person",
            "decided_by",
            "decided_at",
            "comment",
            "expires_at",
            "created_at",
        ]


class CorrectionParameters(LimitParameter):
    """Which corrections to list."""

    status = serializers.ChoiceField(choices=Correction.Status.choices, required=False)


class DecisionIn(serializers.Serializer[Any]):
    """What the one who decides has to say."""

    comment = serializers.CharField(max_length=2000, required=False, default="")


class StatusIn(serializers.Serializer[Any]):
    """What the wallet may do from now on; what is left out stays."""

    is_frozen = serializers.BooleanField(required=False, allow_null=True, default=None)
    is_closed = serializers.BooleanField(required=False, allow_null=True, default=None)
    credit_line = serializers.IntegerField(required=False, min_value=0, max_value=10**15)
    reason = serializers.CharField(max_length=500)


def find_wallet(wallet_id: str) -> Wallet:
    """
    Return the wallet of whatever organization.

    :raises NotFound: if there is none with this id.
    """
    row_id = Wallet.read_id(wallet_id)
    found = Wallet.objects.filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found


class CorrectionView(StaffAPIView):
    """A view of corrections."""

    def answer(self, correction: Correction, status: int = 200) -> Answer:
        """Return the correction as it is now, and where it is."""
        location = reverse("api:credits:correction", args=[correction.public_id])
        return Answer(status, dict(CorrectionOut(correction).data), {"Location": str(location)})

    def find(self, correction_id: str) -> Correction:
        """
        Return the correction.

        :raises NotFound: if there is none with this id.
        """
        row_id = Correction.read_id(correction_id)
        found = selectors.corrections().filter(pk=row_id).first() if row_id else None
        if found is None:
            raise NotFound
        return found


class Corrections(CorrectionView):
    """Changes by staff."""

    permissions = {"GET": "credits.adjust", "POST": "credits.adjust"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="corrections_list",
        tags=["staff"],
        parameters=[OpenApiParameter("status", enum=Correction.Status.values)],
        responses=CorrectionOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return corrections of all organizations, newest first."""
        found = selectors.corrections()
        if status := validated(CorrectionParameters, request.query_params).get("status"):
            found = found.filter(status=status)
        return paginated(request, found, CorrectionOut, parameters=frozenset({"status"}))

    @extend_schema(
        operation_id="corrections_create",
        tags=["staff"],
        request=CorrectionIn,
        responses={201: CorrectionOut, 200: PostingOut},
    )
    def post(self, request: Request) -> Response:
        """Correct a wallet, or ask a second person to agree; dry, show what would be posted."""
        fields = validated(CorrectionIn, request.data)
        wallet, terms = find_wallet(fields["wallet"]), self.terms(fields)
        action = Correction.Action(fields["action"])
        if fields["dry_run"]:
            shown = corrections.preview_correction(wallet=wallet, action=action, terms=terms)
            return Response(posting(shown.outcome, reference=""))

        def correct() -> Answer:
            correction = corrections.request_correction(
                wallet=wallet,
                action=action,
                terms=terms,
                why=corrections.Why(
                    Correction.Reason(fields["reason"]), fields["note"], fields["ticket"]
                ),
                user=self.user,
                preview_token=fields["preview_token"],
            )
            return self.answer(correction, 201)

        return run_once(request, principal=self.principal, effect=correct)

    def terms(self, fields: dict[str, Any]) -> Terms:
        """
        Return the terms of the action.

        :raises NotFound: if the lot's id is none.
        """
        lot_id = Lot.read_id(fields["lot"]) if "lot" in fields else None
        if "lot" in fields and lot_id is None:
            raise NotFound
        return Terms(
            amount=fields.get("amount"),
            kind=fields["kind"],
            effective_at=fields["effective_at"],
            expires_at=fields["expires_at"],
            priority=fields.get("priority"),
            unit_cost=fields["unit_cost"],
            currency=fields["currency"],
            lot_id=lot_id,
        )


class OneCorrection(CorrectionView):
    """One change by staff."""

    permissions = {"GET": "credits.adjust"}

    @extend_schema(operation_id="corrections_retrieve", tags=["staff"], responses=CorrectionOut)
    def get(self, request: Request, correction_id: str) -> Response:
        """Return one correction."""
        return Response(CorrectionOut(self.find(correction_id)).data)


class Decision(CorrectionView):
    """How a correction is decided, by somebody else than who asked."""

    permissions = {"POST": "credits.approve"}
    keyed_methods = frozenset({"POST"})

    def decide(
        self, request: Request, correction_id: str, decision: Callable[..., Correction]
    ) -> Response:
        """Carry out one of the two decisions, once for its key."""
        fields = validated(DecisionIn, request.data)
        correction = self.find(correction_id)
        return run_once(
            request,
            principal=self.principal,
            effect=lambda: self.answer(
                decision(correction=correction, user=self.user, comment=fields["comment"])
            ),
        )


class Approve(Decision):
    """Agree with a correction."""

    @extend_schema(
        operation_id="corrections_approve",
        tags=["staff"],
        request=DecisionIn,
        responses=CorrectionOut,
    )
    def post(self, request: Request, correction_id: str) -> Response:
        """Post the correction on the wallet as it is now."""
        return self.decide(request, correction_id, corrections.approve_correction)


class Reject(Decision):
    """Disagree with a correction."""

    @extend_schema(
        operation_id="corrections_reject",
        tags=["staff"],
        request=DecisionIn,
        responses=CorrectionOut,
    )
    def post(self, request: Request, correction_id: str) -> Response:
        """Refuse the correction; nothing is posted."""
        return self.decide(request, correction_id, corrections.reject_correction)


class WalletStatus(StaffAPIView):
    """Freeze, close, and how much may be owed."""

    permissions = {"GET": "credits.adjust", "PATCH": "credits.adjust"}

    @extend_schema(operation_id="wallet_status_retrieve", tags=["staff"], responses=WalletOut)
    def get(self, request: Request, wallet_id: str) -> Response:
        """Return the wallet."""
        return Response(WalletOut(find_wallet(wallet_id)).data)

    @extend_schema(
        operation_id="wallet_status_update", tags=["staff"], request=StatusIn, responses=WalletOut
    )
    def patch(self, request: Request, wallet_id: str) -> Response:
        """Change what the wallet may do; done twice, it is done once."""
        fields = validated(StatusIn, request.data)
        wallet = find_wallet(wallet_id)
        wallets.change_terms(
            wallet=wallet,
            reason=fields["reason"],
            is_frozen=fields["is_frozen"],
            is_closed=fields["is_closed"],
            credit_line=fields.get("credit_line"),
        )
        wallet.refresh_from_db()
        return Response(WalletOut(wallet).data)
