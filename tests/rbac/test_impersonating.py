"""Requests in a member's place: what they see, what they may not, and how it ends."""

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection, connections, transaction
from django.urls import URLPattern, get_resolver

from apps.core import clock, readonly, scope
from apps.core.errors import ReadOnly
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.grants import grant_credits
from apps.rbac.models import Impersonation, LastSeen, UserRole
from apps.rbac.services.impersonations import end_impersonation
from apps.rbac.services.keys import create_key
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog, User
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.organizations import create_organization, update_organization
from apps.tenants.services.people import update_profile
from tests.people import make_member, make_organization, make_person, signed_in
from tests.rbac.looking import REASON, TICKET, looking, make_support

pytestmark = pytest.mark.django_db

UNSAFE = ("post", "put", "patch", "delete")
# What a staff person writes about himself meanwhile, and what is written about it.
OWN_TABLES = {
    "django_session",
    "usersessions_usersession",
    "tenants_auditlog",
    "tenants_auditseal",
    "tenants_auditchain",
}


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker", time_zone="Asia/Tokyo")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def support():
    return make_support()


@pytest.fixture
def client(support, owner, organization):
    return looking(support, owner, organization)


def routes(patterns=None, prefix=""):
    """Yield every address that the resolver knows, filled in with names of this test."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield text
        else:
            yield from routes(pattern.url_patterns, text)


def address(route: str, slug: str) -> str | None:
    """Return an address of this route; None for those written as regular expressions."""
    if "(?P" in route or "\\" in route or "/djstripe/" in route:
        return None  # the sixty models of dj-stripe have the addresses that every other has
    route = route.replace("<slug:slug>", slug)
    while "<" in route:
        before, _, rest = route.partition("<")
        name, _, after = rest.partition(">")
        route = f"{before}{'1' if name.startswith('int:') else 'x'}{after}"
    return "/" + route.removeprefix("^").removesuffix("$")


def state_of_the_database() -> dict[str, str]:
    """Return a digest of each table."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - OWN_TABLES
        state = {}
        for table in sorted(tables):
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(r::text, '' ORDER BY r::text), '')) "
                f'FROM "{table}" r'
            )
            state[table] = cursor.fetchone()[0]
        return state


@pytest.mark.timeout(900)  # some hundred requests, on a machine that others use as well
class TestEveryUnsafeMethod:
    def test_is_refused_on_every_route_and_changes_nothing(self, client, organization):
        before = state_of_the_database()
        addresses = {address(route, organization.slug) for route in routes()} - {None}
        own = {"/impersonation/", "/accounts/logout/"}
        assert len(addresses) > 200

        wrong = [
            f"{method} {path}: {answer.status_code}"
            for path in sorted(addresses - own)
            for method in (UNSAFE if not path.startswith("/admin/") else ("post",))
            if (answer := getattr(client, method)(path)).status_code != 403
            and answer.status_code != 404
        ]

        assert wrong == []
        assert state_of_the_database() == before
        assert Impersonation.objects.get().ended_at is None

    def test_is_answered_with_a_problem_by_the_api(self, client):
        answer = client.patch("/api/v1/organization", {"name": "Mine"}, "application/json")

        assert answer.status_code == 403
        assert answer.json()["code"] == "read_only"

    def test_is_told_on_the_page_and_written_down(self, client, organization, support, owner):
        answer = client.post(f"/o/{organization.slug}/settings/", {"name": "Mine"})

        assert answer.status_code == 403
        assert "nothing was changed" in answer.content.decode()
        assert "Stop looking" in answer.content.decode()
        denial = audit_log_of(organization).get(result=AuditLog.Result.DENIED)
        assert denial.action == "impersonation.read_only"
        assert denial.actor == f"user:{support.public_id}"
        assert denial.acting_as == f"user:{owner.public_id}"


@pytest.mark.timeout(900)
class TestEveryRead:
    def test_breaks_nowhere_and_opens_nothing_but_the_organizations(
        self, client, organization, monkeypatch
    ):
        """Neither pages of the person's own, nor the back office, nor others' pages."""
        check, refused = readonly.check, []

        def noting(sql):
            try:
                check(sql)
            except ReadOnly:
                refused.append(sql)
                raise

        monkeypatch.setattr(readonly, "check", noting)
        before = state_of_the_database()
        open_ones = []
        for path in sorted({address(route, organization.slug) for route in routes()} - {None}):
            answer = client.get(path)
            is_off = answer.status_code == 503 and b"billing_not_configured" in answer.content
            assert answer.status_code < 500 or is_off, path
            if answer.status_code == 200:
                open_ones.append(path)

        mine = (f"/o/{organization.slug}/", "/api/", "/problems/")
        others = {path for path in open_ones if not path.startswith(mine)}
        assert others <= {"/impersonation/", "/livez", "/readyz"}
        assert f"/o/{organization.slug}/audit/" in open_ones
        assert refused == []  # no page that reads needs a statement that the guard does not know
        assert state_of_the_database() == before

    @pytest.mark.parametrize(
        "path",
        [
            "/accounts/2fa/totp/activate/",
            "/accounts/2fa/recovery-codes/",
            "/accounts/email/",
            "/account/profile/",
            "/account/sessions/",
            "/admin/",
            "/organizations/",
            "/organizations/new/",
        ],
    )
    def test_of_what_is_the_persons_own_is_refused(self, client, path):
        answer = client.get(path)

        assert answer.status_code == 403
        assert "This is not shown in another" in answer.content.decode()

    def test_sees_one_organization(self, client, owner, organization):
        other = make_organization(owner=owner, name="The other one")

        assert client.get(f"/o/{other.slug}/settings/").status_code == 404
        page = client.get(f"/o/{organization.slug}/settings/").content.decode()
        assert "The other one" not in page
        answer = client.get(
            "/api/v1/organization", headers={"Coffer-Organization": other.public_id}
        )
        assert answer.status_code == 404
        listed = client.get("/api/v1/organizations").json()["data"]
        assert [one["id"] for one in listed] == [organization.public_id]

    def test_shows_what_the_member_may_see_and_no_more(self, support, organization):
        member = make_member(organization, "member")

        answer = looking(support, member, organization).get(f"/o/{organization.slug}/audit/")

        assert answer.status_code == 403

    def test_opens_where_a_second_factor_is_asked(self, client, organization):
        type(organization).objects.update(requires_second_factor=True)

        assert client.get(f"/o/{organization.slug}/settings/").status_code == 200

    def test_is_not_kept_by_browsers_and_is_no_visit_of_his(self, client, organization, owner):
        answer = client.get(f"/o/{organization.slug}/settings/")

        assert "no-store" in answer["Cache-Control"]
        assert not LastSeen.objects.filter(user=owner).exists()

    def test_shows_the_banner_with_a_stop_button_on_every_page(self, client, organization):
        for path in ("settings/", "members/", "audit/", "keys/"):
            page = client.get(f"/o/{organization.slug}/{path}").content.decode()
            assert "data-impersonation" in page, path
            assert 'action="/impersonation/"' in page, path

    def test_of_what_is_not_there_leads_to_the_stop_button(self, client, organization):
        answer = client.get(f"/o/{organization.slug}/nothing/")

        assert answer.status_code == 404
        assert 'href="/impersonation/"' in answer.content.decode()
        assert 'action="/impersonation/"' in client.get("/impersonation/").content.decode()

    def test_by_others_shows_no_banner(self, organization, owner):
        page = signed_in(owner).get(f"/o/{organization.slug}/settings/").content.decode()

        assert "data-impersonation" not in page


class TestAService:
    """Whatever a view would call: the statement is refused before it is sent."""

    def calls(self, organization, owner):
        wallet = main_wallet(organization)
        other = make_person()
        return {
            "rename": lambda: update_organization(organization=organization, name="New"),
            "found": lambda: create_organization(name="More", owner=owner),
            "profile": lambda: update_profile(
                user=owner, full_name="X", avatar_url="", time_zone="UTC"
            ),
            "key": lambda: create_key(
                organization=organization, created_by=owner, name="K", scopes=["jobs:read"]
            ),
            "role": lambda: assign_role(
                user=other, role=system_role("member"), organization=organization
            ),
            "charge": lambda: charge_amount(wallet=wallet, amount=1, reference="r:1", source="api"),
            "grant": lambda: grant_credits(
                wallet=wallet,
                amount=5,
                kind=Lot.Kind.PROMOTIONAL,
                reference="g:1",
                source="promotion",
            ),
            "model": lambda: User.objects.filter(pk=owner.pk).update(full_name="X"),
            "delete": lambda: UserRole.objects.all().delete(),
        }

    @pytest.mark.parametrize(
        "name",
        [
            *("rename", "found", "profile", "key", "role", "charge", "grant"),
            *("model", "delete"),
        ],
    )
    def test_is_refused(self, organization, owner, name):
        call = self.calls(organization, owner)[name]
        before = state_of_the_database()

        with readonly.reading_only(), pytest.raises(ReadOnly), transaction.atomic():
            call()

        assert state_of_the_database() == before

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO a VALUES (1)",
            " update a set b = 1",
            "DELETE FROM a",
            "TRUNCATE a",
            "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
            "COPY a FROM stdin",
            "DO $$ BEGIN END $$",
            "CALL f()",
            "CREATE TABLE a ()",
            "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
            "WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x",
            'WITH x AS (UPDATE "a" SET b = 1 RETURNING 1) SELECT 1',
            "with x as (update a as k set b = 1 returning 1) select 1",
            "WITH x AS (UPDATE ONLY a k SET b = 1 RETURNING 1) SELECT 1",
            "UPDATE ONLY a SET b = 1",
            "ALTER TABLE a ADD b int",
            "NOTIFY a",
        ],
    )
    def test_cannot_send(self, organization, sql):
        """Nor as the first statement of a scope, in front of which its settings travel."""
        with readonly.reading_only(), scope.within(organization.pk), connection.cursor() as cursor:
            with pytest.raises(ReadOnly):
                cursor.execute(sql)
            with pytest.raises(ReadOnly):
                cursor.executemany(sql, [()])
            cursor.execute("SELECT 1")
            with pytest.raises(ReadOnly):
                cursor.execute(sql)

    @pytest.mark.django_db(transaction=True)
    def test_cannot_send_it_over_another_connection(self):
        other = connections.create_connection("default")
        try:
            with readonly.reading_only(), other.cursor() as cursor, pytest.raises(ReadOnly):
                cursor.execute("TRUNCATE no_such_table")
        finally:
            other.close()

    @pytest.mark.django_db(transaction=True)
    def test_cannot_send_it_outside_a_transaction(self):
        with readonly.reading_only(), scope.within(uuid4()), pytest.raises(ReadOnly):
            connection.cursor().execute("TRUNCATE no_such_table")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT updated_at FROM a FOR UPDATE",
            "(SELECT 1 FROM a) UNION (SELECT 2 FROM b)",
            "WITH x AS (SELECT 1 FROM a FOR NO KEY UPDATE) SELECT * FROM x",
            "WITH x AS (SELECT 1 FROM a FOR UPDATE OF a) SELECT * FROM x",
            'SAVEPOINT "s"',
        ],
    )
    def test_may_send(self, sql):
        with readonly.reading_only():
            readonly.check(sql)

    def test_may_write_elsewhere_and_afterwards(self, organization):
        with readonly.reading_only():
            pass

        update_organization(organization=organization, name="New")


class TestTheEnd:
    def test_by_the_button_leaves_the_staff_person_signed_in(self, client, support, organization):
        answer = client.post("/impersonation/")

        assert answer.status_code == 302
        assert Impersonation.objects.get().end_cause == Impersonation.Cause.STOPPED
        assert client.get("/admin/").wsgi_request.user == support
        assert client.get(f"/o/{organization.slug}/settings/").status_code == 404

    def test_comes_after_an_hour_whatever_is_asked(self, client, support, organization):
        row = Impersonation.objects.get()

        with clock.moved_to(row.expires_at):
            answer = client.get(f"/o/{organization.slug}/settings/")

        assert answer.status_code == 302
        row.refresh_from_db()
        assert row.end_cause == Impersonation.Cause.TIME
        assert client.get("/admin/").wsgi_request.user == support

    def test_is_not_there_a_moment_before(self, client, organization):
        row = Impersonation.objects.get()

        with clock.moved_to(row.expires_at - timedelta(seconds=1)):
            assert client.get(f"/o/{organization.slug}/settings/").status_code == 200

    def test_does_not_carry_out_what_was_asked(self, client, organization):
        row = Impersonation.objects.get()

        with clock.moved_to(row.expires_at):
            answer = client.patch("/api/v1/organization", {"name": "X"}, "application/json")

        assert answer.status_code == 403
        assert answer.json()["code"] == "impersonation_over"

    def lose_role(self, support, owner, organization):
        UserRole.objects.filter(user=support).delete()

    def lose_staff(self, support, owner, organization):
        User.objects.filter(pk=support.pk).update(is_staff=False)

    def become_staff(self, support, owner, organization):
        User.objects.filter(pk=owner.pk).update(is_staff=True)

    def become_inactive(self, support, owner, organization):
        User.objects.filter(pk=owner.pk).update(is_active=False)

    def be_shut(self, support, owner, organization):
        type(organization).objects.filter(pk=organization.pk).update(is_active=False)

    @pytest.mark.parametrize(
        "change", ["lose_role", "lose_staff", "become_staff", "become_inactive", "be_shut"]
    )
    def test_comes_with_the_next_request_after_access_changed(
        self, client, support, owner, organization, change
    ):
        getattr(self, change)(support, owner, organization)

        answer = client.get(f"/o/{organization.slug}/settings/")

        assert answer.status_code == 302
        assert Impersonation.objects.get().end_cause == Impersonation.Cause.ACCESS

    def test_comes_when_it_is_ended_elsewhere(self, client, organization):
        end_impersonation(
            impersonation=Impersonation.objects.get(), cause=Impersonation.Cause.REPLACED
        )

        assert client.get(f"/o/{organization.slug}/settings/").status_code == 302

    def test_comes_with_signing_out_which_signs_out_the_staff_person(self, client):
        client.post("/accounts/logout/")

        assert Impersonation.objects.get().end_cause == Impersonation.Cause.SIGNED_OUT
        assert not client.get("/").wsgi_request.user.is_authenticated


class TestTheSession:
    def test_gets_another_key_at_both_ends_and_stays_in_the_list(
        self, support, owner, organization
    ):
        client = signed_in(support)
        first = client.session.session_key
        UserSession.objects.update_or_create(
            session_key=first, defaults={"user": support, "ip": "127.0.0.1"}
        )
        client.post(f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization))
        second = client.session.session_key
        client.post("/impersonation/")
        third = client.session.session_key

        assert len({first, second, third}) == 3
        assert UserSession.objects.get(user=support).session_key == third

    def test_of_another_staff_person_gets_nothing_of_it(self, client, organization, owner):
        other = signed_in(make_support())
        session = other.session
        session["impersonation"] = str(Impersonation.objects.get().pk)
        session.save()

        answer = other.get(f"/o/{organization.slug}/settings/")

        assert answer.status_code == 404
        assert answer.wsgi_request.user != owner


def form(organization, **fields):
    return {"organization": organization.pk, "reason": REASON, "ticket": TICKET, **fields}


class TestTheBackOffice:
    @pytest.fixture
    def root(self):
        return make_person(is_staff=True, is_superuser=True)

    def test_begins_it_from_the_page_of_a_person(self, root, owner, organization):
        client = signed_in(root)
        page = client.get(f"/admin/tenants/user/{owner.pk}/change/").content.decode()
        assert f"/admin/tenants/user/{owner.pk}/impersonate/" in page

        answer = client.post(f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization))

        assert answer["Location"] == f"/o/{organization.slug}/start/"
        seen = client.get(f"/o/{organization.slug}/settings/")
        assert seen.wsgi_request.user == owner

    def test_asks_for_the_password_once_more(self, root, owner, organization):
        root.set_password("a good long password")
        root.save()
        client = signed_in(root, is_fresh=False)

        answer = client.post(f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization))

        assert "reauthenticate" in answer["Location"]
        assert not Impersonation.objects.exists()

    def test_asks_for_a_second_factor(self, root, owner, organization, settings):
        settings.STAFF_SECOND_FACTOR = True
        client = signed_in(root, has_factor=False)

        answer = client.post(f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization))

        assert answer["Location"].startswith("/account/second-factor/")
        assert not Impersonation.objects.exists()

    def test_shows_refusals_on_the_form(self, root, owner, organization):
        client = signed_in(root)

        answer = client.post(
            f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization, reason="look")
        )

        assert answer.status_code == 200
        assert "Give a reason" in answer.content.decode()
        assert not Impersonation.objects.exists()

    def test_refuses_staff_without_the_role(self, owner, organization):
        client = signed_in(make_person(is_staff=True))

        answer = client.post(f"/admin/tenants/user/{owner.pk}/impersonate/", form(organization))

        assert answer.status_code in (302, 403)
        assert not Impersonation.objects.exists()

    def test_lists_them_read_only(self, root, owner, organization, client):
        answer = signed_in(root).get("/admin/rbac/impersonation/")

        assert answer.status_code == 200
        assert TICKET in answer.content.decode()
        assert signed_in(root).get("/admin/rbac/impersonation/add/").status_code == 403
