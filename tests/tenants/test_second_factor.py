"""Second factors: set up, asked for, used once, removed; and nobody gets around them."""

import time

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from apps.tenants.admin.sign_in import SignInAdmin
from apps.tenants.models import AuditLog, User
from tests.people import give_second_factor, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db

PASSWORD = "a long and quiet sentence"
SECRET = "JBSWY3DPEHPK3PXP"
WRONG = "000000"


def code_now(secret: str = SECRET) -> str:
    """Return the code that an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture(autouse=True)
def _at_one_moment():
    """Hold the clock, so that no code changes between being read and being sent."""
    with time_machine.travel(1_800_000_000, tick=False):
        yield


@pytest.fixture
def person():
    return confirmed(make_person(email="ann@example.com", password=PASSWORD))


def confirmed(person):
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def protected(person):
    give_second_factor(person, SECRET)
    return person


def sign_in(client: Client, **more):
    form = {"login": "ann@example.com", "password": PASSWORD, **more}
    return client.post("/accounts/login/", form)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


class TestSigningIn:
    def test_needs_the_password_alone_where_there_is_no_factor(self, client, person):
        sign_in(client)

        assert is_signed_in(client)

    def test_asks_for_the_code(self, client, protected):
        answer = sign_in(client)

        assert answer["Location"] == "/accounts/2fa/authenticate/"
        assert not is_signed_in(client)

    def test_takes_the_right_code(self, client, protected):
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code_now()})

        assert is_signed_in(client)

    def test_refuses_a_wrong_code(self, client, protected):
        sign_in(client)
        answer = client.post("/accounts/2fa/authenticate/", {"code": WRONG})

        assert answer.context["form"].errors["code"]
        assert not is_signed_in(client)

    def test_refuses_a_code_that_was_used(self, client, protected):
        code = code_now()
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})

        other = Client()
        sign_in(other)
        other.post("/accounts/2fa/authenticate/", {"code": code})

        assert is_signed_in(client)
        assert not is_signed_in(other)

    def test_refuses_a_code_of_another_person(self, client, protected):
        give_second_factor(make_person(), "KRSXG5CTMVRXEZLU")
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code_now("KRSXG5CTMVRXEZLU")})

        assert not is_signed_in(client)

    def test_counts_wrong_codes_for_all_browsers_together(self, protected):
        for _ in range(5):
            browser = Client()
            sign_in(browser)
            browser.post("/accounts/2fa/authenticate/", {"code": WRONG})
        last = Client()
        sign_in(last)

        last.post("/accounts/2fa/authenticate/", {"code": code_now()})

        assert not is_signed_in(last)

    def test_counts_wrong_passwords_for_all_addresses_together(self, person):
        for number in range(5):
            sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="wrong")
        last = Client(REMOTE_ADDR="192.0.2.99")

        sign_in(last)

        assert not is_signed_in(last)

    def test_fails_closed_without_the_cache_that_counts(self, client, person, settings):
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:1",
            }
        }
        client.raise_request_exception = False

        answer = sign_in(client)

        assert answer.status_code == 500
        assert not is_signed_in(client)


class TestSettingUpAnApp:
    def test_asks_for_the_password_once_more(self, person):
        answer = signed_in(person, is_fresh=False).get("/accounts/2fa/totp/activate/")

        assert answer["Location"].startswith("/accounts/reauthenticate/")

    @pytest.mark.django_db(transaction=True)
    def test_takes_a_code_of_the_new_secret(self, person):
        client = signed_in(person)
        secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
        answer = client.post("/accounts/2fa/totp/activate/", {"code": code_now(secret)})

        assert answer["Location"] == "/accounts/2fa/recovery-codes/"
        types = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
        assert types == {"totp", "recovery_codes"}
        assert AuditLog.objects.filter(action="second_factor.add").count() == 2

    def test_refuses_a_wrong_code(self, person):
        client = signed_in(person)
        client.get("/accounts/2fa/totp/activate/")
        answer = client.post("/accounts/2fa/totp/activate/", {"code": WRONG})

        assert answer.context["form"].errors["code"]
        assert not Authenticator.objects.exists()

    def test_is_refused_while_an_address_waits_to_be_confirmed(self, person):
        EmailAddress.objects.create(user=person, email="new@example.com", verified=False)

        answer = signed_in(person).get("/accounts/2fa/totp/activate/")

        assert answer["Location"] == "/accounts/2fa/"

    def test_keeps_the_secret_encrypted(self, protected):
        kept = Authenticator.objects.get(user=protected).data["secret"]

        assert SECRET not in kept

    def test_reads_a_secret_from_before_the_key_was_replaced(self, client, protected, settings):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key of at least thirty-two letters"
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code_now()})

        assert is_signed_in(client)


class TestRecoveryCodes:
    @pytest.fixture
    def codes(self, protected):
        client = signed_in(protected)
        client.post("/accounts/2fa/recovery-codes/generate/")
        return client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]

    def test_are_shown_once(self, protected, codes):
        page = signed_in(protected).get("/accounts/2fa/recovery-codes/")

        assert len(codes) == 10
        assert not [code for code in codes if code in page.content.decode()]
        assert "no-store" in page["Cache-Control"]

    def test_stand_in_for_the_app_once(self, client, protected, codes):
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        again = Client()
        sign_in(again)
        again.post("/accounts/2fa/authenticate/", {"code": codes[0]})

        assert is_signed_in(client)
        assert not is_signed_in(again)

    def test_cannot_be_made_without_a_factor(self, person):
        signed_in(person).post("/accounts/2fa/recovery-codes/generate/")

        assert not Authenticator.objects.exists()


class TestRemovingAFactor:
    def test_asks_for_the_password_once_more(self, protected):
        answer = signed_in(protected, is_fresh=False).post("/accounts/2fa/totp/deactivate/")

        assert "reauthenticate" in answer["Location"]
        assert Authenticator.objects.filter(user=protected).exists()

    def test_is_told_by_mail_and_written_down(self, protected):
        signed_in(protected).post("/accounts/2fa/totp/deactivate/")

        assert not Authenticator.objects.filter(user=protected).exists()
        assert mail.outbox[0].subject.endswith("The authenticator app was removed")
        assert mail.outbox[0].alternatives[0].mimetype == "text/html"
        assert AuditLog.objects.filter(action="second_factor.remove").exists()


class TestTheBackOffice:
    @pytest.fixture
    def root(self):
        return confirmed(
            make_person(
                email="ann@example.com", password=PASSWORD, is_staff=True, is_superuser=True
            )
        )

    def test_lets_staff_with_a_shown_factor_in(self, root):
        assert signed_in(root).get("/admin/").status_code == 200

    @pytest.mark.parametrize("address", ["/admin/", "/admin/tenants/user/", "/admin/jsi18n/"])
    def test_leads_staff_without_one_to_setting_it_up(self, root, address):
        answer = signed_in(root, has_factor=False).get(address, follow=True)

        assert answer.redirect_chain[0][0].startswith("/account/second-factor/")
        assert "Set up a second factor" in answer.content.decode()

    def test_asks_a_session_that_has_not_shown_it(self, root):
        give_second_factor(root, SECRET)
        client = signed_in(root, has_factor=False)

        page = client.get("/admin/", follow=True).content.decode()

        assert "Show your second factor" in page
        client.post("/accounts/2fa/reauthenticate/", {"code": code_now(), "next": "/admin/"})
        assert client.get("/admin/").status_code == 200

    def test_changes_nothing_for_staff_without_one(self, root):
        form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}

        answer = signed_in(root, has_factor=False).post("/admin/tenants/user/add/", form)

        assert answer["Location"].startswith("/account/second-factor/")
        assert not User.objects.filter(email="new@example.com").exists()
        signed_in(root).post("/admin/tenants/user/add/", form)
        assert User.objects.filter(email="new@example.com").exists()

    def test_closes_when_the_factor_is_removed(self, root):
        client = signed_in(root)
        Authenticator.objects.all().delete()

        assert client.get("/admin/").status_code == 302

    def test_does_not_take_a_factor_that_another_person_has_shown(self, root):
        client = signed_in(root)
        other = make_person(is_staff=True, is_superuser=True)
        give_second_factor(other)
        session = client.session
        session["second_factor"] = str(other.pk)
        session.save()

        assert client.get("/admin/").status_code == 302

    def test_has_no_sign_in_of_its_own(self, client, root):
        answer = client.post("/admin/login/", {"username": "ann@example.com", "password": PASSWORD})

        assert answer["Location"].startswith("/accounts/login/")
        assert not is_signed_in(client)

    def test_is_open_to_the_staff_of_the_demo(self, root, settings):
        settings.STAFF_SECOND_FACTOR = False

        assert signed_in(root, has_factor=False).get("/admin/").status_code == 200

    def test_never_shows_a_secret(self, root):
        client = signed_in(root)
        factor = Authenticator.objects.get(user=root)

        page = client.get(f"/admin/mfa/authenticator/{factor.pk}/change/")

        assert page.status_code == 200
        assert factor.data["secret"] not in page.content.decode()

    @pytest.mark.django_db(transaction=True)
    def test_removes_the_factor_of_somebody_who_lost_it_and_tells_him(self, root):
        ann = confirmed(make_person(email="lost@example.com"))
        address = f"/admin/mfa/authenticator/{give_second_factor(ann).pk}/delete/"

        answer = signed_in(root).post(address, {"post": "yes"})

        assert answer.status_code == 302
        assert not Authenticator.objects.filter(user=ann).exists()
        assert mail.outbox[0].to == ["lost@example.com"]
        assert "by our staff" in mail.outbox[0].subject
        row = AuditLog.objects.get(action="authenticator.delete")
        assert row.object_id == ann.public_id
        assert "secret" not in str(row.before)

    @pytest.mark.django_db(transaction=True)
    def test_removes_several_from_the_list_and_tells_each_person_once(self, root):
        zoe, bob = (confirmed(make_person(email=f"{name}@example.com")) for name in ("zoe", "bob"))
        codes = Authenticator.objects.create(user=zoe, type="recovery_codes", data={})
        chosen = [codes.pk, *(give_second_factor(one).pk for one in (zoe, bob))]
        form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}

        answer = signed_in(root).post("/admin/mfa/authenticator/", form)

        assert answer.status_code == 302
        assert not Authenticator.objects.exclude(user=root).exists()
        assert sorted(one.to[0] for one in mail.outbox) == ["bob@example.com", "zoe@example.com"]
        assert AuditLog.objects.filter(action="authenticator.delete").count() == 3

    @pytest.mark.django_db(transaction=True)
    def test_tells_nobody_where_a_removal_fails(self, root, monkeypatch):
        zoe = confirmed(make_person(email="zoe@example.com"))
        bob = confirmed(make_person(email="bob@example.com"))
        chosen = [give_second_factor(one).pk for one in (zoe, bob)]
        form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        browser = signed_in(root)
        browser.raise_request_exception = False
        of_one = SignInAdmin.record

        def of_zoe_alone(self, obj, verb, **facts):
            if obj.user == bob:
                raise RuntimeError
            of_one(self, obj, verb, **facts)

        monkeypatch.setattr(SignInAdmin, "record", of_zoe_alone)
        answer = browser.post("/admin/mfa/authenticator/", form)

        assert answer.status_code == 500
        assert Authenticator.objects.filter(user__in=[zoe, bob]).count() == 2
        assert mail.outbox == []
        assert not AuditLog.objects.filter(action="authenticator.delete").exists()

    def test_ends_a_session_of_somebody(self, root, client, person_of_mine):
        sign_in(client, login="mine@example.com")
        session = UserSession.objects.get(user=person_of_mine)

        signed_in(root).post(
            f"/admin/usersessions/usersession/{session.pk}/delete/", {"post": "yes"}
        )

        assert client.get("/account/profile/").status_code == 302

    @pytest.fixture
    def person_of_mine(self):
        return confirmed(make_person(email="mine@example.com", password=PASSWORD))


class TestTheWayBack:
    def test_leads_to_no_other_host(self):
        answer = signed_in(make_person(), has_factor=True).get(
            "/account/second-factor/?next=https://evil.example/"
        )

        assert answer["Location"] == "/"

    def test_needs_sign_in(self, client):
        answer = client.get("/account/second-factor/")

        assert answer["Location"].startswith("/accounts/login/")


class TestCustomers:
    def test_are_not_asked_where_nobody_asks(self, person):
        organization = make_organization(owner=person)

        assert signed_in(person).get(f"/o/{organization.slug}/keys/").status_code == 200


class TestTheLimitOfAnAddress:
    """Ten passkeys a minute may be tried from one address."""

    TRY = "/accounts/2fa/webauthn/login/"

    def test_holds_for_all_browsers_there(self):
        answers = [Client().post(self.TRY, {"credential": "[]"}).status_code for _ in range(11)]

        assert answers == [302] * 10 + [429]

    def test_is_explained(self):
        for _ in range(11):
            answer = Client().post(self.TRY, {"credential": "[]"})

        assert "<h1>" in answer.content.decode()

    def test_is_not_fooled_by_a_header(self):
        answers = [
            Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
            .post(self.TRY, {"credential": "[]"})
            .status_code
            for number in range(11)
        ]

        assert answers[-1] == 429

    def test_counts_whom_a_trusted_proxy_names(self, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        answers = [
            Client(headers={"X-Forwarded-For": f"10.9.8.7, 192.0.2.{number}"})
            .post(self.TRY, {"credential": "[]"})
            .status_code
            for number in range(11)
        ]

        assert answers == [302] * 11
