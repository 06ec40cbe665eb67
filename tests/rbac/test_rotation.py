"""New secrets for API keys, and how long the old ones work on."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.rbac.errors import (
    ExpiryInThePast,
    KeyAllowsMore,
    KeyEnded,
    KeyRotatedMeanwhile,
    KeyRotationRuns,
    OverlapTooLong,
)
from apps.rbac.models import ApiKey, UserRole
from apps.rbac.selectors import api_keys_of
from apps.rbac.services import keys, tokens
from apps.rbac.services.keys import coarse_agent
from apps.rbac.services.rotation import end_old_secret, rotate_key
from apps.tenants.models import AuditLog
from tests.people import make_key, make_member, make_organization, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def organization():
    return make_organization(slug="acme")


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


@pytest.fixture
def key(organization, developer):
    return make_key(organization, developer, "jobs:read", "organization:read")


def works(secret: str) -> bool:
    return with_key(secret).get("/api/v1/me").status_code == 200


def rotate(key, user, hours=1, **facts):
    until = timezone.now() + hours * HOUR if hours else None
    return rotate_key(key=key, user=user, old_until=until, **facts)


def rewind(key, **hours) -> None:
    """Move times of the key into the past, as if so many hours had gone by."""
    row = ApiKey.objects.get(pk=key.pk)
    ApiKey.objects.filter(pk=key.pk).update(
        **{name: getattr(row, name) - number * HOUR for name, number in hours.items()}
    )


class TestRotateKey:
    def test_lets_both_secrets_work_until_the_time(self, key, developer):
        row, old = key
        _, new = rotate(row, developer)
        assert (works(old), works(new)) == (True, True)

        rewind(row, previous_until=2)

        assert (works(old), works(new)) == (False, True)

    def test_stops_the_old_one_at_once_without_a_time(self, key, developer):
        row, old = key

        _, new = rotate(row, developer, hours=0)

        assert (works(old), works(new)) == (False, True)

    def test_stays_the_same_key(self, key, developer):
        row, old = key

        rotated, new = rotate(row, developer)

        assert (rotated.pk, rotated.name, rotated.scopes) == (row.pk, row.name, row.scopes)
        assert rotated.hint == tokens.hint_of(new)
        assert rotated.previous_hint == tokens.hint_of(old)

    def test_keeps_no_secret_and_writes_down_the_deed(self, key, developer):
        row, old = key

        _, new = rotate(row, developer)

        kept = str(list(ApiKey.objects.values())) + str(list(AuditLog.objects.values()))
        assert not [secret for secret in (old, new) if secret[17:49] in kept]
        entry = AuditLog.objects.get(action="api_key.rotate")
        assert entry.before["hint"] == tokens.hint_of(old)
        assert entry.after["hint"] == tokens.hint_of(new)

    def test_gives_another_expiry_where_asked(self, key, developer):
        row, _ = key
        end = timezone.now() + 100 * HOUR

        assert rotate(row, developer, expires_at=end)[0].expires_at == end
        row.refresh_from_db()
        assert rotate(row, developer)[0].expires_at == end
        row.refresh_from_db()
        assert rotate(row, developer, expires_at=None)[0].expires_at is None

    def test_lets_the_old_secret_live_no_longer_than_the_key_did(self, key, developer):
        row, _ = key
        end = timezone.now() + HOUR
        ApiKey.objects.filter(pk=row.pk).update(expires_at=end)

        rotated, _ = rotate(row, developer, hours=48, expires_at=timezone.now() + 90 * HOUR)

        assert rotated.previous_until == end

    def test_replaces_a_new_secret_that_nobody_used(self, key, developer):
        """As after an answer that was lost: the program still has the old one."""
        row, old = key
        rotated, lost = rotate(row, developer, hours=1)
        until = rotated.previous_until

        again, new = rotate(rotated, developer, hours=48)

        assert [works(one) for one in (old, lost, new)] == [True, False, True]
        assert again.previous_until == until

    def test_refuses_a_third_secret_while_both_are_in_use(self, key, developer):
        row, old = key
        rotated, new = rotate(row, developer)
        assert works(new)

        with pytest.raises(KeyRotationRuns):
            rotate(rotated, developer)

        assert (works(old), works(new)) == (True, True)

    def test_goes_on_once_the_old_secret_is_over(self, key, developer):
        row, old = key
        rotated, new = rotate(row, developer)
        assert works(new)
        rewind(row, previous_until=2)

        _, third = rotate(rotated, developer)

        assert [works(one) for one in (old, new, third)] == [False, True, True]

    def test_refuses_when_another_was_faster(self, key, developer):
        row, _ = key
        _, new = rotate(row, developer)

        with pytest.raises(KeyRotatedMeanwhile):
            rotate(row, developer)
        with pytest.raises(KeyRotatedMeanwhile):
            rotate(ApiKey.objects.get(pk=row.pk), developer, hint=row.hint)

        assert works(new)

    @pytest.mark.parametrize("how", ["revoked", "expired", "stopped", "inactive"])
    def test_refuses_a_key_that_has_ended(self, key, developer, how):
        row, _ = key
        if how == "revoked":
            keys.revoke_key(key=row)
        elif how == "expired":
            ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now())
        elif how == "stopped":
            UserRole.objects.filter(user=developer).delete()
        else:
            developer.is_active = False
            developer.save()

        with pytest.raises(KeyEnded):
            rotate(row, make_member(row.organization, "owner"))

    def test_refuses_who_may_less_than_the_key(self, organization, developer):
        owner = make_member(organization, "owner")
        row, secret = make_key(organization, owner, "organization:read", "billing:write")

        with pytest.raises(KeyAllowsMore, match=r"billing\.manage"):
            rotate(row, developer)

        assert works(secret)
        assert rotate(row, owner)

    @pytest.mark.parametrize(
        ("facts", "error"),
        [
            ({"hours": 24 * 7 + 1}, OverlapTooLong),
            ({"expires_at": timezone.now() - HOUR}, ExpiryInThePast),
        ],
    )
    def test_refuses_times_that_make_no_sense(self, key, developer, facts, error):
        with pytest.raises(error):
            rotate(key[0], developer, **facts)

        assert ApiKey.objects.get(pk=key[0].pk).hint == key[0].hint

    def test_stops_with_its_maker_whatever_the_secret(self, key, developer, organization):
        row, old = key
        _, new = rotate(row, developer)

        UserRole.objects.filter(user=developer).delete()

        assert (works(old), works(new)) == (False, False)
        assert api_keys_of(organization).get(pk=row.pk).status == "stopped"

    def test_is_revoked_with_both_secrets(self, key, developer):
        row, old = key
        _, new = rotate(row, developer)

        keys.revoke_key(key=row)

        assert (works(old), works(new)) == (False, False)


class TestEndOldSecret:
    def test_leaves_the_new_one(self, key, developer):
        row, old = key
        rotated, new = rotate(row, developer)

        end_old_secret(key=rotated)
        end_old_secret(key=rotated)

        assert (works(old), works(new)) == (False, True)
        assert AuditLog.objects.filter(action="api_key.end_old_secret").count() == 1


class TestTheDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            {"previous_digest": b"x" * 32},
            {
                "previous_digest": b"x" * 32,
                "previous_until": timezone.now() + 2 * HOUR,
                "expires_at": timezone.now() + HOUR,
            },
        ],
    )
    def test_refuses_an_old_secret_without_end(self, key, change):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(pk=key[0].pk).update(**change)


class TestLastUse:
    def test_is_kept_of_each_secret(self, key, developer):
        row, old = key
        assert works(old)
        rotated, new = rotate(row, developer)
        assert rotated.last_used_at is None
        before = rotated.previous_used_at

        with_key(new).get("/api/v1/me", headers={"User-Agent": "curl/8.5.0"})

        row.refresh_from_db()
        assert row.last_used_at is not None
        assert (row.previous_used_at, row.last_use) == (before, row.last_used_at)
        assert (row.last_used_ip, row.last_used_agent) == ("127.0.0.1", "curl")

    def test_of_the_old_one_does_not_count_as_one_of_the_new(self, key, developer):
        row, old = key
        rotate(row, developer)

        assert works(old)

        row.refresh_from_db()
        assert row.last_used_at is None
        assert row.previous_used_at is not None

    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32 (x86; host-17)", "python-requests"),
            ("Mozilla/5.0 (X11) Gecko/20100101 Firefox/151.0", "Firefox"),
            ("Mozilla/5.0 AppleWebKit/537 Chrome/149.0 Safari/537 Edg/149.0", "Edge"),
            ("Mozilla/5.0 AppleWebKit/537 Chrome/149.0 Safari/537", "Chrome"),
            ("Mozilla/5.0 (something)", "Browser"),
            ("", ""),
            ("<script>", ""),
            ("x" * 90, "x" * 40),
        ],
    )
    def test_names_programs_coarsely(self, user_agent, name):
        assert coarse_agent(user_agent) == name


class TestThePage:
    def test_shows_the_new_secret_once(self, key, developer):
        row, old = key
        client = signed_in(developer)
        sent = {"overlap": "24", "lifetime": "90", "hint": row.hint}

        answer = client.post(f"/o/acme/keys/{row.public_id}/rotate/", sent)

        secret = answer.context["new_key"]["secret"]
        assert (works(old), works(secret)) == (True, True)
        assert "no-store" in answer.headers["Cache-Control"]
        page = client.get("/o/acme/keys/").content.decode()
        assert secret not in page
        assert "End the old secret" in page

    def test_tells_that_it_was_rotated_meanwhile(self, key, developer):
        row, _ = key
        _, new = rotate(row, developer)
        sent = {"overlap": "0", "lifetime": "keep", "hint": row.hint}

        address = f"/o/acme/keys/{row.public_id}/rotate/"
        answer = signed_in(developer).post(address, sent, follow=True)

        assert "Somebody has rotated this key meanwhile" in answer.content.decode()
        assert works(new)

    def test_ends_the_old_secret(self, key, developer):
        row, old = key
        _, new = rotate(row, developer)

        signed_in(developer).post(f"/o/acme/keys/{row.public_id}/end-old-secret/")

        assert (works(old), works(new)) == (False, True)

    @pytest.mark.parametrize("what", ["rotate", "end-old-secret"])
    def test_is_closed_to_others(self, key, organization, what):
        address = f"/o/acme/keys/{key[0].public_id}/{what}/"
        sent = {"overlap": "0", "lifetime": "keep", "hint": key[0].hint}
        foreign = make_organization(slug="other")
        owner = make_member(foreign, "owner")

        assert signed_in(make_member(organization, "member")).post(address, sent).status_code == 403
        assert signed_in(owner).post(address, sent).status_code == 404
        elsewhere = address.replace("/acme/", "/other/")
        assert signed_in(owner).post(elsewhere, sent).status_code == 404
        assert signed_in(owner).get(elsewhere).status_code in (404, 405)
        assert works(key[1])

    def test_marks_keys_that_end_soon_and_keys_that_stopped(self, key, developer, organization):
        row, _ = key
        ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() + 24 * HOUR)
        leaver = make_member(organization, "developer")
        make_key(organization, leaver, "jobs:read")
        UserRole.objects.filter(user=leaver).delete()

        page = signed_in(developer).get("/o/acme/keys/").content.decode()

        assert "Expires soon" in page
        assert "Stopped: its maker has left" in page


class TestTheApi:
    def post(self, person, key, what="rotate", **body):
        address = f"/api/v1/keys/{key.public_id}/{what}"
        return signed_in(person).post(address, body, "application/json")

    def test_rotates_and_tells_of_the_old_secret(self, key, developer):
        row, old = key
        until = timezone.now() + HOUR

        answer = self.post(developer, row, old_secret_until=until.isoformat(), hint=row.hint)

        body = answer.json()
        assert works(body["secret"])
        assert works(old)
        assert (body["id"], body["status"]) == (row.public_id, "active")
        assert body["old_secret"]["hint"] == row.hint
        assert "no-store" in answer.headers["Cache-Control"]
        ended = self.post(developer, row, "end-old-secret").json()
        assert ended["old_secret"] is None
        assert "secret" not in ended

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"hint": "cof_test_other"}, 409, "key_rotated_meanwhile"),
            ({"old_secret_until": "2999-01-01T00:00:00Z"}, 400, "overlap_too_long"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, 400, "expiry_in_the_past"),
            ({"old_secret_until": "soon"}, 400, "validation_error"),
        ],
    )
    def test_refuses(self, key, developer, body, status, code):
        problem_of(self.post(developer, key[0], **body), status, code)

    def test_refuses_keys_and_strangers(self, key, organization):
        row, secret = key
        client = with_key(secret)

        refused = client.post(f"/api/v1/keys/{row.public_id}/rotate", {}, "application/json")
        problem_of(refused, 403, "permission_denied")
        problem_of(self.post(make_member(organization, "member"), row), 403)
        problem_of(self.post(make_member(make_organization(), "owner"), row), 404)
        assert works(secret)
