"""Which models hold what belongs to an organization: found, not listed, so that none is missed."""

from django.apps import apps
from django.db import models

from apps.tenants.models import Organization, User

# Mirrors of another system, and tables whose rows say nothing of customers.
LEFT_OUT = {
    "guardian": "says by text which object is whose; nothing but ids is in it",
    "djstripe": "Stripe's objects: no page of a customer reads them, and nothing of ours yet",
}
Path = str  # of lookups: wallet__organization


def tenant_models() -> dict[type[models.Model], Path]:
    """Return each model whose rows belong to an organization, with the way to it."""
    found: dict[type[models.Model], Path] = {Organization: "pk"}
    while True:
        more = {
            model: path
            for model in apps.get_models()
            if model not in found and model._meta.app_label not in LEFT_OUT
            if (path := _path(model, found)) is not None
        }
        if not more:
            return found
        found |= more


def personal_models() -> dict[type[models.Model], str]:
    """Return each other model whose rows belong to a person, with the field that says to whom."""
    tenants = tenant_models()
    return {
        model: field.name
        for model in apps.get_models()
        if model not in tenants and model._meta.app_label not in LEFT_OUT
        for field in foreign_keys(model)
        if field.related_model is User
    }


def foreign_keys(model: type[models.Model]) -> list[models.ForeignKey]:
    """Return the columns of a model that point at other rows."""
    return [one for one in model._meta.concrete_fields if isinstance(one, models.ForeignKey)]


def _path(model: type[models.Model], found: dict[type[models.Model], Path]) -> Path | None:
    fields = sorted(foreign_keys(model), key=lambda one: one.related_model is not Organization)
    for field in fields:
        if field.related_model is Organization:
            return field.name
        if field.related_model in found and field.related_model is not Organization:
            return f"{field.name}__{found[field.related_model]}"
    return None
