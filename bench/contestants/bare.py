"""The application of `inserting`: Coffer's own, with one address more."""

from config.wsgi import application  # noqa: F401  first: Django is ready only after it

# isort: split
import json

from django.conf import settings
from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import ids
from config.urls import urlpatterns as coffers

settings.ROOT_URLCONF = __name__


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
