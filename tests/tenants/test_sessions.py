"""The list of sessions, how they end, and the notices about them."""

import re
import time
from datetime import timedelta
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.tenants.models import AuditLog
from apps.tenants.pages.sessions import device_of
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db

PASSWORD = "a long and quiet sentence"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
PACKAGE = Path(allauth.__file__).parent / "templates"
TOLD_BY_ALLAUTH = sorted(
    str(path.relative_to(PACKAGE)).removesuffix("_subject.txt")
    for app in ("account", "mfa")
    for path in (PACKAGE / app / "email").glob("*_subject.txt")
)
OURS = (
    "account/email/new_device",
    "account/email/password_set_by_staff",
    "account/email/second_factor_removed",
)


@pytest.fixture
def ann():
    person = make_person(email="ann@example.com", password=PASSWORD)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def sign_in(client: Client | None = None, password: str = PASSWORD) -> Client:
    client = client or Client(headers={"User-Agent": FIREFOX})
    client.post("/accounts/login/", {"login": "ann@example.com", "password": password})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200


class TestTheList:
    def test_needs_sign_in(self, client):
        assert client.get("/account/sessions/")["Location"].startswith("/accounts/login/")

    def test_shows_each_session_of_the_person_and_no_other(self, ann):
        other = make_person(email="bob@example.com", password=PASSWORD)
        UserSession.objects.create(
            user=other, ip="203.0.113.9", session_key="bobs", user_agent="Bob's own"
        )
        first, second = sign_in(), sign_in()

        page = second.get("/account/sessions/")

        lines = page.context["sessions"]
        assert [line["is_current"] for line in lines].count(True) == 1
        assert [line["device"] for line in lines] == ["Firefox on Windows"] * 2
        assert "203.0.113.9" not in page.content.decode()
        assert is_signed_in(first)

    def test_asks_as_much_for_more_sessions(self, ann):
        client = sign_in()
        client.get("/account/sessions/")
        with CaptureQueriesContext(connection) as few:
            client.get("/account/sessions/")
        for _ in range(4):
            sign_in()
        with CaptureQueriesContext(connection) as many:
            client.get("/account/sessions/")

        assert len(many) == len(few)

    def test_stands_where_allauth_has_its_own(self, ann):
        answer = sign_in().get("/accounts/sessions/")

        assert answer["Location"] == "/account/sessions/"

    def test_tells_when_a_session_was_used(self, ann):
        client = sign_in()
        long_ago = timezone.now() - timedelta(hours=2)
        UserSession.objects.update(last_seen_at=long_ago)
        session = client.session
        session["seen_at"] = int(time.time()) - 301
        session.save()

        client.get("/account/profile/", headers={"User-Agent": FIREFOX})

        assert UserSession.objects.get().last_seen_at > long_ago
        UserSession.objects.update(last_seen_at=long_ago)
        client.get("/account/profile/")
        assert UserSession.objects.get().last_seen_at == long_ago, "written at every request"


class TestEnding:
    def test_one_signs_out_there_and_nowhere_else(self, ann):
        first, second, third = sign_in(), sign_in(), sign_in()
        session = UserSession.objects.get(session_key=first.session.session_key)

        answer = second.post(f"/account/sessions/{session.pk}/end/")

        assert answer.status_code == 302
        assert [is_signed_in(one) for one in (first, second, third)] == [False, True, True]
        assert AuditLog.objects.filter(action="session.end").count() == 1

    def test_another_persons_session_does_not_exist(self, ann):
        client = sign_in()
        session = UserSession.objects.get()
        other = signed_in(make_person())

        theirs = other.post(f"/account/sessions/{session.pk}/end/")
        missing = other.post("/account/sessions/987654321/end/")

        assert (theirs.status_code, missing.status_code) == (404, 404)
        assert is_signed_in(client)

    def test_is_never_done_by_reading(self, ann):
        client = sign_in()
        session = UserSession.objects.get()

        assert client.get(f"/account/sessions/{session.pk}/end/").status_code == 405

    def test_all_others_leaves_this_one(self, ann):
        first, second = sign_in(), sign_in()

        second.post("/account/sessions/")

        assert [is_signed_in(one) for one in (first, second)] == [False, True]

    def test_happens_when_the_password_changes(self, ann):
        first, second = sign_in(), sign_in()
        form = {"oldpassword": PASSWORD, "password1": "another quiet sentence"}

        second.post("/accounts/password/change/", {**form, "password2": form["password1"]})

        assert [is_signed_in(one) for one in (first, second)] == [False, True]
        assert UserSession.objects.count() == 1
        assert AuditLog.objects.filter(action="user.password").exists()

    def test_happens_when_the_password_is_reset(self, ann):
        client = sign_in()
        visitor = Client()
        visitor.post("/accounts/password/reset/", {"email": ann.email})
        link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)
        form = visitor.get(link[1])["Location"]
        visitor.post(form, {"password1": "third quiet one", "password2": "third quiet one"})

        assert not is_signed_in(client)
        assert is_signed_in(sign_in(password="third quiet one"))


class TestANotice:
    def test_is_not_sent_for_the_first_sign_in_of_all(self, ann):
        sign_in()

        assert not mail.outbox

    def test_is_sent_for_a_browser_that_is_new(self, ann):
        sign_in()
        sign_in(Client(headers={"User-Agent": FIREFOX}))

        assert [message.to for message in mail.outbox] == [["ann@example.com"]]
        assert "New sign-in" in mail.outbox[0].subject
        assert FIREFOX in mail.outbox[0].body

    def test_is_not_sent_for_one_that_is_known(self, ann):
        client = sign_in()
        client.post("/accounts/logout/")
        sign_in(client)

        assert is_signed_in(client)
        assert not mail.outbox

    def test_is_not_kept_back_by_a_forged_cookie(self, ann):
        sign_in()
        client = Client()
        client.cookies["known_people"] = ann.public_id

        sign_in(client)

        assert len(mail.outbox) == 1

    def test_is_not_kept_back_by_another_persons_cookie(self, ann):
        sign_in()
        bob = make_person(email="bob@example.com", password=PASSWORD)
        EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
        client = Client()
        client.post("/accounts/login/", {"login": bob.email, "password": PASSWORD})
        client.post("/accounts/logout/")

        sign_in(client)

        assert [message.to for message in mail.outbox] == [["ann@example.com"]]

    def test_is_sent_when_the_password_changes(self, ann):
        client = sign_in()
        form = {"oldpassword": PASSWORD, "password1": "another quiet sentence"}
        client.post("/accounts/password/change/", {**form, "password2": form["password1"]})

        assert "password was changed" in mail.outbox[0].subject

    def test_that_cannot_be_sent_undoes_nothing(self, ann, settings, monkeypatch):
        sign_in()

        def fail(*args, **kwargs):
            raise ConnectionRefusedError

        monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)

        assert is_signed_in(sign_in())

    @pytest.mark.parametrize("name", [*TOLD_BY_ALLAUTH, *OURS])
    def test_exists_as_text_and_as_html(self, name):
        # In our templates: allauth brings text for some of them, and HTML for none.
        for part in ("subject.txt", "message.txt", "message.html"):
            assert "site-packages" not in get_template(f"{name}_{part}").origin.name


class TestADevice:
    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            (FIREFOX, "Firefox on Windows"),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36", "Chrome on Linux"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/18 Safari/605", "Safari on macOS"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) CriOS/141", "Chrome on iPhone"),
            ("Mozilla/5.0 (Linux; Android 15) Chrome/141 Safari/537 EdgA/141", "Edge on Android"),
            ("curl/8", "A program"),
            ("", "A program"),
        ],
    )
    def test_is_named_as_people_know_it(self, agent, name):
        assert device_of(agent) == name
