"""Every (route, method) of the instance, from Django's own resolver."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
APPS = re.compile(r"\^\(\?P<app_label>[^)]*\)")  # the back office lists its apps there
OF_FUNCTIONS = ("GET", "POST")  # a function does not say what it answers


def routes() -> dict[str, tuple[str, ...]]:
    """Return the methods that each route answers; of two equal routes the first counts."""
    found: dict[str, tuple[str, ...]] = {}
    for route, view in _walk(get_resolver(), ""):
        found.setdefault(route, methods_of(view))
    return found


def _walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        route = APPS.sub("<app_label>", f"{before}{pattern.pattern}")
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from _walk(pattern, route)


def methods_of(view: Any) -> tuple[str, ...]:
    """Return the methods that a view answers."""
    while not hasattr(view, "view_class") and not hasattr(view, "cls"):
        if not hasattr(view, "__wrapped__"):
            return OF_FUNCTIONS
        view = view.__wrapped__
    kind = getattr(view, "view_class", None) or view.cls
    return tuple(
        one for one in METHODS if hasattr(kind, one.lower()) and one.lower() in _allowed(kind)
    )


def _allowed(kind: Any) -> list[str]:
    return [name.lower() for name in kind.http_method_names]
