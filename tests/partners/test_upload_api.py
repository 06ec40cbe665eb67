"""Uploads by API."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.partners.models import Upload
from apps.partners.services.uploads.carrying import carry_out
from tests.partners.programme import make_programme
from tests.partners.uploading import make_file, make_upload
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db
ADA, WRONG = "ada@example.com,Ada,5", "eve@example.com,=Eve,1.5"
UPLOADS = "/api/v1/partner/uploads"


def caller(organization, *scopes, role: str = "owner"):
    return with_key(make_key(organization, make_member(organization, role), *scopes)[1])


@pytest.fixture
def client(partner):
    return caller(partner.organization, "partners:read", "partners:write")


def send(client, data: bytes, **fields):
    return client.post(UPLOADS, {"file": SimpleUploadedFile("members.csv", data), **fields})


def confirm(client, upload_id: str, key: str = "once", **fields):
    return client.post(
        f"{UPLOADS}/{upload_id}/confirm",
        fields,
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def test_a_file_is_uploaded_looked_at_and_confirmed(client):
    answer = send(client, make_file(ADA, WRONG), batch="May")
    upload = answer.json()
    assert answer.status_code == 201
    assert answer["Location"].endswith(upload["id"])
    assert (upload["status"], upload["credits"], upload["pool_available"]) == ("preview", 5, 100)
    assert (upload["rows"]["new"], upload["rows"]["wrong"]) == (1, 1)
    assert upload["mapping"] == {"email": 0, "first_name": 1, "credits": 2}
    assert confirm(client, upload["id"], credits=5).json()["code"] == "upload_has_wrong_rows"
    answer = confirm(client, upload["id"], credits=5, mode="valid", key="again")
    assert (answer.status_code, answer.json()["status"]) == (202, "confirmed")
    replay = confirm(client, upload["id"], credits=5, mode="valid", key="again")
    assert replay["Idempotent-Replayed"] == "true"
    carry_out(Upload.objects.get().pk)
    done = client.get(f"{UPLOADS}/{upload['id']}").json()
    assert (done["status"], done["percent"], done["pool_available"]) == ("done", 100, 95)
    (listed,) = client.get(UPLOADS).json()["data"]
    assert (listed["id"], listed["done_rows"]) == (upload["id"], 1)


def test_confirming_needs_a_key_and_the_credits_that_were_seen(client, partner):
    upload = make_upload(partner, ADA)
    where = f"{UPLOADS}/{upload.public_id}/confirm"
    answer = client.post(where, {"credits": 5}, content_type="application/json")
    assert answer.json()["code"] == "idempotency_key_required"
    assert confirm(client, upload.public_id).status_code == 400
    assert confirm(client, upload.public_id, credits=6).json()["code"] == "upload_changed"


def test_confirming_asks_who_it_is_as_the_page_does(partner):
    upload = make_upload(partner, ADA)
    owner = make_member(partner.organization, "owner", password="a long password")
    # By an API key nobody is there who could be asked.
    stale, fresh = signed_in(owner, is_fresh=False), signed_in(owner)
    refused = confirm(stale, upload.public_id, credits=5)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert confirm(fresh, upload.public_id, credits=5).status_code == 202


def test_rows_come_in_the_order_of_the_file_with_what_is_wrong(client, partner):
    upload = make_upload(partner, ADA, WRONG, "max@example.com,Max,7")
    first = client.get(f"{UPLOADS}/{upload.public_id}/rows?limit=2").json()
    assert [row["number"] for row in first["data"]] == [2, 3]
    rest = f"{UPLOADS}/{upload.public_id}/rows?limit=2&cursor={first['next_cursor']}"
    assert [row["number"] for row in client.get(rest).json()["data"]] == [4]
    (wrong,) = client.get(f"{UPLOADS}/{upload.public_id}/rows?status=wrong").json()["data"]
    assert wrong["cells"] == ["eve@example.com", "=Eve", "1.5"]
    assert wrong["faults"][0] == {
        "column": "credits",
        "value": "1.5",
        "code": "invalid_credits",
        "message": "This is no whole number. Write it in digits, like 10 or 1,000.",
    }
    assert client.get(f"{UPLOADS}/{upload.public_id}/rows?status=odd").status_code == 400


def test_columns_are_told_and_rows_are_looked_at_again(client):
    upload = send(client, make_file("a@b.cd,Ada,5", header="Adresse,Vorname,Betrag")).json()
    assert upload["status"] == "mapping"
    where = f"{UPLOADS}/{upload['id']}"
    refused = client.put(f"{where}/mapping", {"email": 0}, content_type="application/json")
    assert refused.status_code == 400
    mapped = client.put(
        f"{where}/mapping", {"email": 0, "credits": 2}, content_type="application/json"
    )
    assert (mapped.json()["status"], mapped.json()["credits"]) == ("preview", 5)
    assert client.post(f"{where}/preview").json()["rows"]["new"] == 1


def test_files_are_handed_out_as_csv(client, partner):
    upload = make_upload(partner, ADA, WRONG)
    answer = client.get(f"{UPLOADS}/{upload.public_id}/errors.csv", headers={"Accept": "text/csv"})
    assert b"".join(answer.streaming_content).decode().splitlines()[1].startswith("eve@")
    answer = client.get(f"{UPLOADS}/{upload.public_id}/result.csv")
    assert len(b"".join(answer.streaming_content).splitlines()) == 3


def test_what_cannot_be_read_is_refused_with_reason_and_row(client):
    answer = send(client, b"email,credits\nzo\xeb@b.cd,1\n")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "unreadable_upload")
    assert (problem["reason"], problem["row"]) == ("encoding", 2)
    assert send(client, b"x" * (3 * 1024**2)).status_code == 413
    assert client.post(UPLOADS, {"batch": "May"}).status_code == 400
    assert send(client, make_file(ADA), campaign="pcm_0").status_code == 404


def test_an_upload_is_discarded_until_it_is_confirmed(client, partner):
    upload = make_upload(partner, ADA)
    assert client.delete(f"{UPLOADS}/{upload.public_id}").status_code == 204
    other = make_upload(partner, ADA)
    confirm(client, other.public_id, credits=5)
    assert client.delete(f"{UPLOADS}/{other.public_id}").json()["code"] == "upload_has_ended"


def test_a_key_that_may_only_read_changes_nothing(partner):
    upload = make_upload(partner, ADA)
    reader = caller(partner.organization, "partners:read")
    assert reader.get(f"{UPLOADS}/{upload.public_id}").status_code == 200
    assert send(reader, make_file(ADA)).status_code == 403
    assert confirm(reader, upload.public_id, credits=5).status_code == 403
    assert reader.delete(f"{UPLOADS}/{upload.public_id}").status_code == 403


def test_an_upload_of_others_does_not_exist(partner):
    upload = make_upload(partner, ADA)
    others = make_programme(name="Others")
    client = caller(others.organization, "partners:read", "partners:write")
    where = f"{UPLOADS}/{upload.public_id}"
    for place in ("", "/rows", "/result.csv", "/errors.csv"):
        assert client.get(f"{where}{place}").status_code == 404
    assert confirm(client, upload.public_id, credits=5).status_code == 404
    assert client.delete(where).status_code == 404
    assert client.get(UPLOADS).json()["data"] == []


def test_without_a_programme_nothing_is_uploaded():
    client = caller(make_organization(), "partners:write")
    assert send(client, make_file(ADA)).json()["code"] == "not_a_partner"


def test_lists_ask_as_often_for_many_as_for_few(client, partner):
    def queries(where: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(where).status_code == 200
        return len(asked)

    one = make_upload(partner, ADA)
    queries(UPLOADS)  # notes that the key is used
    listed, rows = queries(UPLOADS), queries(f"{UPLOADS}/{one.public_id}/rows")
    many = make_upload(partner, *(f"m{number}@b.cd,M,1" for number in range(20)))
    assert queries(UPLOADS) == listed
    assert queries(f"{UPLOADS}/{many.public_id}/rows") == rows
