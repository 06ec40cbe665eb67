"""Reading the audit log: page, file, API and back office."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import context
from apps.rbac.pages import audit as page
from apps.tenants.models import AuditLog, PersonalValue
from apps.tenants.selectors import audit as selecting
from apps.tenants.selectors import audit_log_of
from apps.tenants.selectors.audit import AuditFilters, matching_audit
from apps.tenants.services import audit
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db

CANARY = "canary-of-another-organization"


@pytest.fixture
def organization():
    return make_organization(slug="acme")


@pytest.fixture
def other():
    other = make_organization(slug="other")
    write(other, object_id=CANARY, reason=CANARY)
    return other


@pytest.fixture
def owner(organization):
    return make_member(organization, "owner", full_name="Ada Acker")


def write(organization, actor="user:usr_1", acting_as="", ip_address="192.0.2.7", **facts):
    facts.setdefault("action", "thing.do")
    with (
        context.acting(
            actor=actor, acting_as=acting_as, request_id="req_12345678", ip_address=ip_address
        ),
        transaction.atomic(),
    ):
        return audit.record(organization=organization, **facts)


def seal() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def body_of(client, query="") -> str:
    answer = client.get(f"/o/acme/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def rows_of(answer) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


class TestThePage:
    @pytest.mark.parametrize(
        ("role", "status"),
        [("owner", 200), ("admin", 200), ("read-only", 200), ("developer", 403), ("member", 403)],
    )
    def test_is_for_those_who_may_see_it(self, organization, role, status):
        client = signed_in(make_member(organization, role))

        assert client.get("/o/acme/audit/").status_code == status
        assert client.get("/o/acme/audit/?format=csv").status_code == status

    def test_tells_who_as_whom_what_and_the_change(self, organization, owner):
        key, _ = make_key(organization, owner, "jobs:read")
        write(
            organization,
            actor=f"key:{key.public_id}",
            acting_as=f"user:{owner.public_id}",
            action="thing.rename",
            object_id="thing_7",
            before={"name": "<old>", "same": 1},
            after={"name": "new", "same": 1},
        )
        seal()

        body = body_of(signed_in(owner))

        for words in ("thing.rename", "Test (API key)", "Ada Acker", "thing_7", "192.0.2.7"):
            assert words in body
        assert "<del>&lt;old&gt;</del> <ins>new</ins>" in body
        assert "1 value" in body

    def test_calls_staff_support(self, organization, owner):
        staff = make_person(is_staff=True, full_name="Rosa Root")
        write(organization, actor=f"user:{staff.public_id}")

        body = body_of(signed_in(owner))

        assert "Support" in body
        assert "Rosa" not in body

    def test_shows_nothing_of_others(self, organization, owner, other):
        client = signed_in(owner)
        foreign = AuditLog.objects.get(object_id=CANARY)

        for query in ("", f"?q={CANARY}", f"?before={foreign.public_id}", "?format=csv"):
            answer = client.get(f"/o/acme/audit/{query}")
            assert b"canary-of-another-organization</span>" not in answer.getvalue()
        assert CANARY not in body_of(client)
        assert client.get("/o/other/audit/").status_code == 404

    def test_goes_on_where_the_page_before_ended(self, organization, owner, monkeypatch):
        monkeypatch.setattr(page, "PAGE_SIZE", 3)
        for number in range(7):
            write(organization, action=f"step.n{number}")
        client, query, seen = signed_in(owner), "?action=step", []

        while query is not None:
            answer = client.get(f"/o/acme/audit/{query}")
            seen += [line.row.action for line in answer.context["lines"]]
            following = answer.context["next_url"]
            query = following and following[following.index("?") :]

        assert seen == [f"step.n{number}" for number in reversed(range(7))]

    def test_costs_the_same_whatever_the_number_of_rows(self, organization, owner):
        client, counts = signed_in(owner), []
        write(organization, actor=f"user:{owner.public_id}")
        client.get("/o/acme/audit/")
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                body_of(client)
            counts.append(len(queries))
            for number in range(10):
                maker = make_member(organization, "member")
                write(organization, actor=f"user:{maker.public_id}", object_id=str(number))

        assert counts[0] == counts[1]


class TestFilters:
    @pytest.fixture
    def rows(self, organization):
        return {
            "first": write(organization, actor="user:usr_a", action="api_key.create"),
            "second": write(organization, actor="key:key_b", acting_as="user:usr_a"),
            "denied": write(
                organization, action="api_keys.view", object_id="key_9", result="denied"
            ),
            "telling": write(
                organization, after={"note": "Größe 100%"}, ip_address="2001:db8::1", reason="Why"
            ),
        }

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({"actor": "user:usr_a"}, {"first", "second"}),
            ({"actor": "key:key_b"}, {"second"}),
            ({"action": "api_key"}, {"first"}),
            ({"action": "api_key.create"}, {"first"}),
            ({"object_id": "key_9"}, {"denied"}),
            ({"object_id": "key_"}, set()),
            ({"result": "denied"}, {"denied"}),
            ({"text": "größe 100%"}, {"telling"}),
            ({"text": "wh"}, {"telling"}),
            ({"text": "2001:db8::1"}, {"telling"}),
            ({"text": "2001:db8::"}, set()),
            ({"text": "req_12345678"}, {"first", "second", "denied", "telling"}),
            ({"text": "req_1234567"}, set()),
            ({"created_from": timezone.now() + timedelta(hours=1)}, set()),
            ({"created_before": timezone.now() - timedelta(hours=1)}, set()),
            ({"actor": "user:usr_a", "action": "thing"}, {"second"}),
        ],
    )
    def test_find_what_fits_all_of_them(self, organization, rows, filters, found):
        fitting = matching_audit(audit_log_of(organization), AuditFilters(**filters))

        assert {name for name, row in rows.items() if row in fitting} == found

    @pytest.mark.parametrize("column", ["reason", "before", "after"])
    def test_of_text_find_what_a_token_stands_for_and_nothing_in_it(self, organization, column):
        told = "Asked by zoe@example.com"
        row = write(organization, **{column: told if column == "reason" else {"note": told}})
        token = PersonalValue.objects.get(entry=row).token

        def found(text: str) -> bool:
            return row in matching_audit(audit_log_of(organization), AuditFilters(text=text))

        assert found("ZOE@example")
        assert not found("personal")
        assert not found(token[9:15])

    def test_of_days_hold_in_the_page(self, organization, rows, owner):
        today = timezone.now().date()
        tomorrow = today + timedelta(days=1)
        client = signed_in(owner)

        assert "Why" in body_of(client, f"?from_date={today}&to_date={today}")
        assert "Why" not in body_of(client, f"?from_date={tomorrow}")
        assert "Why" in body_of(client, "?from_date=nonsense")
        assert "Why" in body_of(client, "?from_date=0001-01-01&to_date=9999-12-31")


class TestTheFile:
    def test_holds_what_fits_without_formulas(self, organization, owner, monkeypatch):
        monkeypatch.setattr(selecting, "CHUNK", 2)
        for number in range(5):
            write(organization, action="step.do", object_id=f"=cmd|{number}", after={"a": number})
        seal()

        found = rows_of(signed_in(owner).get("/o/acme/audit/?format=csv&action=step"))

        assert [row["object"] for row in found] == [f"'=cmd|{n}" for n in reversed(range(5))]
        assert found[0]["after"] == '{"a": 4}'
        assert int(found[0]["sequence"]) == int(found[4]["sequence"]) + 4
        assert len(found[0]["entry_hash"]) == 64


class TestTheApi:
    @pytest.fixture
    def client(self, organization, owner):
        return with_key(make_key(organization, owner, "audit:read")[1])

    def test_lists_and_goes_on(self, organization, client):
        for number in range(3):
            write(organization, action=f"step.n{number}")
        seal()

        first = client.get("/api/v1/audit", {"action": "step", "limit": 2}).json()
        rest = client.get(
            "/api/v1/audit", {"action": "step", "limit": 2, "cursor": first["next_cursor"]}
        ).json()

        assert [row["action"] for row in first["data"] + rest["data"]] == [
            "step.n2",
            "step.n1",
            "step.n0",
        ]
        assert (rest["has_more"], first["data"][0]["result"]) == (False, "done")
        assert first["data"][0]["sequence"] == first["data"][1]["sequence"] + 1

    def test_tells_one_row_and_none_of_others(self, organization, client, other):
        row = write(organization, object_id="thing_7")
        foreign = AuditLog.objects.get(object_id=CANARY)

        assert client.get(f"/api/v1/audit/{row.public_id}").json()["object_id"] == "thing_7"
        answers = [
            client.get(f"/api/v1/audit/{one}")
            for one in (foreign.public_id, "aud_01K00000000000000000000000", "nonsense")
        ]
        assert {problem_of(one, 404)["detail"] for one in answers} == {"There is no such object."}
        listed = client.get("/api/v1/audit", {"q": CANARY}).json()
        assert listed["data"] == []

    def test_gives_a_file(self, organization, client):
        write(organization, action="step.do")

        assert len(rows_of(client.get("/api/v1/audit.csv", {"action": "step"}))) == 1

    def test_needs_the_scope(self, organization, owner):
        client = with_key(make_key(organization, owner, "jobs:read")[1])

        for address in ("audit", "audit.csv", "audit/aud_01K00000000000000000000000"):
            problem_of(client.get(f"/api/v1/{address}"), 403, "permission_denied")

    @pytest.mark.parametrize("query", [{"colour": "red"}, {"result": "maybe"}, {"cursor": "x"}])
    def test_refuses_what_it_does_not_know(self, client, query):
        problem_of(client.get("/api/v1/audit", query), 400, "validation_error")


class TestTheBackOffice:
    def test_shows_and_never_changes(self, organization):
        staff = make_person(is_staff=True, is_superuser=True)
        row = write(organization, object_id="thing_7")
        seal()
        client = signed_in(staff)

        listed = client.get("/admin/tenants/auditlog/?actor=user:usr_1")
        shown = client.get(f"/admin/tenants/auditlog/{row.pk}/change/")
        changed = client.post(f"/admin/tenants/auditlog/{row.pk}/change/", {"actor": "x"})
        removed = client.post(f"/admin/tenants/auditlog/{row.pk}/delete/", {"post": "yes"})

        assert b"thing_7" in listed.content
        row = AuditLog.objects.select_related("seal").get(pk=row.pk)
        assert bytes(row.seal.entry_hash).hex() in shown.content.decode()
        assert (changed.status_code, removed.status_code) == (403, 403)
        assert row.actor == "user:usr_1"

    def test_is_closed_to_staff_without_the_permission(self):
        staff = make_person(is_staff=True)
        assert signed_in(staff).get("/admin/tenants/auditlog/").status_code == 403

        staff.user_permissions.add(Permission.objects.get(codename="view_auditlog"))
        assert signed_in(staff).get("/admin/tenants/auditlog/").status_code == 200
