"""The frame of API views for a person himself, in no organization."""

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from apps.rbac.api.base import METHODS
from apps.rbac.errors import PersonOnly
from apps.tenants.models import User


class PersonAPIView(APIView):
    """
    A view of what belongs to whoever is signed in; each asks for his own rows alone.

    A key acts for its organization and has nothing of its own, so it is refused.
    """

    http_method_names = [*METHODS, "head"]

    user: User

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Find the person, before any method runs.

        :raises PersonOnly: if the caller is an API key.
        """
        super().initial(request, *args, **kwargs)
        if request.auth is not None:
            raise PersonOnly
        assert isinstance(request.user, User)
        self.user = request.user
