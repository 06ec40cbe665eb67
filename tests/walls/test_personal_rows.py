"""Rows that belong to a person and to no organization: the web shows them to him alone."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from apps.core import clock, scope
from apps.core.walls import WEB
from apps.rbac.models import Erasure, PersonalExport
from apps.rbac.services.personal_exports import request_export
from apps.tenants.models import AuditLog, PersonalValue, User
from apps.tenants.services import audit
from tests.people import make_organization, make_person
from tests.roles import role

pytestmark = pytest.mark.django_db


def make_erasure(user: User) -> Erasure:
    return Erasure.objects.create(user=user, due_at=clock.database_now() + timedelta(days=7))


def write(**facts) -> None:
    with transaction.atomic():
        audit.record(**facts)


MAKERS = [(make_erasure, Erasure), (lambda user: request_export(user=user), PersonalExport)]


@pytest.mark.parametrize(("make", "kind"), MAKERS, ids=["erasure", "export"])
class TestRowsOfAPerson:
    def test_are_seen_by_him_alone(self, make, kind):
        his, anothers = make(make_person()), make(make_person())
        organization = make_organization()

        with scope.entered(scope.Scope(user_id=his.user_id)), role(WEB):
            assert list(kind.objects.all()) == [his]
            assert kind.objects.filter(pk=anothers.pk).update(status="x") == 0
        for other in (scope.NOTHING, scope.Scope(organization_id=organization.pk)):
            with scope.entered(other), role(WEB):
                assert not kind.objects.exists()

    def test_are_not_made_for_another(self, make, kind):
        person, other = make_person(), make_person()

        with scope.entered(scope.Scope(user_id=person.pk)), role(WEB):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                make(other)
            make(person)


class TestWhatTokensStandFor:
    def test_is_seen_where_the_row_is(self):
        ours, theirs = make_organization(), make_organization()
        for organization in (ours, theirs):
            told = {"email": f"x@{organization.slug}.example"}
            write(action="x.y", organization=organization, after=told)

        with scope.entered(scope.Scope(organization_id=ours.pk)), role(WEB):
            row = AuditLog.objects.get(action="x.y")
            domains = {one.value.rpartition("@")[2] for one in PersonalValue.objects.all()}
            of_theirs = PersonalValue.objects.across_organizations("a test").filter(
                organization=theirs
            )
            assert row.after == {"email": f"x@{ours.slug}.example"}
            assert f"{theirs.slug}.example" not in domains
            assert not of_theirs.exists()

    def test_of_nobody_is_written_before_anybody_is_known(self):
        with scope.entered(scope.NOTHING), role(WEB):
            write(action="x.y", after={"email": "new@example.com"})

        assert PersonalValue.objects.filter(value="new@example.com", organization=None).exists()

    def test_is_not_changed_or_deleted_by_the_web(self):
        organization = make_organization()
        write(action="x.y", organization=organization, after={"email": "a@example.com"})

        with scope.entered(scope.Scope(organization_id=organization.pk)), role(WEB):
            for deed in (
                lambda rows: rows.update(value="other"),
                lambda rows: rows.delete(),
            ):
                with pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
                    deed(PersonalValue.objects.filter(organization=organization))
