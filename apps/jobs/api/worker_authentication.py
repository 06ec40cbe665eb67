"""Sign in workers outside, by keys that are good for nothing else."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import context
from apps.core.postgres.staff import as_staff
from apps.jobs.models import WorkerKey
from apps.jobs.services import worker_keys
from apps.rbac.api.authentication import bearer_token

# Of what a worker does in the ledger, customers read that a worker did it, and not which.
ACTOR = "system:workers"


class WorkerKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer cof_work_…`: no person, and no organization."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, WorkerKey] | None:
        """
        Return the key, or None where none was sent.

        :raises AuthenticationFailed: if the key cannot be used, whatever the reason.
        """
        token = bearer_token(request)
        if token is None:
            return None
        with as_staff("the keys of workers are not for the web's role to read"):
            key = worker_keys.find_worker_key(token)
            if key is None:
                raise AuthenticationFailed("This is no worker's key that works now.")
            worker_keys.note_use(key=key, at=timezone.now())
        context.set_actor(ACTOR)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """Say how to sign in."""
        return 'Bearer realm="worker"'


class HasWorkerKey(BasePermission):
    """Lets in whoever signed in by a worker's key, and nobody else."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether there is such a key."""
        return isinstance(request.auth, WorkerKey)


class WorkerKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes workers' keys in the OpenAPI document."""

    target_class = WorkerKeyAuthentication
    name = "workerKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme as OpenAPI writes it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "cof_work_…"}
