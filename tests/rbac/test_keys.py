"""API keys: making, using and ending them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.rbac.errors import ExpiryInThePast, ScopeNotHeld, ScopesRequired, UnknownScope
from apps.rbac.models import ApiKey, UserRole
from apps.rbac.services import keys, tokens
from apps.rbac.services.roles import system_role
from apps.tenants.models import AuditLog
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


@pytest.fixture
def key(organization, developer):
    return make_key(organization, developer, "jobs:read", "organization:read")


class TestCreateKey:
    def test_keeps_only_a_digest_of_the_secret(self, key):
        row, secret = key

        kept = str(list(ApiKey.objects.filter(pk=row.pk).values()))
        assert secret not in kept
        assert secret[17:49] not in kept
        assert bytes(row.digest) == tokens.digest_of(secret)

    def test_is_written_down_without_the_secret(self, key):
        row, secret = key

        entry = AuditLog.objects.get(action="api_key.create")
        assert entry.object_id == row.public_id
        assert secret[17:49] not in str(entry.after)

    @pytest.mark.parametrize(
        ("scopes", "error"),
        [
            ([], ScopesRequired),
            (["tea:make"], UnknownScope),
            (["jobs:read", "billing:write"], ScopeNotHeld),
            (["members:write"], ScopeNotHeld),
        ],
    )
    def test_refuses_scopes_that_cannot_be_given(self, organization, developer, scopes, error):
        with pytest.raises(error):
            make_key(organization, developer, *scopes)

        assert not ApiKey.objects.exists()

    def test_refuses_an_expiry_that_has_passed(self, organization, developer):
        with pytest.raises(ExpiryInThePast):
            keys.create_key(
                organization=organization,
                created_by=developer,
                name="late",
                scopes=["jobs:read"],
                expires_at=timezone.now() - timedelta(seconds=1),
            )


class TestRevokeKey:
    def test_stops_the_key_at_once(self, key):
        row, secret = key

        keys.revoke_key(key=row)

        problem_of(with_key(secret).get("/api/v1/me"), 401, "authentication_required")
        assert AuditLog.objects.filter(action="api_key.revoke", object_id=row.public_id).exists()

    def test_keeps_the_time_of_the_first_revocation(self, key):
        row, _ = key
        first = keys.revoke_key(key=row).revoked_at

        again = keys.revoke_key(key=row)

        assert again.revoked_at == first
        assert AuditLog.objects.filter(action="api_key.revoke").count() == 1


class TestSignInByKey:
    def test_acts_as_the_one_who_made_it(self, key, organization, developer):
        row, secret = key

        body = with_key(secret).get("/api/v1/me").json()

        assert body["user"]["id"] == developer.public_id
        assert body["organization"]["id"] == organization.public_id
        assert (body["key_id"], body["scopes"]) == (row.public_id, row.scopes)
        assert body["permissions"] == ["jobs.view", "jobs.view_own", "organization.view"]

    def test_tells_how_when_no_key_is_sent(self, client):
        response = client.get("/api/v1/me")

        problem_of(response, 401, "authentication_required")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize(
        "change",
        [
            {"revoked_at": timezone.now()},
            {"expires_at": timezone.now()},
            {"digest": b"x" * 32},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_refuses_a_key_that_has_ended(self, key, change):
        row, secret = key
        ApiKey.objects.filter(pk=row.pk).update(**change)

        response = with_key(secret).get("/api/v1/me")

        problem_of(response, 401, "authentication_required")
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]

    def test_refuses_the_key_of_one_who_left(self, key, developer):
        UserRole.objects.filter(user=developer).delete()

        problem_of(with_key(key[1]).get("/api/v1/me"), 401, "authentication_required")

    def test_refuses_the_key_of_one_who_is_not_active(self, key, developer):
        developer.is_active = False
        developer.save()

        problem_of(with_key(key[1]).get("/api/v1/me"), 401, "authentication_required")

    def test_refuses_the_key_of_an_organization_that_is_not_active(self, key, organization):
        organization.is_active = False
        organization.save()

        problem_of(with_key(key[1]).get("/api/v1/me"), 401, "authentication_required")

    def test_works_until_the_moment_of_expiry(self, key):
        row, secret = key
        ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(hours=1))

        assert with_key(secret).get("/api/v1/me").status_code == 200

    @pytest.mark.parametrize("token", ["", "nonsense", "cof_test_" + "A" * 46])
    def test_asks_no_database_about_a_mistyped_key(self, token, django_assert_num_queries):
        with django_assert_num_queries(0):
            response = with_key(token).get("/api/v1/me")

        problem_of(response, 401, "authentication_required")

    def test_does_the_same_work_for_unknown_and_revoked_keys(self, key):
        row, secret = key
        keys.revoke_key(key=row)
        statements = []

        for token in (secret, tokens.new_token(is_live=False)):
            with CaptureQueriesContext(connection) as queries:
                with_key(token).get("/api/v1/me")
            statements.append(len(queries))

        assert statements == [1, 1]

    def test_notes_its_use_at_most_once_a_minute(self, key):
        row, secret = key
        noted = []

        for _ in range(3):
            with_key(secret).get("/api/v1/me")
            noted.append(ApiKey.objects.get(pk=row.pk).last_used_at)

        assert noted[0] is not None
        assert len(set(noted)) == 1

    def test_notes_it_again_after_a_minute(self, key):
        row, secret = key
        long_ago = timezone.now() - timedelta(seconds=61)
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=long_ago)

        with_key(secret).get("/api/v1/me")

        row.refresh_from_db()
        assert row.last_used_at > long_ago
        assert row.last_used_ip == "127.0.0.1"

    def test_loses_what_its_maker_loses(self, organization):
        owner = make_member(organization, "admin")
        _, secret = make_key(organization, owner, "keys:read")
        UserRole.objects.filter(user=owner).update(role=system_role("member"))

        problem = problem_of(with_key(secret).get("/api/v1/keys"), 403, "permission_denied")
        assert problem["permission"] == "keys.view"
