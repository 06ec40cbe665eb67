"""Read and set automatic reload, let it go on, and see what it would have done."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.errors import ReloadNotOffered
from apps.billing.models import AutoReload
from apps.billing.selectors.offers import LARGEST
from apps.billing.selectors.reload_simulation import simulate
from apps.billing.selectors.reloads import (
    Facts,
    Why,
    card_name,
    card_of,
    reload_of,
    reload_terms,
    why_not,
)
from apps.billing.services import reload_outcomes, reload_settings
from apps.core.api import run_once, validated
from apps.core.errors import NotFound
from apps.core.idempotency import Answer
from apps.rbac.api.base import TenantAPIView
from apps.tenants.models import Organization


class AutoReloadIn(serializers.Serializer[Any]):
    """What automatic reload is to be like."""

    is_enabled = serializers.BooleanField()
    threshold = serializers.IntegerField(min_value=1, max_value=LARGEST, help_text="Credits.")
    mode = serializers.ChoiceField(choices=AutoReload.Mode.choices, default="fixed")
    amount = serializers.IntegerField(
        min_value=10,
        max_value=LARGEST,
        help_text="Credits: what is bought each time, or what the balance is filled up to.",
    )
    monthly_cap = serializers.IntegerField(
        min_value=1, default=None, allow_null=True, help_text="Minor units; null: no limit."
    )
    has_agreed = serializers.BooleanField(
        default=False,
        help_text="You agree to what is charged. Without it a refusal (422) tells the words.",
    )


class AutoReloadOut(serializers.Serializer[Any]):
    """What is set, and how it stands."""

    object = serializers.CharField(default="auto_reload")
    is_enabled = serializers.BooleanField()
    threshold = serializers.IntegerField()
    mode = serializers.ChoiceField(choices=AutoReload.Mode.choices)
    amount = serializers.IntegerField()
    monthly_cap = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    state = serializers.ChoiceField(choices=AutoReload.State.choices)
    reason = serializers.CharField(help_text="Why it is paused or suspended; else empty.")
    blocked_by = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Why],
        help_text="What keeps it from charging now; empty: it charges.",
    )
    consecutive_failures = serializers.IntegerField()
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    back_off_until = serializers.DateTimeField(allow_null=True)
    consent_text = serializers.CharField()
    consented_at = serializers.DateTimeField(allow_null=True)
    card = serializers.CharField(help_text="Brand and last four digits; empty without a card.")


class ChargeOut(serializers.Serializer[Any]):
    """A charge that there would have been."""

    at = serializers.DateTimeField()
    balance = serializers.IntegerField(help_text="Credits, right before.")
    credits = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Minor units.")


class SimulationOut(serializers.Serializer[Any]):
    """What would have happened in the last 30 days, with the settings of now."""

    object = serializers.CharField(default="auto_reload_simulation")
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    charges = ChargeOut(many=True)
    credits = serializers.IntegerField()
    amount = serializers.IntegerField(help_text="Minor units.")
    currency = serializers.CharField()
    lowest = serializers.IntegerField(allow_null=True, help_text="Credits.")
    refused_by_cap = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text="Only the newest movements were looked at.")


class AutoReloads(TenantAPIView):
    """The organization's automatic reload."""

    permissions = {"GET": "billing.view", "PUT": "billing.manage"}

    @extend_schema(operation_id="auto_reload_retrieve", tags=["billing"], responses=AutoReloadOut)
    def get(self, request: Request) -> Response:
        """Return what is set and how it stands; 404 where nobody has set it yet."""
        return Response(answer_for(self.organization))

    @extend_schema(
        operation_id="auto_reload_update",
        tags=["billing"],
        request=AutoReloadIn,
        responses=AutoReloadOut,
    )
    def put(self, request: Request) -> Response:
        """Set it. Where the balance is below the threshold already, it charges at once."""
        fields = validated(AutoReloadIn, request.data)
        has_agreed = fields.pop("has_agreed")
        with transaction.atomic():
            reload_settings.set_reload(
                organization=self.organization,
                user=self.user,
                wanted=reload_settings.Wanted(**fields),
                has_agreed=has_agreed,
            )
        return Response(answer_for(self.organization))


class ResumeAutoReload(TenantAPIView):
    """Going on after declines."""

    permissions = {"POST": "billing.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="auto_reload_resume", tags=["billing"], request=None, responses=AutoReloadOut
    )
    def post(self, request: Request) -> Response:
        """Forget the declines, and charge again when a reload is due."""

        def effect() -> Answer:
            reload_outcomes.resume(organization=self.organization)
            return Answer(200, answer_for(self.organization))

        return run_once(request, principal=self.principal, effect=effect)


class SimulateAutoReload(TenantAPIView):
    """What would have been."""

    permissions = {"GET": "billing.view"}

    @extend_schema(operation_id="auto_reload_simulate", tags=["billing"], responses=SimulationOut)
    def get(self, request: Request) -> Response:
        """Return what the last 30 days would have been with the settings of now."""
        reload, terms = reload_of(self.organization), reload_terms()
        if reload is None:
            raise NotFound
        if terms is None:
            raise ReloadNotOffered
        return Response(SimulationOut(simulate(self.organization, reload, terms)).data)


def answer_for(organization: Organization) -> dict[str, Any]:
    """
    Return what is set and how it stands.

    :raises NotFound: if nobody has ever set it.
    """
    reload = reload_of(organization)
    if reload is None:
        raise NotFound
    customer = card_of(organization)
    shown = {
        name: getattr(reload, name)
        for name in map(str, AutoReloadOut().fields)
        if hasattr(reload, name)
    }
    return dict(
        AutoReloadOut(
            {
                **shown,
                "blocked_by": why_not(reload, Facts(organization)),
                "card": card_name(customer) if customer else "",
            }
        ).data
    )
