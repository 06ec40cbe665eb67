"""All that is kept of a person, as a file for himself."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core import clock, context, personal, scope
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.rbac.models import Erasure, PersonalExport
from apps.rbac.services import personal_exports
from apps.rbac.services.erasures import erase, request_erasure
from apps.rbac.services.ownership import request_transfer
from apps.rbac.services.personal_exports import (
    delete_expired_exports,
    make_exports,
    request_export,
)
from apps.tenants.models import AuditLog, User
from tests.people import (
    give_second_factor,
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
)
from tests.races.racing import at_once
from tests.rbac.canaries import ask, leave_traces, sign_up_canary

pytestmark = pytest.mark.django_db(transaction=True)
TOLD_ELSEWHERE = {
    "billing.ReconciliationCase.closed_by": "staff's work: what_you_did tells it",
    "billing.ReconciliationRun.requested_by": "staff's work: what_you_did tells it",
    "credits.Correction.decided_by": "staff's work: what_you_did and credit_transactions tell it",
    "credits.Correction.requested_by": "staff's work: what_you_did and credit_transactions tell it",
    "guardian.UserObjectPermission.user": "the other half of a share, which shares tells",
    "partners.Application.decided_by": "staff's work: what_you_did tells it",
    "partners.AwardRule.created_by": "the partner's work: what_you_did tells it",
    "partners.Campaign.created_by": "the partner's work: what_you_did tells it",
    "partners.CreditRequest.decided_by": "the partner's work: what_you_did tells it",
    "partners.PartnerCredit.awarded_by": "the partner's work: what_you_did tells it",
    "partners.PartnerTerms.created_by": "staff's work: what_you_did tells it",
    "partners.Upload.confirmed_by": "the partner's work: what_you_did tells it",
    "rbac.Impersonation.staff_user": "staff's work: what_you_did tells it",
    "tenants.User_groups.user": "rights that the house gives its staff",
    "tenants.User_user_permissions.user": "rights that the house gives its staff",
}


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


class Killed(BaseException):
    """What ends a worker without a word."""


def kill(*args):
    raise Killed


@pytest.fixture
def saving(monkeypatch):
    """Let something happen right after a file is saved, before its row knows of it."""
    save = FileSystemStorage.save

    def let(happen):
        def saved_and(storage, *args, **kwargs):
            name = save(storage, *args, **kwargs)
            happen(name)
            return name

        monkeypatch.setattr(FileSystemStorage, "save", saved_and)

    return let


def saved() -> set[str]:
    """Return the names of all files of exports that there are."""
    root = Path(default_storage.location)
    return {str(path.relative_to(root)) for path in root.glob("exports/**/*.zip")}


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

    def test_asks_every_column_that_points_at_a_person(self, person):
        """A part asks for what is his by the column, or the column stands in TOLD_ELSEWHERE."""
        with scope.every_organization("a test"), CaptureQueriesContext(connection) as asked:
            for collect in personal.parts().values():
                list(collect(person))
        sql = [query["sql"] for query in asked]

        found = {
            f"{model._meta.label}.{field.name}": f'"{model._meta.db_table}"."{field.column}" = '
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields
            if field.related_model is User
        }

        missing = {name for name, words in found.items() if not any(words in one for one in sql)}
        assert missing == TOLD_ELSEWHERE.keys()

    def test_holds_what_became_of_him(self, person):
        organization = make_organization(owner=person)
        member = make_member(organization, "admin")
        look_in = signed_in(person)
        look_in.get(f"/o/{organization.slug}/")
        offer = request_transfer(organization=organization, from_user=person, to_user=member)
        erasure = Erasure.objects.create(user=person, due_at=clock.database_now())
        LogEntry.objects.create(user=person, action_flag=1, object_repr="Another", object_id="7")
        export = request_export(user=person)
        make_exports()

        found = contents(download(look_in, export))

        assert found["last_visits.json"][0]["organization__slug"] == organization.slug
        transfer = found["ownership_transfers.json"][0]
        assert (transfer["id"], transfer["is_by_you"]) == (str(offer.pk), True)
        assert found["erasures.json"][0]["id"] == str(erasure.pk)
        assert found["exports.json"][0]["id"] == str(export.pk)
        assert found["back_office.json"][0]["object_id"] == "7"
        assert "Another" not in json.dumps(found["back_office.json"])
        with scope.every_organization("a test"):
            (theirs,) = personal.parts()["ownership_transfers"](member)
        assert theirs["is_by_you"] is False


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

    def test_is_given_up_after_five_crashes_and_leaves_no_file(self, person, saving, monkeypatch):
        export = request_export(user=person)
        tried = []

        def crash(name):
            tried.append(saved() == {name})  # and none of an attempt before
            raise RuntimeError("a bug of ours")

        saving(crash)

        for hours in range(7):
            with clock.moved_to(export.created_at + timedelta(hours=hours)):
                assert make_exports() == 0

        export.refresh_from_db()
        assert export.status == "failed"
        assert tried == [True] * 5
        assert saved() == set()


class TestAWorker:
    def test_that_dies_after_saving_leaves_no_file_to_the_next(self, person, saving):
        export = request_export(user=person)
        with pytest.raises(Killed):
            saving(kill)
            make_exports()
        assert len(saved()) == 1
        saving(lambda name: None)

        with clock.moved_to(export.created_at + timedelta(minutes=16)):
            assert make_exports() == 1

        export.refresh_from_db()
        assert saved() == {str(export.file)}

    def test_that_takes_too_long_takes_nothing_from_the_one_who_was_faster(
        self, person, monkeypatch
    ):
        export = request_export(user=person)
        write, seen = personal_exports._write, []

        def be_overtaken(*args):
            if not seen:
                seen.append("slow")
                with clock.moved_to(export.created_at + timedelta(minutes=16)):
                    assert make_exports() == 1
            return write(*args)

        monkeypatch.setattr(personal_exports, "_write", be_overtaken)

        assert make_exports() == 0
        export.refresh_from_db()
        assert export.status == "ready"
        assert saved() == {str(export.file)}

    def test_that_takes_too_long_saves_nothing_beside_the_one_at_work(
        self, person, saving, monkeypatch
    ):
        export = request_export(user=person)
        write = personal_exports._write

        def be_overtaken(*args):
            PersonalExport.objects.update(attempts=F("attempts") + 1)  # as another's claim does
            return write(*args)

        monkeypatch.setattr(personal_exports, "_write", be_overtaken)
        saving(lambda name: pytest.fail("It is another's by now."))

        assert make_exports() == 0

        export.refresh_from_db()
        assert export.status == "waiting"

    def test_takes_one_file_at_a_time(self, person, monkeypatch):
        first, second = request_export(user=person), request_export(user=make_person())
        write, left = personal_exports._write, []

        def look(export, file):
            waiting = PersonalExport.objects.filter(status="waiting", claimed_until=None)
            left.append(set(waiting.values_list("pk", flat=True)))
            return write(export, file)

        monkeypatch.setattr(personal_exports, "_write", look)

        assert make_exports() == 2
        assert left == [{second.pk}, set()]
        assert first.pk != second.pk

    def test_that_dies_while_it_deletes_leaves_the_name_to_the_next(self, export, monkeypatch):
        with clock.moved_to(export.expires_at):
            with monkeypatch.context() as patch, pytest.raises(Killed):
                patch.setattr(FileSystemStorage, "delete", kill)
                delete_expired_exports()
            assert delete_expired_exports() == 1

        assert saved() == set()
        export.refresh_from_db()
        assert (export.status, str(export.file)) == ("expired", "")

    def test_deletes_the_others_where_one_cannot_be_deleted(self, export, monkeypatch):
        request_export(user=make_person())
        make_exports()
        delete = FileSystemStorage.delete

        def fail_for_one(storage, name):
            if name == str(export.file):
                raise OSError("no storage today")
            delete(storage, name)

        monkeypatch.setattr(FileSystemStorage, "delete", fail_for_one)

        with clock.moved_to(export.expires_at + timedelta(hours=1)):
            assert delete_expired_exports() == 1

        assert saved() == {str(export.file)}


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

    def test_has_no_file_left_of_a_worker_that_died(self, person, saving):
        export = request_export(user=person)
        with pytest.raises(Killed):
            saving(kill)
            make_exports()

        with clock.moved_to(export.created_at + timedelta(minutes=16)):
            erase(erasure=request_erasure(user=person, confirmation=person.email))
            assert make_exports() == 0

        export.refresh_from_db()
        assert export.status == "failed"
        assert saved() == set()

    @pytest.mark.parametrize(
        "happens", ["while it is claimed", "while it is written", "while it is saved"]
    )
    def test_gets_no_file_that_was_being_made(self, person, saving, monkeypatch, happens):
        export = request_export(user=person)
        erasure = request_erasure(user=person, confirmation=person.email)
        write = personal_exports._write
        if happens == "while it is claimed":  # asked for after the step that forgets what waits
            everybody = User.objects.filter(pk=person.pk)
            monkeypatch.setattr(
                personal_exports,
                "_write",
                lambda *args: everybody.update(is_active=False) and write(*args),
            )
            saving(lambda name: pytest.fail("Nothing is saved for who is erased."))
        elif happens == "while it is written":
            monkeypatch.setattr(
                personal_exports,
                "_write",
                lambda *args: erase(erasure=erasure) and write(*args),
            )
            saving(lambda name: pytest.fail("Nothing is saved for who is erased."))
        else:
            saving(lambda name: erase(erasure=erasure))

        assert make_exports() == 0

        assert saved() == set()
        with clock.moved_to(export.created_at + timedelta(minutes=16)):
            assert make_exports() == 0
        export.refresh_from_db()
        assert export.status == "failed"

    def test_gets_none_that_was_asked_for_while_he_was_erased(self, person, saving):
        """After the step that forgets what waits, and before the one that locks his account."""
        export = request_export(user=person)
        User.objects.filter(pk=person.pk).update(is_active=False)
        saving(lambda name: pytest.fail("Nothing is saved for who is erased."))

        assert make_exports() == 0

        export.refresh_from_db()
        assert export.status == "failed"
