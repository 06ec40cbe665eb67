"""From where a request comes, behind proxies and without."""

import time

import pytest
from allauth.usersessions.models import UserSession
from django.test import RequestFactory

from apps.core.middleware import client_ip
from apps.tenants.models import AuditLog
from tests.people import make_person, signed_in

PROXY = "10.0.0.1"


def told(forwarded: str | None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_ip(RequestFactory(REMOTE_ADDR=PROXY).get("/", headers=headers))


class TestTheAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "expected"),
        [
            (0, None, PROXY),
            (0, "192.0.2.7", PROXY),  # forged: nobody in front is trusted
            (1, "192.0.2.7", "192.0.2.7"),
            (1, "198.51.100.1, 192.0.2.7", "192.0.2.7"),  # the first is forged
            (2, "198.51.100.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
            (2, "192.0.2.7", PROXY),
            (1, None, PROXY),
            (1, "unknown", PROXY),
            (1, "192.0.2.7:4711", "192.0.2.7"),
            (1, "2001:db8::7", "2001:db8::7"),
            (1, "[2001:db8::7]:4711", "2001:db8::7"),
            (1, "fe80::7%eth0", "fe80::7"),
        ],
    )
    def test_is_what_the_trusted_proxies_tell(self, settings, proxies, forwarded, expected):
        settings.TRUSTED_PROXIES = proxies

        assert told(forwarded) == expected


@pytest.mark.django_db
class TestWhereItIsKept:
    @pytest.mark.parametrize(("proxies", "expected"), [(0, PROXY), (1, "192.0.2.7")])
    def test_is_the_same_in_sessions_and_audit_rows(self, settings, proxies, expected):
        settings.TRUSTED_PROXIES = proxies
        headers = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7", "User-Agent": "A\tb" * 200}
        client = signed_in(make_person(), REMOTE_ADDR=PROXY, headers=headers)
        session = client.session
        session["seen_at"] = int(time.time()) - 301
        session.save()
        UserSession.objects.update_or_create(
            session_key=session.session_key,
            defaults={
                "user_id": session["_auth_user_id"],
                "ip": "203.0.113.9",
                "user_agent": "before",
            },
        )

        form = {"full_name": "Ada", "avatar_url": "", "time_zone": "UTC"}
        client.post("/account/profile/", form)

        seen = UserSession.objects.get(session_key=session.session_key)
        row = AuditLog.objects.get(action="user.update")
        assert (seen.ip, row.ip_address) == (expected, expected)
        assert seen.user_agent == row.user_agent == ("Ab" * 200)[:200]
