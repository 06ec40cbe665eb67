"""The programmes that a person may join by himself, wherever they are."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import scope
from apps.core.api import paginated
from apps.partners.api.asking_serializers import JoinedOut, OpenRuleOut
from apps.partners.selectors.rules import open_rule, open_rules
from apps.partners.services.joining import join
from apps.rbac.api.person import PersonAPIView


class OpenProgrammes(PersonAPIView):
    """What is open to the person by a verified address of his."""

    @extend_schema(
        operation_id="open_programmes_list", tags=["member"], responses=OpenRuleOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return each with what he gets; nothing happens until he joins."""
        return paginated(request, open_rules(self.user), OpenRuleOut)


class JoinProgramme(PersonAPIView):
    """His yes."""

    @extend_schema(
        operation_id="open_programmes_join", tags=["member"], request=None, responses=JoinedOut
    )
    def post(self, request: Request, rule_id: str) -> Response:
        """Become a member and take the credits; whoever has them may repeat it."""
        member = join(rule=open_rule(self.user, rule_id), user=self.user)
        with scope.within(member.organization_id):
            return Response(JoinedOut(member).data)
