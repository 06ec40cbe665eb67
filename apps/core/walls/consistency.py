"""What row-level security cannot say: that a row's foreign keys stay in its organization."""

from django.apps import apps
from django.db.models import ForeignKey

from apps.core.invariants import Invariant
from apps.core.rows import organization_field

# Rows of nobody (a system role) may be pointed at by everybody.
LINK = """
    SELECT child.{key}::text AS id, child.organization_id <> parent.organization_id AS is_astray
      FROM "{child}" child JOIN "{parent}" parent ON parent.{target} = child.{column}
"""


def links() -> list[dict[str, str | None]]:
    """Return every foreign key from a table of organizations to another one."""
    models = [one for one in apps.get_models() if organization_field(one) and not one._meta.proxy]
    return [
        {
            "child": model._meta.db_table,
            "key": model._meta.pk.column,
            "column": field.column,
            "parent": field.related_model._meta.db_table,
            "target": field.target_field.column,
        }
        for model in models
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model in models
    ]


def same_organization() -> Invariant:
    """Return the invariant that follows from all of them."""
    every_link = " UNION ALL ".join(LINK.format(**link) for link in links())
    return Invariant(
        "W01",
        "A row of an organization points at rows of the same organization, or of nobody.",
        f"""
        SELECT count(*), count(*) FILTER (WHERE is_astray), min(id) FILTER (WHERE is_astray)
          FROM ({every_link}) AS link
        """,  # noqa: S608  names of our own tables
    )
