"""Uploads afterwards: undone by staff, forgotten with a person, and verified."""

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.invariants import verify
from apps.partners.errors.uploads import UploadNotDone
from apps.partners.models import PartnerCredit, PartnerMember, Upload, UploadRow
from apps.partners.services.settling import revoke
from apps.partners.services.uploads.checking import key_of
from apps.partners.services.uploads.forgetting import (
    forget_in_uploads,
    rows_naming,
    uploads_by,
)
from apps.partners.services.uploads.storing import refresh_preview, store_upload
from apps.partners.services.uploads.undoing import to_take_back, undo_upload
from apps.tenants.models import AuditLog
from tests.partners.awarding import in_pool, make_active_member, spend
from tests.partners.uploading import carried, faults, make_file, make_upload, statuses
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
ADA, EVE, WRONG = "ada@example.com,Ada,5", "eve@example.com,Eve,7", "max@example.com,Max,x"
VALID = Upload.Mode.VALID


@pytest.fixture
def superuser():
    return make_person(is_staff=True, is_superuser=True)


class TestUndoing:
    def test_what_is_not_used_goes_back_once_and_what_is_used_stays_used(self, partner):
        ada = make_active_member(partner, "ada@example.com")
        upload = carried(make_upload(partner, ADA, EVE, WRONG), VALID)
        spend(ada, 2)
        assert (in_pool(partner), to_take_back(upload)) == (88, 10)
        undone = undo_upload(upload=upload, reason="the wrong file")
        assert (undone.upload.status, undone.credits, in_pool(partner)) == ("undone", 10, 98)
        again = undo_upload(upload=upload, reason="again")
        assert (again.credits, again.is_replayed, in_pool(partner)) == (0, True, 98)
        assert PartnerCredit.objects.filter(revoked_at=None).count() == 0
        assert AuditLog.objects.filter(action="partner.undo_upload").count() == 1
        assert PartnerMember.objects.filter(partner=partner, status="left").count() == 0

    def test_awards_that_went_by_themselves_or_of_others_are_left_alone(self, partner):
        upload = carried(make_upload(partner, ADA, EVE))
        other = carried(make_upload(partner, ADA, batch="other"))
        award = PartnerCredit.objects.get(key=key_of(upload.batch, "ada@example.com"))
        revoke(award=award, reason="by hand")
        award.refresh_from_db()
        assert undo_upload(upload=upload, reason="the wrong file").credits == 7
        assert PartnerCredit.objects.get(pk=award.pk).revoked_at == award.revoked_at
        assert to_take_back(other) == 5

    def test_the_same_file_does_not_hand_on_what_was_undone(self, partner):
        undo_upload(upload=carried(make_upload(partner, ADA)), reason="the wrong file")
        assert statuses(make_upload(partner, ADA)) == ["repeated"]

    def test_only_what_was_carried_out_is_undone(self, partner):
        with pytest.raises(UploadNotDone):
            undo_upload(upload=make_upload(partner, ADA), reason="too early")

    def test_undoing_asks_as_often_for_many_as_for_few(self, partner, django_assert_num_queries):
        few = carried(make_upload(partner, ADA, EVE))
        many = carried(make_upload(partner, *(f"m{n}@example.com,M,1" for n in range(40))))
        with django_assert_num_queries(queries_of(few)):
            undo_upload(upload=many, reason="the wrong file")


def queries_of(upload) -> int:
    with CaptureQueriesContext(connection) as asked:
        undo_upload(upload=upload, reason="the wrong file")
    return len(asked)


class TestBackOffice:
    def test_staff_see_rows_and_undo_with_a_reason(self, partner, superuser):
        upload = carried(make_upload(partner, ADA, WRONG), VALID)
        client = signed_in(superuser)
        assert client.get(reverse("admin:partners_upload_changelist")).status_code == 200
        rows = client.get(reverse("admin:partners_upload_show_rows", args=[upload.pk]), follow=True)
        assert "This is no whole number" in rows.content.decode()
        where = reverse("admin:partners_upload_undo", args=[upload.pk])
        assert "5 credits are not used" in client.get(where).content.decode()
        assert client.post(where, {"reason": ""}).status_code == 422
        assert client.post(where, {"reason": "the wrong file"}).status_code == 302
        assert client.post(where, {"reason": "once more"}).status_code == 302
        assert in_pool(partner) == 100

    def test_a_member_of_staff_without_the_permission_undoes_nothing(self, partner):
        upload = carried(make_upload(partner, ADA))
        client = signed_in(make_person(is_staff=True))
        where = reverse("admin:partners_upload_undo", args=[upload.pk])
        assert client.post(where, {"reason": "the wrong file"}).status_code == 403
        assert in_pool(partner) == 95


class TestForgetting:
    def test_an_erased_person_is_taken_out_of_the_rows_of_files(self, partner):
        ada = make_person(email="ada@example.com")
        upload = carried(make_upload(partner, ADA, EVE, "ada@example.com,Ada,1"), VALID)
        assert [row["cells"] for row in rows_naming(ada)] == [
            ["ada@example.com", "Ada", "5"],
            ["ada@example.com", "Ada", "1"],
        ]
        forget_in_uploads(user=ada, addresses={"ada@example.com"})
        kept = UploadRow.objects.filter(upload=upload).order_by("number")
        assert list(kept.values_list("cells", "email")) == [
            ([], ""),
            (["eve@example.com", "Eve", "7"], "eve@example.com"),
            ([], ""),
        ]
        assert (statuses(upload), faults(upload)) == (["done", "done", "wrong"], ["erased"])
        assert list(rows_naming(ada)) == []

    def test_a_person_is_told_of_rows_by_every_address_that_he_verified(self, partner):
        make_upload(partner, ADA, EVE)
        person = make_person(email="main@example.com")
        EmailAddress.objects.create(user=person, email="Ada@example.com", verified=True)
        EmailAddress.objects.create(user=person, email="eve@example.com", verified=False)
        assert [row["cells"] for row in rows_naming(person)] == [["ada@example.com", "Ada", "5"]]

    def test_a_row_that_is_forgotten_before_it_is_confirmed_is_wrong(self, partner):
        upload = make_upload(partner, ADA, EVE)
        forget_in_uploads(user=make_person(), addresses={"ada@example.com"})
        assert statuses(refresh_preview(upload=upload)) == ["wrong", "new"]

    def test_what_he_called_his_files_goes_with_him(self, partner):
        him, other = make_person(), make_person()
        data = make_file(ADA)
        for person in (him, other):
            store_upload(partner=partner, data=data, filename="ada.csv", by=person)
        assert [one["filename"] for one in uploads_by(him)] == ["ada.csv"]
        forget_in_uploads(user=him, addresses=[])
        assert [one["filename"] for one in uploads_by(him)] == ["(erased)"]
        assert [one["filename"] for one in uploads_by(other)] == ["ada.csv"]


class TestInvariants:
    def test_what_is_carried_out_refused_and_undone_breaks_none(self, partner):
        carried(make_upload(partner, ADA, WRONG), VALID)
        again = make_upload(partner, ADA, EVE)
        carried(again)
        undo_upload(upload=again, reason="the wrong file")
        assert broken() == set()

    def test_a_row_that_awarded_something_else_is_found(self, partner):
        carried(make_upload(partner, ADA))
        UploadRow.objects.update(credits=6)
        assert broken() == {"H20"}

    def test_a_row_that_was_left_behind_is_found(self, partner):
        carried(make_upload(partner, ADA, EVE))
        UploadRow.objects.filter(email="eve@example.com").update(status="new")
        assert broken() == {"H21"}


def broken() -> set[str]:
    return {one.invariant.code for one in verify() if one.failures}
