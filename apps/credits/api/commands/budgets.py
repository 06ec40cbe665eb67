"""Limit what is used in a month, and read what was."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import paginated, run_once, validated
from apps.core.idempotency import Answer
from apps.credits import selectors
from apps.credits.models import Budget, BudgetAlert, BudgetMonth, Wallet
from apps.credits.models.budgets import THRESHOLDS
from apps.credits.selectors import budgets as reading
from apps.credits.services import budget_alerts, budgets
from apps.rbac.api.base import TenantAPIView
from apps.rbac.selectors import membership_of


class TermsIn(serializers.Serializer[Any]):
    """What a budget says; what is left out stays."""

    monthly_limit = serializers.IntegerField(
        min_value=0, max_value=budgets.LARGEST_LIMIT, required=False, help_text="Credits."
    )
    action = serializers.ChoiceField(
        choices=Budget.Action.choices,
        required=False,
        help_text="At the limit: `stop` refuses charges and holds, `notify` only tells.",
    )
    thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=100),
        max_length=budgets.MOST_THRESHOLDS,
        required=False,
        help_text="Percentages of the limit at which those who manage billing get a mail.",
    )


class BudgetChangeIn(TermsIn):
    """What to change of a budget."""

    is_active = serializers.BooleanField(required=False, help_text="Switch it off, or on again.")


class BudgetIn(TermsIn):
    """What to limit, for whom."""

    monthly_limit = serializers.IntegerField(
        min_value=0, max_value=budgets.LARGEST_LIMIT, help_text="Credits."
    )
    member = serializers.CharField(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="Whose use is limited: usr_…. Everybody's together, if left out.",
    )


class BudgetParameters(serializers.Serializer[Any]):
    """Which budgets to list."""

    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class BudgetOut(serializers.ModelSerializer[Budget]):
    """A limit, and what is used of it in the present month."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="budget", read_only=True)
    member = serializers.CharField(source="member.public_id", default=None, allow_null=True)
    month = serializers.DateField(help_text="The present one, by its first day.")
    used = serializers.IntegerField(help_text="Credits, net of what came back.")
    remaining = serializers.SerializerMethodField()
    resets_at = serializers.SerializerMethodField()

    class Meta:
        model = Budget
        fields = [
            *("id", "object", "member", "monthly_limit", "action", "thresholds", "is_active"),
            *("time_zone", "month", "used", "remaining", "resets_at", "created_at"),
        ]

    def get_remaining(self, budget: Budget) -> int:
        """Tell how many credits are not used yet."""
        return reading.use_of(budget).left

    def get_resets_at(self, budget: Budget) -> datetime:
        """Tell when the next month begins."""
        return reading.resets_at(budget)


class BudgetMonthOut(serializers.ModelSerializer[BudgetMonth]):
    """What was used in one month."""

    object = serializers.CharField(default="budget_month", read_only=True)

    class Meta:
        model = BudgetMonth
        fields = ["object", "month", "used", "monthly_limit"]


class BudgetAlertOut(serializers.ModelSerializer[BudgetAlert]):
    """One mail about a budget."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="budget_alert", read_only=True)
    status = serializers.ChoiceField(choices=BudgetAlert.Status.choices)

    class Meta:
        model = BudgetAlert
        fields = [
            *("id", "object", "month", "percent", "used", "monthly_limit"),
            *("is_test", "status", "sent_at", "created_at"),
        ]


class BudgetView(TenantAPIView):
    """A view of budgets of the organization's wallet."""

    def wallet(self) -> Wallet:
        """Return the organization's main wallet."""
        return selectors.main_wallet(self.organization)

    def find(self, budget_id: str) -> Budget:
        """
        Return the budget.

        :raises NotFound: if the organization has none with this id.
        """
        return reading.budget_of(self.wallet(), budget_id)

    def told(self, budget: Budget) -> dict[str, Any]:
        """Return the budget as it is now."""
        return dict(BudgetOut(self.find(budget.public_id)).data)


class Budgets(BudgetView):
    """The organization's budgets."""

    permissions = {"GET": "credits.view", "POST": "budgets.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="budgets_list",
        tags=["budgets"],
        parameters=[BudgetParameters],
        responses=BudgetOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return budgets, newest first, with what is used of them in this month."""
        known = frozenset({"is_active"})
        asked = validated(BudgetParameters, request.query_params)
        found = reading.budgets_of(self.wallet(), is_active=asked["is_active"])
        return paginated(request, found, BudgetOut, parameters=known)

    @extend_schema(
        operation_id="budgets_create",
        tags=["budgets"],
        request=BudgetIn,
        responses={201: BudgetOut},
        examples=[
            OpenApiExample(
                "Everybody together",
                value={"monthly_limit": 5000, "action": "stop", "thresholds": list(THRESHOLDS)},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Limit what is used in a month; what this month used already counts."""
        fields = validated(BudgetIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.create(fields))

    def create(self, fields: dict[str, Any]) -> Answer:
        """Make the budget, and say where it is."""
        member = fields.pop("member", None)
        if member is not None:
            fields["member"] = membership_of(self.organization, member)
        made = budgets.create_budget(wallet=self.wallet(), **fields)
        place = str(reverse("api:credits:budget", args=[made.public_id]))
        return Answer(201, self.told(made), {"Location": place})


class OneBudget(BudgetView):
    """One budget."""

    permissions = {
        "GET": "credits.view",
        "PATCH": "budgets.manage",
        "DELETE": "budgets.manage",
    }

    @extend_schema(operation_id="budgets_retrieve", tags=["budgets"], responses=BudgetOut)
    def get(self, request: Request, budget_id: str) -> Response:
        """Return one budget, with what is used of it in this month."""
        return Response(BudgetOut(self.find(budget_id)).data)

    @extend_schema(
        operation_id="budgets_update",
        tags=["budgets"],
        request=BudgetChangeIn,
        responses=BudgetOut,
    )
    def patch(self, request: Request, budget_id: str) -> Response:
        """Change limit, action or thresholds, or switch it on or off; done twice is done once."""
        fields = validated(BudgetChangeIn, request.data)
        changed = budgets.change_budget(budget=self.find(budget_id), **fields)
        return Response(self.told(changed))

    @extend_schema(operation_id="budgets_delete", tags=["budgets"], responses={204: None})
    def delete(self, request: Request, budget_id: str) -> Response:
        """Switch the budget off: it limits nothing more, and its months stay to be read."""
        budgets.change_budget(budget=self.find(budget_id), is_active=False)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Months(BudgetView):
    """What a budget's months used."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="budget_months_list", tags=["budgets"], responses=BudgetMonthOut(many=True)
    )
    def get(self, request: Request, budget_id: str) -> Response:
        """Return the months in which the budget counted, the latest first."""
        months = reading.months_of(self.find(budget_id))
        return paginated(request, months, BudgetMonthOut, key=("month",))


class Alerts(BudgetView):
    """The mails about a budget."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="budget_alerts_list", tags=["budgets"], responses=BudgetAlertOut(many=True)
    )
    def get(self, request: Request, budget_id: str) -> Response:
        """Return what was told of the budget, newest first."""
        return paginated(request, reading.alerts_of(self.find(budget_id)), BudgetAlertOut)


class Test(BudgetView):
    """A mail that tries who would get an alert."""

    permissions = {"POST": "budgets.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="budgets_test",
        tags=["budgets"],
        request=None,
        responses={201: BudgetAlertOut},
    )
    def post(self, request: Request, budget_id: str) -> Response:
        """Send the alert's mail now, marked as a test, to everybody who would get it."""
        budget = self.find(budget_id)

        def effect() -> Answer:
            alert = budget_alerts.send_test_alert(budget=budget)
            return Answer(201, dict(BudgetAlertOut(alert).data))

        return run_once(request, principal=self.principal, effect=effect)
