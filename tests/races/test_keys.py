"""API keys that are rotated, revoked and used at the same moment: real connections."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.errors import DomainError
from apps.rbac.models import ApiKey
from apps.rbac.services import keys
from apps.rbac.services.rotation import rotate_key
from apps.tenants.models import AuditLog
from apps.tenants.selectors.chains import walk_audit_chains
from tests.people import make_key, make_member, make_organization, with_key
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6
ROUNDS = 4


@pytest.fixture
def key():
    organization = make_organization(slug="acme")
    person = make_member(organization, "developer")
    return make_key(organization, person, "organization:read")


def works(secret: str) -> bool:
    return with_key(secret).get("/api/v1/me").status_code == 200


def rotated(key: ApiKey, *, overlap: timedelta | None) -> str:
    """Return the new secret, or the code of the refusal."""
    until = timezone.now() + overlap if overlap else None
    try:
        return rotate_key(key=key, user=key.created_by, old_until=until)[1]
    except DomainError as error:
        return error.code


class TestRotation:
    @pytest.mark.parametrize("overlap", [None, timedelta(hours=1)])
    def test_happens_once_when_it_is_asked_twice(self, key, overlap):
        row, old = key

        answers = at_once([lambda: rotated(row, overlap=overlap)] * RACERS)

        secrets = [one for one in answers if one.startswith("cof_")]
        assert len(secrets) == 1
        assert set(answers) - set(secrets) == {"key_rotated_meanwhile"}
        assert works(secrets[0])
        assert works(old) == (overlap is not None)
        assert AuditLog.objects.filter(action="api_key.rotate").count() == 1

    def test_never_outlives_a_revocation(self, key):
        row, old = key
        hour = timedelta(hours=1)

        def revoke() -> str:
            keys.revoke_key(key=row)
            return "revoked"

        answers = at_once([lambda: rotated(row, overlap=hour), revoke] * (RACERS // 2))

        secrets = [one for one in answers if one.startswith("cof_")]
        assert not [one for one in (old, *secrets) if works(one)]
        assert ApiKey.objects.get(pk=row.pk).status == "revoked"
        assert AuditLog.objects.filter(action="api_key.revoke").count() == 1
        assert [one for one in walk_audit_chains() if one.fault] == []


class TestUse:
    def test_ends_with_the_revocation(self, key):
        """Whoever asks after the revocation was answered is refused, whatever runs beside it."""
        row, secret = key

        def use() -> list[int]:
            return [with_key(secret).get("/api/v1/me").status_code for _ in range(ROUNDS)]

        def revoke() -> list[int]:
            keys.revoke_key(key=row)
            return use()

        *used, after = at_once([use] * (RACERS - 1) + [revoke])

        assert after == [401] * ROUNDS
        for codes in used:
            assert set(codes) <= {200, 401}
            assert codes == sorted(codes)  # once refused, always refused
        assert ApiKey.objects.get(pk=row.pk).revoked_at is not None

    def test_at_the_same_moment_as_a_rotation_never_fails(self, key):
        row, old = key
        hour = timedelta(hours=1)

        def use() -> str:
            return str(all(works(old) for _ in range(ROUNDS)))

        *used, new = at_once([use] * (RACERS - 1) + [lambda: rotated(row, overlap=hour)])

        assert set(used) == {"True"}
        assert works(new)
