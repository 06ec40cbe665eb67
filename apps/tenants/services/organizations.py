"""Create and change organizations."""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.core import scope
from apps.core.db import inside_transaction
from apps.tenants.errors import SlugLimitReached, SlugTaken
from apps.tenants.models import Organization, OrganizationSlug, User
from apps.tenants.services import audit
from apps.tenants.signals import organization_changed, organization_created

STEM_LENGTH = 80  # leaves room for what makes the slug unique
SUFFIX_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # without those that look alike
SUFFIX_LENGTH = 5
MOST_ATTEMPTS = 8
MOST_SLUGS = 10  # that one organization may have had
PROFILE = ("name", "description", "website", "slug", "billing_email", "time_zone")


@transaction.atomic
def create_organization(
    *,
    name: str,
    owner: User,
    slug: str | None = None,
    is_personal: bool = False,
    with_trial: bool = True,
) -> Organization:
    """
    Create an organization, its owner's role and whatever else belongs to it from birth.

    Without a slug, one is made from the name. Those who hear `organization_created`
    work in the same transaction: if one of them fails, there is no organization.

    :raises SlugTaken: if the slug that was asked for belongs or belonged to another.
    """
    candidates = slugs_for(name) if slug is None else iter([slug])
    organization = Organization(name=name, is_personal=is_personal)
    with scope.within(organization.pk):
        _insert(organization, candidates)
        audit.record(
            action="organization.create",
            organization=organization,
            object_id=organization.public_id,
            after={"name": name, "slug": organization.slug, "owner": owner.public_id},
        )
        organization_created.send(
            sender=Organization, organization=organization, owner=owner, with_trial=with_trial
        )
    return organization


@transaction.atomic
def update_organization(*, organization: Organization, **changes: Any) -> Organization:
    """
    Change what the organization tells about itself; what is not named stays.

    `changes` are fields of PROFILE. A former slug keeps leading here, and can be taken back.

    :raises SlugTaken: if the new slug belongs or belonged to another.
    :raises SlugLimitReached: if it had too many slugs already.
    """
    assert changes.keys() <= set(PROFILE), f"not of the profile: {changes.keys() - set(PROFILE)}"
    locked = lock_organization(organization)
    before = {name: getattr(locked, name) for name in changes}
    changed = {name: value for name, value in changes.items() if value != before[name]}
    if not changed:
        return locked
    if "slug" in changed:
        _keep_slug(locked, changed["slug"])
    for name, value in changed.items():
        setattr(locked, name, value)
    locked.save(update_fields=[*changed, "updated_at"])
    audit.record(
        action="organization.update",
        organization=locked,
        object_id=locked.public_id,
        before=before,
        after=changes,
    )
    organization_changed.send(sender=Organization, organization=locked, changed=frozenset(changed))
    return locked


@transaction.atomic
def set_member_limit(*, organization: Organization, max_users: int | None) -> Organization:
    """Say how many members it may have, None for no limit; those beyond it stay."""
    locked = lock_organization(organization)
    before = locked.max_users
    if before == max_users:
        return locked
    locked.max_users = max_users
    locked.save(update_fields=["max_users", "updated_at"])
    audit.record(
        action="organization.limit",
        organization=locked,
        object_id=locked.public_id,
        before={"max_users": before},
        after={"max_users": max_users},
    )
    return locked


@inside_transaction
def lock_organization(organization: Organization) -> Organization:
    """
    Return the row as it is now, locked until the transaction ends.

    Rows that only refer to the organization can be written meanwhile: the ledger goes on.
    Whoever joins, leaves or invites takes this lock first.
    """
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def slugs_for(name: str) -> Iterator[str]:
    """Yield slugs for a name: the plain one, then some with letters by chance."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:STEM_LENGTH].strip("-") or "organization"
    yield stem
    for _ in range(MOST_ATTEMPTS):
        suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(SUFFIX_LENGTH))
        yield f"{stem}-{suffix}"


def _insert(organization: Organization, candidates: Iterator[str]) -> None:
    slug = ""
    for slug in candidates:
        organization.slug = slug
        try:
            # Asked of the unique indexes and not by a query before: two may ask at once.
            with transaction.atomic():
                organization.save(force_insert=True)
                OrganizationSlug.objects.create(slug=slug, organization=organization)
                return
        except IntegrityError as error:
            if not isinstance(error.__cause__, postgres.UniqueViolation):
                raise
    raise SlugTaken(slug=slug, field="slug")


def _keep_slug(organization: Organization, slug: str) -> None:
    """Write the slug down as the organization's own, for ever."""
    kept = set(OrganizationSlug.objects.filter(organization=organization).values_list("slug"))
    if (slug,) in kept:
        return
    if len(kept) >= MOST_SLUGS:
        raise SlugLimitReached(limit=MOST_SLUGS, field="slug")
    try:
        with transaction.atomic():
            OrganizationSlug.objects.create(slug=slug, organization=organization)
    except IntegrityError as error:
        if not isinstance(error.__cause__, postgres.UniqueViolation):
            raise
        raise SlugTaken(slug=slug, field="slug") from error
