"""What `manage.py verify` notices of roles and shares that were written past the services."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm

from apps.core.ids import new_id
from apps.core.invariants import all_invariants, verify
from apps.jobs.models import GenerationJob
from apps.rbac.models import Share, UserRole
from apps.rbac.services.custom_roles import create_role
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db


def failures(code: str) -> int:
    (found,) = verify([one for one in all_invariants() if one.code == code])
    return found.failures


class TestARole:
    def test_that_is_given_elsewhere_is_noticed(self):
        owner = make_person()
        role = create_role(by=owner, organization=make_organization(owner=owner), name="Own")
        assert failures("R03") == 0

        elsewhere = make_organization()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "ALTER TABLE rbac_userrole DISABLE TRIGGER rbac_roles_stay_in_their_organization"
            )
        UserRole.objects.create(user=owner, role=role, organization=elsewhere)

        assert failures("R03") == 1


class TestAShare:
    @pytest.fixture
    def share(self):
        guest, owner = make_person(), make_person()
        made = Share.objects.create(
            organization=make_organization(owner=owner),
            content_type=ContentType.objects.get_for_model(GenerationJob),
            object_id=new_id(),
            user=guest,
            shared_by=owner,
        )
        assign_perm("view_generationjob", guest, GenerationJob(id=made.object_id))
        return made

    def test_is_quiet_with_its_permission(self, share):
        assert failures("R04") == 0

    def test_that_has_lost_its_permission_is_noticed(self, share):
        UserObjectPermission.objects.all().delete()

        assert failures("R04") == 1

    def test_that_is_gone_and_left_its_permission_is_noticed(self, share):
        Share.objects.all().delete()

        assert failures("R04") == 1
