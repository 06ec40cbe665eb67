"""Policies for tests, and the headers that tell of them."""

import re

from apps.core.ratelimits import policies
from apps.core.ratelimits.policies import Hit, Policy
from apps.jobs.models import RateLimitPolicy

NOWHERE = "redis://127.0.0.1:1/0"  # nobody listens there
# RFC 9651: a list of one string with integer parameters, all that these two fields need.
ITEM = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"((?:;[a-z*][a-z0-9_.*-]*=-?[0-9]{1,15})*)')


def hit(name="org_1", *, code="test-some", limit=3, seconds=60) -> Hit:
    return Hit(Policy(code, "organization", "any", limit, seconds), name)


def only(*rows: dict) -> None:
    """Let these policies be in force, and no others."""
    RateLimitPolicy.objects.all().delete()
    for number, row in enumerate(rows):
        terms = {"code": f"test-{number}", "subject": "key", "requests": "any", "seconds": 3600}
        RateLimitPolicy.objects.create(**terms | row)
    policies.kept.clear()


def parsed(value: str) -> tuple[str, dict[str, int]]:
    """Return name and parameters of a structured field."""
    found = ITEM.fullmatch(value)
    assert found, value
    pairs = (pair.split("=") for pair in found[2].split(";")[1:])
    return found[1], {name: int(number) for name, number in pairs}


def remaining(answer) -> int | None:
    """Return how many requests are left, as an answer tells."""
    value = answer.headers.get("RateLimit")
    return None if value is None else parsed(value)[1]["r"]
