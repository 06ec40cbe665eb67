"""All that is kept of a person, as a file for himself."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from apps.core import clock, context, personal
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.rbac.models import PersonalExport
from apps.rbac.services.erasures import erase
from apps.rbac.services.personal_exports import (
    delete_expired_exports,
    make_exports,
    request_export,
)
from apps.tenants.models import AuditLog
from tests.people import give_second_factor, make_key, make_organization, make_person, signed_in
from tests.races.racing import at_once
from tests.rbac.canaries import ask, leave_traces, sign_up_canary

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def person():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def export(person):
    request_export(user=person)
    make_exports()
    return PersonalExport.objects.get(user=person)


def contents(answer) -> dict[str, list[dict]]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def download(client, export):
    return client.get(f"/account/privacy/export/{export.public_id}/")


class TestTheFile:
    def test_holds_each_part_and_what_is_his(self, person):
        organization = make_organization(owner=person, name="Acme")
        key, token = make_key(organization, person, "jobs:read")
        give_second_factor(person)
        with context.acting(actor=f"user:{person.public_id}"):
            charge_amount(wallet=main_wallet(organization), amount=3, reference="r:1", source="api")
        client = signed_in(person)
        request_export(user=person)
        make_exports()

        found = contents(download(client, PersonalExport.objects.get()))

        assert {name.removesuffix(".json") for name in found} == set(personal.parts())
        assert found["account.json"][0]["full_name"] == "Ada Acker"
        assert found["memberships.json"][0]["organization__slug"] == organization.slug
        assert found["api_keys.json"][0]["hint"] == key.hint
        assert found["second_factors.json"][0]["type"] == "totp"
        assert found["credit_transactions.json"][0]["amount"] == -3
        everything = json.dumps(found)
        assert token not in everything
        assert person.password not in everything

    def test_holds_nothing_of_others(self, person, export):
        other = make_person(full_name="Bo Bilal")
        make_organization(owner=other, name="Other")

        assert "Bo Bilal" not in json.dumps(contents(download(signed_in(person), export)))

    def test_is_what_its_row_says(self, person, export):
        body = default_storage.open(str(export.file)).read()

        assert export.size == len(body)
        assert bytes(export.sha256) == hashlib.sha256(body).digest()
        assert export.progress == 100

    def test_every_app_with_a_person_in_its_tables_has_a_part(self):
        assert {"account", "memberships", "api_keys", "jobs", "uploads"} <= set(personal.parts())


class TestTheDownload:
    def test_is_his_alone(self, person, export):
        assert download(signed_in(make_person()), export).status_code == 404
        assert "/accounts/login/" in download(Client(), export)["Location"]
        assert download(signed_in(person), export).status_code == 200

    def test_is_not_open_to_staff_or_superusers(self, export):
        root = make_person(is_staff=True, is_superuser=True)

        assert download(signed_in(root), export).status_code == 404

    def test_asks_for_the_password_first(self, person, export):
        person.set_password("a long enough secret")
        person.save()

        answer = download(signed_in(person, is_fresh=False), export)

        assert "reauthenticate" in answer["Location"]

    def test_is_written_down_and_kept_nowhere(self, person, export):
        answer = download(signed_in(person), export)

        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Disposition"].startswith("attachment")
        entry = AuditLog.objects.get(action="user.export_download")
        assert entry.actor == f"user:{person.public_id}"
        export.refresh_from_db()
        assert export.downloads == 1

    def test_ends_after_seven_days_with_the_file(self, person, export):
        name = str(export.file)
        with clock.moved_to(export.expires_at - timedelta(seconds=1)):
            assert delete_expired_exports() == 0
            assert download(signed_in(person), export).status_code == 200
        with clock.moved_to(export.expires_at):
            assert download(signed_in(person), export).status_code == 410
            assert delete_expired_exports() == 1

        assert not default_storage.exists(name)
        assert download(signed_in(person), export).status_code == 410

    @pytest.mark.parametrize("text", ["x", "pex_x", "usr_01K9T5XXXXXXXXXXXXXXXXXXXX"])
    def test_of_what_is_no_export_is_not_found(self, person, text):
        answer = signed_in(person).get(f"/account/privacy/export/{text}/")

        assert answer.status_code == 404


class TestAskingForIt:
    def test_twice_makes_one(self, person):
        assert request_export(user=person) == request_export(user=person)

    def test_is_made_once_by_many_workers(self, person):
        request_export(user=person)

        assert sum(at_once([make_exports] * 4)) == 1

    def test_asks_for_the_password_first(self):
        person = make_person(password="a long enough secret")

        answer = signed_in(person, is_fresh=False).post("/account/privacy/export/")

        assert "reauthenticate" in answer["Location"]
        assert not PersonalExport.objects.exists()

    def test_shows_how_far_it_is(self, person):
        client = signed_in(person)
        client.post("/account/privacy/export/")
        assert "Look again" in client.get("/account/privacy/").content.decode()

        make_exports()

        assert "Download" in client.get("/account/privacy/").content.decode()

    def test_is_given_up_after_five_crashes(self, person, monkeypatch):
        export = request_export(user=person)
        monkeypatch.setattr(
            "apps.rbac.services.personal_exports._write",
            lambda *_: 1 / 0,  # a bug of ours
        )

        for hours in range(7):
            with clock.moved_to(export.created_at + timedelta(hours=hours)):
                assert make_exports() == 0

        export.refresh_from_db()
        assert (export.status, export.attempts) == ("failed", 5)


class TestAnErasedPerson:
    def test_has_no_file_left(self):
        canary = sign_up_canary()
        leave_traces(canary)
        ready = PersonalExport.objects.get(user=canary.person)
        request_export(user=canary.person)

        erase(erasure=ask(canary))
        make_exports()
        delete_expired_exports()

        assert not default_storage.exists(str(ready.file))
        assert not PersonalExport.objects.filter(user=canary.person).exclude(file="").exists()
