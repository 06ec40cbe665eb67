"""What the addresses of lists may say besides the page."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api import validated


def filters_of(
    request: Request, known: type[serializers.Serializer[Any]]
) -> tuple[dict[str, Any], frozenset[str]]:
    """Return a list's own parameters, checked, and their names; `paginated` checks the others."""
    names = frozenset(known().fields)
    given = {name: value for name, value in request.query_params.items() if name in names}
    return validated(known, given), names
