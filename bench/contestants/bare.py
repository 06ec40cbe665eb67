"""The application of `inserting`: Coffer's own, with one address more."""

import json

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

settings.ROOT_URLCONF = __name__
application = get_wsgi_application()

from apps.core import ids  # noqa: E402  once Django is ready
from config.urls import urlpatterns as coffers  # noqa: E402


class Bare(APIView):
    """Authenticated as every view of the API, by default."""

    def post(self, request: Request) -> Response:
        """Insert one row."""
        row_id = ids.new_id()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bench_bare (id, payload) VALUES (%s, %s)",
                [row_id, json.dumps(request.data)],
            )
        return Response({"id": str(row_id)}, status=201)


urlpatterns = [path("bare", Bare.as_view()), *coffers]
