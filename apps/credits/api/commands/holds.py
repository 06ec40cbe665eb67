"""Set credits aside, and settle what was set aside."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import LimitParameter, paginated, validated
from apps.core.idempotency import Answer
from apps.credits import selectors
from apps.credits.api.commands.shapes import (
    Credits,
    ModeIn,
    PricedIn,
    mode_of,
    post_once,
    posting,
    reference_of,
)
from apps.credits.models import Hold
from apps.credits.services import holds
from apps.rbac.api.base import TenantAPIView

SOURCE = "api"
SECONDS_OF_A_DAY = 86_400


class Seconds(serializers.IntegerField):
    """How long a hold lives: from a second to a day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=SECONDS_OF_A_DAY, **kwargs)


class HoldIn(PricedIn):
    """What to set aside, for how long, and what happens if more is captured."""

    ttl_seconds = Seconds(default=900)
    policy = serializers.ChoiceField(choices=Hold.Policy.choices, default=Hold.Policy.REJECT)


class CaptureIn(ModeIn):
    """How much of a hold was used: credits, or units of its event at its price."""

    amount = Credits(required=False)
    quantity = serializers.IntegerField(min_value=1, max_value=10**9, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that there is one measure, and only one."""
        if ("amount" in attrs) == ("quantity" in attrs):
            raise serializers.ValidationError("Give either an amount or a quantity.")
        return attrs


class ReleaseIn(ModeIn):
    """Nothing is needed to give a hold back."""


class RenewIn(serializers.Serializer[Any]):
    """How long a hold shall live from now on."""

    ttl_seconds = Seconds()


class HoldOut(serializers.ModelSerializer[Hold]):
    """Credits set aside."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="hold", read_only=True)
    reference = serializers.SerializerMethodField()
    event = serializers.CharField(source="credit_event.name", default=None, allow_null=True)

    class Meta:
        model = Hold
        fields = [
            "id",
            "object",
            "reference",
            "amount",
            "captured",
            "status",
            "policy",
            "event",
            "expires_at",
            "created_at",
        ]

    def get_reference(self, hold: Hold) -> str:
        """Return the integrator's own name for the cause."""
        return hold.reference.removeprefix("api:")


class HoldParameters(LimitParameter):
    """Which holds to list."""

    status = serializers.ChoiceField(choices=Hold.Status.choices, required=False)


class HoldView(TenantAPIView):
    """A view of one hold of the organization's wallet."""

    def find(self, hold_id: str) -> Hold:
        """
        Return the hold.

        :raises NotFound: if the organization has none with this id.
        """
        found: Hold = self.get_object(selectors.holds_of(self.wallet()), hold_id)
        return found

    def find_own(self, hold_id: str) -> Hold:
        """
        Return the hold, if it was placed here: one of a job is settled by its job alone.

        :raises NotFound: if the organization has placed none with this id.
        """
        own = selectors.holds_of(self.wallet()).filter(reference__startswith="api:")
        found: Hold = self.get_object(own, hold_id)
        return found

    def wallet(self) -> Any:
        """Return the organization's main wallet."""
        return selectors.main_wallet(self.organization)

    def answer(self, hold: Hold, status: int = 200) -> Answer:
        """Return the hold as it is now."""
        hold.refresh_from_db()
        return Answer(status, dict(HoldOut(hold).data))


class Holds(HoldView):
    """The organization's holds."""

    permissions = {"GET": "credits.view", "POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="holds_list",
        tags=["credits"],
        parameters=[OpenApiParameter("status", enum=Hold.Status.values)],
        responses=HoldOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return holds, newest first."""
        found = selectors.holds_of(self.wallet())
        if status := validated(HoldParameters, request.query_params).get("status"):
            found = found.filter(status=status)
        return paginated(request, found, HoldOut, parameters=frozenset({"status"}))

    @extend_schema(
        operation_id="holds_create", tags=["credits"], request=HoldIn, responses={201: HoldOut}
    )
    def post(self, request: Request) -> Response:
        """Set aside an event's cost, or an amount; the same key never holds twice."""
        fields = validated(HoldIn, request.data)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.place(request, fields),
        )

    def place(self, request: Request, fields: dict[str, Any]) -> Answer:
        """Place the hold, and say where it is."""
        wallet, reference = self.wallet(), reference_of(request, fields, self.principal)
        cause: dict[str, Any] = {
            "wallet": wallet,
            "reference": reference,
            "source": SOURCE,
            "source_id": fields.get("reference", ""),
            "ttl": timedelta(seconds=fields["ttl_seconds"]),
            "policy": Hold.Policy(fields["policy"]),
            "metadata": fields["metadata"],
            "mode": mode_of(fields),
        }
        if fields["description"]:
            cause["description"] = fields["description"]
        if "event" in fields:
            quantity = fields.get("quantity", 1)
            outcome = holds.hold_for_event(event=fields["event"], quantity=quantity, **cause)
        else:
            outcome = holds.hold_amount(amount=fields["amount"], **cause)
        if fields["dry_run"]:
            return Answer(200, posting(outcome, reference=fields.get("reference", "")))
        answer = self.answer(selectors.holds_of(wallet).get(reference=reference), 201)
        answer.headers["Location"] = str(reverse("api:credits:hold", args=[answer.body["id"]]))
        return answer


class OneHold(HoldView):
    """One hold."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="holds_retrieve", tags=["credits"], responses=HoldOut)
    def get(self, request: Request, hold_id: str) -> Response:
        """Return one hold."""
        return Response(HoldOut(self.find(hold_id)).data)


class Capture(HoldView):
    """How a hold is paid."""

    permissions = {"POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="holds_capture", tags=["credits"], request=CaptureIn, responses=HoldOut
    )
    def post(self, request: Request, hold_id: str) -> Response:
        """Keep what was used, and give back the rest; once."""
        fields = validated(CaptureIn, request.data)
        hold = self.find_own(hold_id)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.capture(hold, fields),
        )

    def capture(self, hold: Hold, fields: dict[str, Any]) -> Answer:
        """Capture an amount, or so many units at the price of the hold."""
        outcome = holds.capture_hold(
            hold=hold,
            amount=fields.get("amount") or selectors.cost_at_hold(hold, fields["quantity"]),
            source=SOURCE,
            description=fields["description"],
            mode=mode_of(fields),
        )
        if fields["dry_run"]:
            return Answer(200, posting(outcome, reference=hold.reference.removeprefix("api:")))
        return self.answer(hold)


class Release(HoldView):
    """How a hold is given up."""

    permissions = {"POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="holds_release", tags=["credits"], request=ReleaseIn, responses=HoldOut
    )
    def post(self, request: Request, hold_id: str) -> Response:
        """Give all of it back; twice is no more than once."""
        fields = validated(ReleaseIn, request.data)
        hold = self.find_own(hold_id)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.release(hold, fields),
        )

    def release(self, hold: Hold, fields: dict[str, Any]) -> Answer:
        """Release it."""
        outcome = holds.release_hold(
            hold=hold, source=SOURCE, description=fields["description"], mode=mode_of(fields)
        )
        if fields["dry_run"]:
            return Answer(200, posting(outcome, reference=hold.reference.removeprefix("api:")))
        return self.answer(hold)


class Renew(HoldView):
    """How a hold lives longer."""

    permissions = {"POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(operation_id="holds_renew", tags=["credits"], request=RenewIn, responses=HoldOut)
    def post(self, request: Request, hold_id: str) -> Response:
        """Let it live for so many seconds from now, if that is longer; its price stays."""
        fields = validated(RenewIn, request.data)
        hold = self.find_own(hold_id)

        def renew() -> Answer:
            ttl = timedelta(seconds=fields["ttl_seconds"])
            holds.renew_hold(hold=hold, ttl=ttl, source=SOURCE)
            return self.answer(hold)

        return post_once(request, fields={"dry_run": False}, principal=self.principal, effect=renew)
