"""Staff pages of rate limits: changed with an audit row, and what somebody has used."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from apps.jobs.models import RateLimitPolicy
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.jobs.outside import CLAIMS, make_external, make_worker_key
from tests.people import make_key, make_organization, make_person, signed_in, with_key
from tests.ratelimits.limiting import NOWHERE, only

pytestmark = pytest.mark.django_db
LIST = reverse("admin:jobs_ratelimitpolicy_changelist")
ADD = reverse("admin:jobs_ratelimitpolicy_add")
USE = reverse("admin:jobs_ratelimitpolicy_current_use")
TERMS = {
    "code": "test-jobs",
    "subject": "key",
    "requests": "jobs.submit",
    "plan": "pro",
    "limit": "30",
    "seconds": "3600",
    "is_active": "on",
}


@pytest.fixture
def operator():
    person = make_person(is_staff=True)
    assign_role(user=person, role=system_role("operator"), organization=None)
    return signed_in(person)


class TestPolicies:
    def test_are_added_and_changed_with_audit_rows(self, operator):
        assert operator.post(ADD, TERMS).status_code == 302
        row = RateLimitPolicy.objects.get(code="test-jobs")
        assert (row.requests, row.plan, row.limit, row.seconds) == ("jobs.submit", "pro", 30, 3600)
        page = reverse("admin:jobs_ratelimitpolicy_change", args=[row.pk])
        assert operator.post(page, TERMS | {"limit": "50", "code": "other"}).status_code == 302

        row.refresh_from_db()
        assert (row.limit, row.code) == (50, "test-jobs")  # headers bear the code
        actions = AuditLog.objects.filter(object_id=row.public_id).order_by("created_at")
        assert [entry.action for entry in actions] == [
            "ratelimitpolicy.create",
            "ratelimitpolicy.update",
        ]
        assert (actions[1].before, actions[1].after) == ({"limit": "30"}, {"limit": "50"})

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"requests": "jobs.sumbit"}, "No request is called jobs.sumbit"),
            ({"limit": "0"}, "from 1 to 100,000 requests"),
            ({"limit": "100001"}, "from 1 to 100,000 requests"),
            ({"seconds": "2592001"}, "from 1 to 2,592,000 seconds"),
            ({"subject": "ip", "requests": "any"}, "An address has no plan"),
        ],
    )
    def test_that_cannot_work_are_refused(self, operator, wrong, told):
        answer = operator.post(ADD, TERMS | wrong)

        assert told in answer.content.decode()
        assert not RateLimitPolicy.objects.filter(code="test-jobs").exists()

    @pytest.mark.parametrize("wrong", [{"limit": 0}, {"seconds": 2_592_001}, {"subject": "ip"}])
    def test_that_cannot_work_are_refused_by_the_database(self, wrong):
        terms = {"code": "test", "subject": "key", "plan": "pro", "limit": 1, "seconds": 1}
        with pytest.raises(IntegrityError), transaction.atomic():
            RateLimitPolicy.objects.create(**terms | wrong)

    def test_are_never_deleted(self, operator):
        row = RateLimitPolicy.objects.first()
        page = reverse("admin:jobs_ratelimitpolicy_delete", args=[row.pk])

        assert operator.post(page, {"post": "yes"}).status_code == 403
        assert operator.get(LIST).status_code == 200

    @pytest.mark.parametrize("page", [LIST, ADD, USE])
    def test_are_no_matter_of_other_staff(self, page):
        other = make_person(is_staff=True)
        assign_role(user=other, role=system_role("support"), organization=None)

        assert signed_in(other).get(page).status_code == 403


@pytest.mark.usefixtures("limited")
class TestTheUse:
    def test_of_a_key_is_shown_and_not_counted(self, operator):
        only({"limit": 1234}, {"limit": 77, "subject": "user"})
        owner = make_person()
        key, token = make_key(make_organization(owner=owner), owner, "credits:read")
        with_key(token).get("/api/v1/credits/balance")
        shown = [operator.get(USE, {"subject": key.public_id}).content.decode() for _ in range(2)]

        assert all("1,234" in page and "1,233" in page for page in shown)
        assert "test-1" not in shown[0]  # counts people

    def test_of_a_workers_key_is_shown(self, operator):
        only({"limit": 1234})
        make_external()
        key, token = make_worker_key()
        with_key(token).post(CLAIMS, {}, content_type="application/json")

        page = operator.get(USE, {"subject": key.public_id}).content.decode()
        assert "1,233" in page

    def test_is_told_for_an_address_as_it_is_counted(self, operator):
        only({"limit": 1234, "subject": "ip"})

        assert "2001:db8::/64" in operator.get(USE, {"subject": "2001:db8::7"}).content.decode()
        assert "1,234" in operator.get(USE, {"subject": "192.0.2.7"}).content.decode()

    def test_is_that_of_postgresql_without_redis(self, operator, settings):
        only({"limit": 1234})
        settings.REDIS_URL = NOWHERE
        owner = make_person()
        key, _ = make_key(make_organization(owner=owner), owner, "credits:read")

        page = operator.get(USE, {"subject": key.public_id}).content.decode()
        assert "Redis does not answer" in page

    def test_asks_for_a_subject_that_can_be_read(self, operator):
        only({"limit": 1234})

        page = operator.get(USE, {"subject": "somebody"}).content.decode()
        assert "Write an id" in page
        assert "1,234" not in page
