"""Values that staff set while the instance runs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.credits.selectors import correction_limit
from apps.rbac.pages.notices import MAINTENANCE
from apps.rbac.services.erasures import GRACE_DAYS, request_erasure
from apps.rbac.services.impersonations import MINUTES
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.errors import AdminRequired, InvalidSetting, UnknownSetting
from apps.tenants.models import AdminConfig, AuditLog
from apps.tenants.selectors.config import Setting, known_settings, value_of
from apps.tenants.services.config import reset_config, set_config
from tests.people import make_member, make_organization, make_person, signed_in
from tests.rbac.looking import make_support, start

pytestmark = pytest.mark.django_db

LIMIT = "credits.correction_limit"


@pytest.fixture
def root():
    return make_person(is_staff=True, is_superuser=True)


@pytest.fixture
def operator():
    person = make_person(is_staff=True)
    assign_role(user=person, role=system_role("operator"), organization=None)
    return person


class TestSetConfig:
    def test_counts_from_the_next_decision_on(self, root):
        assert correction_limit() == 10_000

        set_config(key=LIMIT, value=50, by=root)

        assert correction_limit() == 50
        reset_config(key=LIMIT, by=root)
        assert correction_limit() == 10_000

    def test_sets_how_long_staff_look(self, operator):
        set_config(key=MINUTES.key, value=20, by=operator)
        organization = make_organization()
        row = start(make_support(), make_member(organization, "member"), organization)

        assert row.expires_at - row.started_at == timedelta(minutes=20)

    def test_sets_how_long_an_erasure_can_be_undone(self, root):
        set_config(key=GRACE_DAYS.key, value=14, by=root)
        person = make_person()
        erasure = request_erasure(user=person, confirmation=person.email)

        assert timedelta(days=13) < erasure.due_at - erasure.created_at < timedelta(days=15)

    def test_is_written_down_with_what_it_was(self, root):
        set_config(key=LIMIT, value=50, by=root)
        set_config(key=LIMIT, value=60, by=root)
        set_config(key=LIMIT, value=60, by=root)  # nothing new, so no row

        changes = [(one.before, one.after) for one in AuditLog.objects.filter(action="config.set")]
        assert sorted(changes, key=str) == [
            ({"value": 50}, {"value": 60}),
            ({"value": None}, {"value": 50}),
        ]

    @pytest.mark.parametrize("value", ["50", 50.0, True, None, [50], -1, 1_000_000_001])
    def test_takes_only_its_type_and_size(self, root, value):
        with pytest.raises(InvalidSetting):
            set_config(key=LIMIT, value=value, by=root)

        assert not AdminConfig.objects.exists()

    def test_knows_its_keys(self, root):
        with pytest.raises(UnknownSetting):
            set_config(key="credits.correction_limits", value=1, by=root)

    def test_needs_a_superuser_where_it_says_so(self, operator):
        with pytest.raises(AdminRequired):
            set_config(key=LIMIT, value=50, by=operator)

    def test_needs_one_as_well_where_the_row_says_so(self, operator):
        set_config(key=MINUTES.key, value=20, by=operator)
        AdminConfig.objects.update(requires_admin=True)

        with pytest.raises(AdminRequired):
            reset_config(key=MINUTES.key, by=operator)


class TestASetting:
    @pytest.mark.parametrize(
        ("setting", "good", "bad"),
        [
            (Setting("x.b", default=True, description=""), False, 0),
            (Setting("x.t", default="a", description="", maximum=3), "abc", "abcd"),
            (Setting("x.i", default=1, description="", minimum=0, maximum=3), 3, 4),
        ],
    )
    def test_takes_its_type(self, setting, good, bad):
        assert setting.check(good) == good
        with pytest.raises(InvalidSetting):
            setting.check(bad)

    @pytest.mark.parametrize(("stored", "read"), [(-5, 0), ("many", 10_000), (10**12, 10**9)])
    def test_is_never_looser_than_its_bounds(self, stored, read):
        AdminConfig.objects.create(key=LIMIT, value=stored)

        assert correction_limit() == read

    def test_is_read_with_one_query_and_only_the_notice_by_pages(self):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            value_of(MINUTES)
        assert len(asked) == 1

        owner = make_person()
        organization = make_organization(owner=owner)
        client = signed_in(owner)
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/o/{organization.slug}/settings/")
        read = [one["sql"] for one in asked if "adminconfig" in one["sql"]]
        assert len(read) == 1
        assert MAINTENANCE.key in read[0]  # which is there to be shown

    def test_is_in_its_bounds_by_default(self):
        for setting in known_settings():
            assert setting.check(setting.default) == setting.default
            assert setting.description


class TestTheApi:
    def test_lists_sets_and_resets(self, operator):
        client = signed_in(operator)
        listed = client.get("/api/v1/staff/config").json()["data"]
        assert {one["key"] for one in listed} == {one.key for one in known_settings()}

        url = f"/api/v1/staff/config/{MINUTES.key}"
        assert client.put(url, {"value": 15}, "application/json").json()["value"] == 15
        assert client.get(url).json()["value"] == 15
        assert client.delete(url).json()["value"] is None

    def test_refuses_what_the_service_refuses(self, operator):
        client = signed_in(operator)

        def put(key, value):
            answer = client.put(f"/api/v1/staff/config/{key}", {"value": value}, "application/json")
            return answer.status_code, answer.json()["code"]

        assert put(LIMIT, 5) == (403, "admin_required")
        assert put(MINUTES.key, 61) == (422, "invalid_setting")
        assert put("no.such", 1) == (404, "unknown_setting")

    def test_does_not_exist_for_others(self, root):
        owner = make_person()
        make_organization(owner=owner)

        for person in (owner, make_person(is_staff=True)):
            assert signed_in(person).get("/api/v1/staff/config").status_code == 404


class TestTheBackOffice:
    def test_sets_a_value_and_says_what_it_is(self, root):
        client = signed_in(root)

        answer = client.post("/admin/tenants/adminconfig/add/", {"key": LIMIT, "value": "70"})

        assert answer.status_code == 302
        assert correction_limit() == 70
        page = client.get("/admin/tenants/adminconfig/").content.decode()
        assert "one member of staff may correct alone" in page

    def test_changes_and_deletes_one(self, root):
        set_config(key=LIMIT, value=70, by=root)
        client = signed_in(root)

        client.post(f"/admin/tenants/adminconfig/{quoted(LIMIT)}/change/", {"value": "80"})
        assert correction_limit() == 80
        client.post(f"/admin/tenants/adminconfig/{quoted(LIMIT)}/delete/", {"post": "yes"})
        assert correction_limit() == 10_000

    @pytest.mark.parametrize("value", ['"many"', "-1", "true"])
    def test_refuses_another_type_on_the_form(self, root, value):
        answer = signed_in(root).post(
            "/admin/tenants/adminconfig/add/", {"key": LIMIT, "value": value}
        )

        assert answer.status_code == 200
        assert "takes a whole number" in answer.content.decode()
        assert not AdminConfig.objects.exists()


def quoted(key: str) -> str:
    """Return a key as the admin writes it in addresses."""
    return key.replace("_", "_5F")
