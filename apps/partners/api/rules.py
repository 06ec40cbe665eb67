"""Rules by which people join the programme by themselves."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import paginated, run_once, validated
from apps.core.idempotency import Answer
from apps.partners.api.asking_serializers import RuleChangeIn, RuleIn, RuleOut
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.models import Campaign
from apps.partners.selectors.campaigns import campaign_of
from apps.partners.selectors.rules import rule_of, rules_of
from apps.partners.services import rules

VIEW, MANAGE = "partners.view", "partners.manage"


class RuleView(ProgrammeAPIView):
    """A view of the programme's rules."""

    def campaign(self, public_id: str | None) -> Campaign | None:
        """
        Return the campaign that a request names; None for none.

        :raises NotFound: if the programme has none with this id.
        """
        return None if public_id is None else campaign_of(self.partner, public_id)


class Rules(RuleView):
    """The programme's rules."""

    permissions = {"GET": VIEW, "POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_rules_list", tags=["partner"], responses=RuleOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return rules, newest first, those that have ended too."""
        return paginated(request, rules_of(self.partner), RuleOut)

    @extend_schema(
        operation_id="partner_rules_create",
        tags=["partner"],
        request=RuleIn,
        responses={201: RuleOut},
    )
    def post(self, request: Request) -> Response:
        """Let people with an address at a domain join by themselves."""
        fields = validated(RuleIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.create(fields))

    def create(self, fields: dict[str, Any]) -> Answer:
        """Make the rule, and say where it is."""
        campaign = self.campaign(fields.pop("campaign", None))
        made = rules.create_rule(partner=self.partner, by=self.user, campaign=campaign, **fields)
        place = str(reverse("api:partners:rule", args=[made.public_id]))
        return Answer(201, dict(RuleOut(made).data), {"Location": place})


class OneRule(RuleView):
    """One rule."""

    permissions = {"GET": VIEW, "PATCH": MANAGE, "DELETE": MANAGE}

    @extend_schema(operation_id="partner_rules_retrieve", tags=["partner"], responses=RuleOut)
    def get(self, request: Request, rule_id: str) -> Response:
        """Return one rule."""
        return Response(RuleOut(rule_of(self.partner, rule_id)).data)

    @extend_schema(
        operation_id="partner_rules_update",
        tags=["partner"],
        request=RuleChangeIn,
        responses=RuleOut,
    )
    def patch(self, request: Request, rule_id: str) -> Response:
        """Change what those get who join from now on; done twice is done once."""
        fields = validated(RuleChangeIn, request.data)
        rule = rule_of(self.partner, rule_id)
        named = "campaign" in fields
        changed = rules.change_rule(
            rule=rule,
            credits=fields.get("credits", rule.credits),
            campaign=self.campaign(fields["campaign"]) if named else rule.campaign,
        )
        return Response(RuleOut(changed).data)

    @extend_schema(operation_id="partner_rules_delete", tags=["partner"], responses={204: None})
    def delete(self, request: Request, rule_id: str) -> Response:
        """End the rule: nobody joins by it any more, and whoever did stays."""
        rules.end_rule(rule=rule_of(self.partner, rule_id))
        return Response(status=status.HTTP_204_NO_CONTENT)
