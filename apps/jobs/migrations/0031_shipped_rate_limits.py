"""Limits that an instance begins with: far above what people and programs need."""

from typing import Any

from django.db import migrations

MINUTE = 60
SHIPPED = {  # code: subject, requests, limit
    "address": ("ip", "any", 6_000),
    "person": ("user", "any", 1_200),
    "person-changes": ("user", "write", 300),
    "key": ("key", "any", 3_000),
    "key-money": ("key", "money", 600),
    "organization-money": ("organization", "money", 3_000),
}


def ship(apps: Any, schema_editor: Any) -> None:
    policies = apps.get_model("jobs", "RateLimitPolicy").objects
    for code, (subject, requests, limit) in SHIPPED.items():
        terms = {"subject": subject, "requests": requests, "limit": limit, "seconds": MINUTE}
        policies.get_or_create(code=code, defaults=terms)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0030_rate_limits")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
