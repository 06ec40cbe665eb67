"""Files that several upload, confirm, carry out and undo at once: real connections and commits."""

from datetime import timedelta
from itertools import count
from unittest import mock

import pytest

from apps.partners.models import Partner, PartnerCredit, PartnerMember, Upload, UploadRow
from apps.partners.services.uploads import carrying, checking
from apps.partners.services.uploads.carrying import carry_out
from apps.partners.services.uploads.undoing import undo_upload
from tests.invariants import broken
from tests.partners.awarding import in_pool
from tests.partners.programme import make_programme
from tests.partners.uploading import confirm, make_upload, statuses
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8
ROWS = [f"m{number}@example.com,M,{number + 1}" for number in range(6)]
TOTAL = sum(range(1, 7))
VALID = Upload.Mode.VALID


def upload_it(partner: Partner, mode: Upload.Mode) -> None:
    """Do all that one tab does, and its worker."""
    upload = make_upload(partner, *ROWS)
    if upload.credits:
        carry_out(confirm(upload, mode).pk)


@pytest.mark.parametrize("mode", Upload.Mode)
def test_the_same_file_from_many_tabs_hands_on_once(mode):
    partner = make_programme(credits=1000)
    uploads = [make_upload(partner, *ROWS) for _ in range(RACERS)]
    for upload in uploads:  # before any of them is carried out: each preview says the same
        confirm(upload, mode)
    at_once([lambda one=one: carry_out(one.pk) for one in uploads])
    assert in_pool(partner) == 1000 - TOTAL
    assert PartnerCredit.objects.count() == PartnerMember.objects.count() == len(ROWS)
    found = sorted(set(statuses(one)).pop() for one in uploads)
    assert found == ["done"] + ["repeated"] * (RACERS - 1)
    assert broken() == []


def test_without_the_key_of_a_row_the_same_file_hands_on_as_often_as_it_is_uploaded():
    """The control: what the race above finds held is held by the key, and by nothing else."""
    partner = make_programme(credits=1000)
    uploads = [confirm(make_upload(partner, *ROWS)) for _ in range(3)]
    number = count()

    def no_key(batch: str, email: str) -> str:
        return f"upload:{next(number)}"

    with (
        mock.patch.object(checking, "key_of", no_key),
        mock.patch.object(carrying, "key_of", no_key),
    ):
        at_once([lambda one=one: carry_out(one.pk) for one in uploads])
    assert in_pool(partner) == 1000 - 3 * TOTAL


def test_files_of_the_same_people_are_uploaded_confirmed_and_carried_out_at_once():
    partner = make_programme(credits=1000)
    upload_it(partner, VALID)
    others = [make_upload(partner, *ROWS, batch=f"batch {number}") for number in range(RACERS)]
    at_once([lambda one=one: carry_out(confirm(one, VALID).pk) for one in others])
    assert in_pool(partner) == 1000 - (RACERS + 1) * TOTAL
    assert PartnerMember.objects.count() == len(ROWS)
    assert broken() == []


def test_several_workers_at_one_file_do_each_row_once(monkeypatch):
    monkeypatch.setattr(carrying, "BATCH", 1)
    monkeypatch.setattr(carrying, "LEASE", timedelta(0))  # nobody is waited for
    partner = make_programme(credits=1000)
    upload = confirm(make_upload(partner, *ROWS), VALID)
    at_once([lambda: carry_out(upload.pk)] * 4)
    upload.refresh_from_db()
    assert (upload.status, upload.done_rows, set(statuses(upload))) == ("done", len(ROWS), {"done"})
    assert (in_pool(partner), broken()) == (1000 - TOTAL, [])


def test_a_pool_that_covers_one_of_two_files_is_never_overdrawn():
    partner = make_programme(credits=TOTAL + 2)
    uploads = [confirm(make_upload(partner, *ROWS, batch=name)) for name in ("a", "b")]
    at_once([lambda one=one: carry_out(one.pk) for one in uploads])
    found = Upload.objects.values_list("status", flat=True)
    assert sorted(found) == ["done", "refused"]
    assert in_pool(partner) == 2
    assert UploadRow.objects.filter(status="failed").count() == len(ROWS)
    assert broken() == []


def test_an_upload_is_undone_once():
    partner = make_programme(credits=1000)
    upload = confirm(make_upload(partner, *ROWS))
    carry_out(upload.pk)
    undone = at_once([lambda: undo_upload(upload=upload, reason="the wrong file")] * 4)
    assert sorted(one.credits for one in undone) == [0, 0, 0, TOTAL]
    assert (in_pool(partner), broken()) == (1000, [])
