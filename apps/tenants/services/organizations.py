"""Create and change organizations."""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.tenants.errors import SlugTaken
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.signals import organization_created

STEM_LENGTH = 80  # leaves room for what makes the slug unique
SUFFIX_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # without those that look alike
SUFFIX_LENGTH = 5
MOST_ATTEMPTS = 8


@transaction.atomic
def create_organization(*, name: str, owner: User, slug: str | None = None) -> Organization:
    """
    Create an organization, its owner's role and whatever else belongs to it from birth.

    Without a slug, one is made from the name. Those who hear `organization_created`
    work in the same transaction: if one of them fails, there is no organization.

    :raises SlugTaken: if the slug that was asked for belongs to another.
    """
    candidates = slugs_for(name) if slug is None else iter([slug])
    organization = _insert(name=name, candidates=candidates)
    audit.record(
        action="organization.create",
        organization=organization,
        object_id=organization.public_id,
        after={"name": name, "slug": organization.slug, "owner": owner.public_id},
    )
    organization_created.send(sender=Organization, organization=organization, owner=owner)
    return organization


@transaction.atomic
def update_organization(
    *, organization: Organization, name: str, description: str, website: str
) -> Organization:
    """Change what the organization tells about itself; its slug stays."""
    locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    before = _profile(locked)
    locked.name, locked.description, locked.website = name, description, website
    after = _profile(locked)
    if after == before:
        return locked
    locked.save(update_fields=["name", "description", "website", "updated_at"])
    audit.record(
        action="organization.update",
        organization=locked,
        object_id=locked.public_id,
        before=before,
        after=after,
    )
    return locked


def slugs_for(name: str) -> Iterator[str]:
    """Yield slugs for a name: the plain one, then some with letters by chance."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:STEM_LENGTH].strip("-") or "organization"
    yield stem
    for _ in range(MOST_ATTEMPTS):
        suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(SUFFIX_LENGTH))
        yield f"{stem}-{suffix}"


def _insert(*, name: str, candidates: Iterator[str]) -> Organization:
    slug = ""
    for slug in candidates:
        try:
            # Asked of the unique index and not by a query before: two may ask at once.
            with transaction.atomic():
                return Organization.objects.create(name=name, slug=slug)
        except IntegrityError as error:
            if not isinstance(error.__cause__, postgres.UniqueViolation):
                raise
    raise SlugTaken(slug=slug)


def _profile(organization: Organization) -> dict[str, Any]:
    return {
        "name": organization.name,
        "description": organization.description,
        "website": organization.website,
    }
