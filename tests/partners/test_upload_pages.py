"""The customer's pages of uploads."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.partners.models import Campaign, Upload, UploadRow
from apps.partners.services.campaigns import end_campaign
from apps.partners.services.uploads.carrying import carry_out
from tests.markup import repeated_ids
from tests.partners.programme import make_programme
from tests.partners.uploading import carried, confirm, make_file, make_upload
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db
ADA, WRONG = "ada@example.com,Ada,5", "eve@example.com,=Eve,1.5"


@pytest.fixture
def manager(partner):
    return make_member(partner.organization, "partner manager")


@pytest.fixture
def client(manager):
    return signed_in(manager)


def address(partner, *parts) -> str:
    return "/".join(["/o", partner.organization.slug, "programme/uploads", *map(str, parts), ""])


def send(client, partner, data: bytes, name: str = "members.csv", **fields):
    return client.post(address(partner), {"file": SimpleUploadedFile(name, data), **fields})


def test_a_file_is_uploaded_looked_at_and_confirmed(client, partner, manager):
    assert "No uploads yet" in client.get(address(partner)).content.decode()
    answer = send(client, partner, make_file(ADA))
    upload = Upload.objects.get()
    assert answer.url == address(partner, upload.public_id)
    page = client.get(answer.url).content.decode()
    assert "Hand on 5 credits" in page
    assert repeated_ids(page) == []
    assert "ada@example.com" in page
    chosen = {"credits": upload.credits, "mode": "all"}
    assert client.post(address(partner, upload.public_id, "confirm"), chosen).url == answer.url
    assert 'hx-trigger="load delay:1s"' in client.get(answer.url).content.decode()
    carry_out(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.uploaded_by, upload.confirmed_by) == ("done", manager, manager)
    status = client.get(address(partner, upload.public_id, "status")).content.decode()
    assert "5 of 5" in status
    assert "hx-get" not in status
    where = address(partner, upload.public_id, "status")
    told = client.get(where, headers={"HX-Request": "true"}).content.decode()
    assert "The upload is carried out: 1 of 1 rows are done." in told


def test_a_wrong_row_is_shown_with_what_to_do_and_can_be_taken_away(client, partner):
    upload = make_upload(partner, ADA, WRONG)
    page = client.get(address(partner, upload.public_id)).content.decode()
    assert "credits “1.5”: This is no whole number." in page
    answer = client.get(address(partner, upload.public_id, "errors"))
    header, row = b"".join(answer.streaming_content).decode().splitlines()
    assert header == "email,name,credits,_row,_error"
    assert row.startswith("eve@example.com,'=Eve,1.5,3,")


def test_of_very_many_wrong_rows_the_page_shows_the_first(client, partner, monkeypatch):
    for name in ("ROWS_SHOWN", "WRONG_SHOWN"):
        monkeypatch.setattr(f"apps.partners.selectors.uploads.{name}", 1)
    upload = make_upload(partner, ADA, *(f"nobody{number},X,1" for number in range(3)))
    for place in ((upload.public_id,), (upload.public_id, "status")):
        page = client.get(address(partner, *place)).content.decode()
        assert "2 more are wrong: the file of errors has all of them." in page
        assert ("nobody0" in page, "nobody1" in page) == (True, False)


def test_a_file_that_cannot_be_read_is_refused_beside_its_field(client, partner):
    answer = send(client, partner, "email,credits\nzo\u00eb@b.cd,1".encode("latin-1"))
    assert (answer.status_code, "not UTF-8" in answer.content.decode()) == (400, True)
    answer = send(client, partner, b"x" * (2 * 1024**2 + 1))
    assert (answer.status_code, "larger than 2 MB" in answer.content.decode()) == (422, True)
    assert not Upload.objects.exists()


def test_columns_are_chosen_where_they_are_not_understood(client, partner):
    send(client, partner, make_file("a@b.cd,Ada,5", header="Adresse,Vorname,Betrag"))
    upload = Upload.objects.get()
    where = address(partner, upload.public_id, "columns")
    assert client.post(where, {"email": 0}).status_code == 422
    assert client.post(where, {"email": 0, "credits": 0}).status_code == 400
    assert client.post(where, {"email": 0, "credits": 2, "first_name": ""}).status_code == 302
    upload.refresh_from_db()
    assert (upload.status, upload.mapping) == ("preview", {"credits": 2, "email": 0})


def test_what_has_changed_since_is_shown_anew_and_not_carried_out(client, partner):
    upload, other = make_upload(partner, ADA, batch="May"), make_upload(partner, ADA, batch="May")
    carried(other)
    where = address(partner, upload.public_id, "confirm")
    answer = client.post(where, {"credits": 5, "mode": "all"})
    assert (answer.status_code, "You saw that 5 credits" in answer.content.decode()) == (409, True)
    assert UploadRow.objects.get(upload=upload).status == "repeated"
    assert client.post(where, {"credits": 0, "mode": "all"}).status_code == 409
    assert Upload.objects.get(pk=upload.pk).status == "preview"


def test_an_upload_is_looked_at_again_and_discarded(client, partner):
    upload = make_upload(partner, ADA)
    for action in ("preview", "discard"):
        assert client.post(address(partner, upload.public_id, action)).status_code == 302
    upload.refresh_from_db()
    assert upload.status == "discarded"
    page = client.get(address(partner, upload.public_id)).content.decode()
    assert "Confirm" not in page


def test_a_campaign_is_chosen_where_there_are_some(client, partner):
    assert 'name="campaign"' not in client.get(address(partner)).content.decode()
    campaign = Campaign.objects.create(
        organization=partner.organization,
        partner=partner,
        name="Autumn",
        budget=10,
        begins_at=partner.created_at,
    )
    send(client, partner, make_file(ADA), campaign=str(campaign.pk))
    assert Upload.objects.get().campaign == campaign
    end_campaign(campaign=campaign)
    assert 'name="campaign"' not in client.get(address(partner)).content.decode()


def test_a_mended_file_is_uploaded_by_the_name_of_its_batch(client, partner):
    upload = make_upload(partner, ADA, WRONG, batch="May & June")
    link = f"{address(partner)}?batch=May%20%26%20June"
    assert f'href="{link}"' in client.get(address(partner, upload.public_id)).content.decode()
    assert 'value="May &amp; June"' in client.get(link).content.decode()
    whole = make_upload(partner, ADA)
    for place in ((whole.public_id,), (whole.public_id, "status")):
        assert "?batch=" not in client.get(address(partner, *place)).content.decode()


def test_who_may_only_look_changes_nothing(partner):
    upload = make_upload(partner, ADA)
    reader = signed_in(make_member(partner.organization, "read-only"))
    page = reader.get(address(partner, upload.public_id)).content.decode()
    assert "Hand on" not in page
    assert send(reader, partner, make_file(ADA)).status_code == 403
    for action in ("columns", "preview", "confirm", "discard"):
        assert reader.post(address(partner, upload.public_id, action)).status_code == 403
    member = signed_in(make_member(partner.organization, "member"))
    for place in ("", "status", "result", "errors"):
        answer = member.get(address(partner, upload.public_id, *filter(None, [place])))
        assert answer.status_code == 403


def test_an_upload_of_others_does_not_exist(partner):
    upload = make_upload(partner, ADA)
    others = make_programme(name="Others")
    client = signed_in(make_member(others.organization, "owner"))
    for place in ("", "status", "result", "errors"):
        where = address(others, upload.public_id, *filter(None, [place]))
        assert client.get(where).status_code == 404
    for action in ("columns", "preview", "confirm", "discard"):
        assert client.post(address(others, upload.public_id, action)).status_code == 404


def test_without_a_programme_there_are_no_uploads():
    organization = make_organization()
    client = signed_in(make_member(organization, "owner"))
    assert client.get(f"/o/{organization.slug}/programme/uploads/").status_code == 409


def test_the_template_is_handed_out(client, partner):
    answer = client.get(address(partner, "template"))
    _, header, example = b"".join(answer.streaming_content).decode().splitlines()
    assert header == "email,first name,last name,group,credits"
    assert example.startswith("# ")


def test_pages_ask_as_often_for_many_as_for_few(client, partner):
    def queries(*parts) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address(partner, *parts)).status_code == 200
        return len(asked)

    few = make_upload(partner, ADA)
    confirm(few)
    queries()  # notes the visit
    listed, shown = queries(), queries(few.public_id)
    many = make_upload(partner, *(f"m{number}@b.cd,M,1.{number}" for number in range(60)))
    confirm(make_upload(partner, WRONG, ADA, batch="other"), Upload.Mode.VALID)
    assert queries() == listed
    assert queries(many.public_id) <= shown
