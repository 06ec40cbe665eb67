"""Organizations: their slugs, their birth in one transaction, and their changes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from apps.rbac.models import UserRole
from apps.tenants.errors import SlugLimitReached, SlugTaken
from apps.tenants.models import AuditLog, Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.organizations import (
    MOST_SLUGS,
    create_organization,
    update_organization,
)
from apps.tenants.signals import organization_created
from tests.people import make_organization, make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def failing_receiver():
    def fail(**kwargs):
        raise RuntimeError("no wallet today")

    organization_created.connect(fail)
    yield
    organization_created.disconnect(fail)


class TestCreateOrganization:
    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("Acme GmbH", "acme-gmbh"),
            ("Müller & Söhne", "muller-sohne"),
            ("  under_score  ", "under-score"),
            ("株式会社", "organization"),
            ("x" * 100, "x" * 80),
        ],
    )
    def test_makes_a_slug_from_the_name(self, name, slug):
        organization = create_organization(name=name, owner=make_person())

        assert organization.slug == slug

    def test_adds_letters_to_a_slug_that_is_taken(self):
        first, second = make_organization(name="Acme"), make_organization(name="Acme")

        assert first.slug == "acme"
        assert second.slug.startswith("acme-")

    def test_refuses_a_slug_that_was_asked_for_and_is_taken(self):
        make_organization(slug="acme")

        with pytest.raises(SlugTaken):
            make_organization(slug="acme")

        assert Organization.objects.filter(slug="acme").count() == 1

    def test_gives_the_owner_his_role(self):
        owner = make_person()

        organization = make_organization(owner=owner)

        assert UserRole.objects.get(user=owner, organization=organization).role.name == "owner"

    def test_writes_who_did_it(self):
        organization = make_organization(name="Acme")

        entry = audit_log_of(organization).get(action="organization.create")
        assert entry.object_id == organization.public_id
        assert entry.after["slug"] == organization.slug

    def test_leaves_nothing_when_a_receiver_fails(self, failing_receiver):
        owner = make_person()

        with pytest.raises(RuntimeError):
            create_organization(name="Acme", owner=owner)

        assert not Organization.objects.exists()
        assert not UserRole.objects.exists()
        assert not AuditLog.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_gives_each_of_several_at_once_a_slug_of_its_own(self):
        def create(owner):
            try:
                return create_organization(name="Acme", owner=owner).slug
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            slugs = list(pool.map(create, [make_person() for _ in range(8)]))

        assert len(set(slugs)) == 8
        assert "acme" in slugs


class TestUpdateOrganization:
    def test_keeps_what_was_before(self):
        organization = make_organization(name="Acme")

        update_organization(
            organization=organization, name="Acme AG", description="Pictures", website=""
        )

        entry = audit_log_of(organization).get(action="organization.update")
        assert (entry.before["name"], entry.after["name"]) == ("Acme", "Acme AG")

    def test_writes_nothing_when_nothing_changed(self):
        organization = make_organization(name="Acme")

        update_organization(organization=organization, name="Acme", description="", website="")

        assert not audit_log_of(organization).filter(action="organization.update").exists()

    def test_keeps_what_is_not_named(self):
        organization = make_organization(name="Acme")

        update_organization(organization=organization, time_zone="Asia/Tokyo")

        organization.refresh_from_db()
        assert (organization.name, organization.time_zone) == ("Acme", "Asia/Tokyo")


class TestSlugs:
    def test_a_former_one_belongs_to_nobody_else(self):
        organization = make_organization(slug="acme")
        update_organization(organization=organization, slug="acme-ag")

        with pytest.raises(SlugTaken):
            make_organization(slug="acme")
        with pytest.raises(SlugTaken):
            update_organization(organization=make_organization(slug="other"), slug="acme")

        assert make_organization(name="Acme").slug.startswith("acme-")

    def test_a_former_one_can_be_taken_back(self):
        organization = make_organization(slug="acme")
        update_organization(organization=organization, slug="acme-ag")

        update_organization(organization=organization, slug="acme")

        assert Organization.objects.get().slug == "acme"

    def test_are_not_collected(self):
        organization = make_organization(slug="acme")
        for number in range(MOST_SLUGS - 1):
            update_organization(organization=organization, slug=f"acme-{number}")

        with pytest.raises(SlugLimitReached):
            update_organization(organization=organization, slug="one-more")

        update_organization(organization=organization, slug="acme")

    @pytest.mark.django_db(transaction=True)
    def test_one_is_taken_by_one_of_several_at_once(self):
        organizations = [make_organization(slug=f"org-{number}") for number in range(6)]

        def rename(organization):
            try:
                update_organization(organization=organization, slug="wanted")
            except SlugTaken:
                return False
            return True

        renamed = at_once([lambda one=one: rename(one) for one in organizations])

        assert renamed.count(True) == 1
        assert Organization.objects.filter(slug="wanted").count() == 1


class TestOrganization:
    @pytest.mark.parametrize("slug", ["Upper", "two--dashes", "-edge", "under_score", ""])
    def test_has_no_malformed_slug_in_the_database(self, slug):
        with pytest.raises(IntegrityError), transaction.atomic():
            Organization.objects.create(name="Acme", slug=slug)
