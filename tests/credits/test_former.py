"""Balances and ledgers of a former system: imported once, compared, and shown as history."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from apps.core.imports import Unfit
from apps.credits.models import FormerAccount, FormerMovement, Lot
from apps.credits.selectors import main_wallet
from apps.credits.selectors.former import History
from apps.credits.services.former import import_histories
from apps.tenants.models import AuditLog
from tests.invariants import broken
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
BALANCES = "user_id,email,organization,credits"
LEDGER = "id,user_id,delta,balance_after,operation_type,description,created_at"
HISTORY = (
    "t1,u-1,100,100,purchase,100 tokens,2025-11-03 08:00:00+00",
    "t2,u-1,-30,70,image,image generation,2025-11-03 09:00:00+00",
)


@pytest.fixture
def ada():
    return make_person(email="ada@example.com")


@pytest.fixture
def acme(ada):
    return make_organization(owner=ada, with_trial=False)


@pytest.fixture
def run(tmp_path):
    """Import these lines; return what the report says (kind and column), and what is printed."""

    def importing(command: str, *lines: str, apply: bool = True, **options):
        file, report, out = tmp_path / "former.csv", tmp_path / "report.csv", StringIO()
        header = LEDGER if command == "import_ledger" else BALANCES
        file.write_text("\n".join([header, *lines]))
        try:
            call_command(command, file, report=report, apply=apply, stdout=out, **options)
        except CommandError as error:
            out.write(str(error))
        with report.open(newline="") as found:
            rows = [(row["kind"], row["column"], row["problem"]) for row in csv.DictReader(found)]
        return rows, out.getvalue()

    return importing


@pytest.fixture
def with_balance(run, acme):
    assert run("import_balances", "u-1,ada@example.com,,70")[0] == []
    return acme


class TestBalances:
    def test_become_one_opening_lot_each(self, run, acme):
        lines = ("u-1,ada@example.com,,70", f"u-2,,{acme.slug},0", f"u-3,,{acme.public_id},5")
        dry, _ = run("import_balances", *lines, apply=False)
        assert not FormerAccount.objects.exists()
        found, said = run("import_balances", *lines)
        again, repeated = run("import_balances", *lines)

        assert dry == found == again == []
        assert "accounts=3 credits=75 already=0 credits_already=0" in said
        assert "accounts=0 credits=0 already=3 credits_already=75" in repeated
        lots = Lot.objects.filter(organization=acme, kind="adjustment")
        assert set(lots.values_list("granted", "expires_at", "unit_cost", "origin")) == {
            (70, None, 0, "opening:u-1"),
            (5, None, 0, "opening:u-3"),
        }
        assert main_wallet(acme).balance == 75
        assert AuditLog.objects.filter(action="credits.import_balance").count() == 3
        assert broken() == []

    @pytest.mark.parametrize(
        ("line", "column", "problem"),
        [
            ("u-1,ada@example.com,,-5", "credits", "below zero"),
            ("u-1,ada@example.com,,1.5", "credits", "no whole number"),
            ("u-1,bob@example.com,,5", "email", "owns no organization"),
            ("u-1,,,5", "email", "Nothing stands here"),
            (",ada@example.com,,5", "id", "Nothing stands here"),
            ("u-1,ada\0@example.com,,5", "", "NUL"),
        ],
    )
    def test_that_cannot_be_are_left_out(self, run, acme, line, column, problem):
        ((kind, named, said),), end = run("import_balances", line)

        assert (kind, named) == ("problem", column)
        assert problem in said
        assert "Left out: 1" in end
        assert not FormerAccount.objects.exists()

    def test_go_to_no_closed_organization_and_no_sandbox(self, run, acme, ada):
        acme.is_active = False
        acme.save()

        found, _ = run("import_balances", f"u-1,,{acme.slug},5", "u-2,ada@example.com,,5")
        assert [column for _, column, _ in found] == ["organization", "email"]

    @pytest.mark.parametrize("apply", [True, False])
    def test_count_once_though_they_stand_there_twice(self, run, acme, apply):
        twice = ("u-1,ada@example.com,,70", "u-1,ada@example.com,,80")
        found, said = run("import_balances", *twice, apply=apply)

        assert [problem for *_, problem in found] == ["This account stands in the file twice."]
        assert "accounts=1 credits=70" in said

    def test_are_never_granted_anew_with_other_values(self, run, with_balance):
        other = make_organization(name="Other")
        found, _ = run("import_balances", "u-1,ada@example.com,,80")
        moved, _ = run("import_balances", f"u-1,,{other.slug},70")

        assert "with 70 credits" in found[0][2]
        assert "for Acme" in moved[0][2]
        assert main_wallet(with_balance).balance == 70


class TestLedger:
    def test_is_kept_as_history_once(self, run, with_balance):
        dry, planned = run("import_ledger", *HISTORY, apply=False)
        assert not FormerMovement.objects.exists()
        found, said = run("import_ledger", *HISTORY)
        again, repeated = run("import_ledger", *reversed(HISTORY))

        assert dry == found == again == []
        assert "accounts=1 movements=2 credits=70 in_file=1" in planned
        assert "accounts=1 movements=2 credits=70 in_file=1" in said
        assert "accounts=0 movements=0" in repeated
        kept = FormerMovement.objects.values_list("former_id", "amount", "balance_after", "kind")
        assert list(kept) == [("t2", -30, 70, "image"), ("t1", 100, 100, "purchase")]
        assert main_wallet(with_balance).balance == 70
        assert broken() == []

    def test_that_does_not_add_up_is_refused(self, run, with_balance):
        found, end = run("import_ledger", HISTORY[0])

        assert found[0][:2] == ("problem", "account")
        assert "add up to 100, and its balance is 70" in found[0][2]
        assert "Left out: 1" in end
        assert not FormerMovement.objects.exists()

    def test_that_does_not_add_up_is_taken_with_a_reason(self, run, with_balance):
        found, _ = run("import_ledger", HISTORY[0], allow_difference="Rows of 2024 are lost")

        assert {kind for kind, *_ in found} == {"note"}
        account = FormerAccount.objects.get()
        assert (account.difference, account.difference_reason) == (-30, "Rows of 2024 are lost")
        row = AuditLog.objects.get(action="credits.import_history")
        assert row.reason == "Rows of 2024 are lost"
        assert broken() == []

    def test_takes_no_reason_that_is_too_long_to_be_kept(self, run, with_balance):
        _, end = run("import_ledger", HISTORY[0], allow_difference="x" * 501)

        assert "Shorten it" in end
        assert not FormerMovement.objects.exists()

    def test_says_where_the_newest_balance_is_another(self, run, with_balance):
        found, _ = run("import_ledger", HISTORY[0], HISTORY[1].replace(",70,", ",71,"))

        assert [row[:2] for row in found] == [("note", "balance_after")]
        assert FormerMovement.objects.count() == 2

    def test_needs_the_balance_first(self, run, acme):
        found, _ = run("import_ledger", *HISTORY)

        assert [problem for *_, problem in found] == ["Its balance was not imported."]

    def test_is_not_written_in_part(self, run, with_balance):
        bad = "t3,u-1,many,70,image,,2025-11-03 10:00:00+00"
        found, _ = run("import_ledger", *HISTORY, bad)

        assert [column for _, column, _ in found] == ["amount"]
        assert not FormerMovement.objects.exists()

    @pytest.mark.parametrize(
        "bad", ["t3,u-1,-5,65,image,a, comma,2025-11-03", "t3,,5,,,,2025-11-03"]
    )
    def test_is_not_written_without_rows_that_nobody_can_tell_whose(self, run, with_balance, bad):
        found, end = run("import_ledger", HISTORY[0], bad, allow_difference="Lost")

        assert [kind for kind, *_ in found] == ["problem"]
        assert "Of 1 lines nobody can tell whose they are" in end
        assert not FormerMovement.objects.exists()

    def test_is_not_written_a_second_time_with_other_rows(self, run, with_balance):
        run("import_ledger", *HISTORY)
        found, _ = run("import_ledger", HISTORY[0].replace("t1", "t9"), HISTORY[1])

        assert [problem for *_, problem in found] == [
            "Its history was imported before, and was another one."
        ]
        assert FormerMovement.objects.count() == 2

    def test_is_written_by_one_of_two_imports_at_once(self, run, with_balance):
        run("import_ledger", *HISTORY)

        with pytest.raises(Unfit, match="Another import"), transaction.atomic():
            import_histories(
                accounts={"u-1": FormerAccount.objects.get()},
                histories={"u-1": History(count=2, total=70)},
                entries=[],
            )

    def test_has_no_row_twice(self, run, with_balance):
        rows = ("t1,u-1,35,35,p,,2025-11-03", "t1,u-1,35,70,p,,2025-11-04")
        _, said = run("import_ledger", *rows)

        assert "some have the same id" in said
        assert not FormerMovement.objects.exists()


class TestReading:
    @pytest.fixture
    def here(self, run, with_balance):
        run("import_ledger", *HISTORY)
        return f"/o/{with_balance.slug}/transactions/"

    def test_shows_it_to_the_customer(self, here, ada):
        client = signed_in(ada)
        text = client.get(f"{here}former/").content.decode()
        lines = b"".join(client.get(f"{here}former/?format=csv").streaming_content).decode()

        assert "image generation" in text
        assert "+100" in text
        assert "former/" in client.get(here).content.decode()
        assert [row.split(",")[1] for row in lines.splitlines()] == ["id", "t2", "t1"]

    def test_shows_it_page_by_page(self, here, ada, monkeypatch):
        monkeypatch.setattr("apps.rbac.pages.base.PAGE_SIZE", 1)
        client = signed_in(ada)
        newest = FormerMovement.objects.get(former_id="t2")
        first = client.get(f"{here}former/").content.decode()
        second = client.get(f"{here}former/?after={newest.public_id}").content.decode()

        assert f"after={newest.public_id}" in first
        assert ("100 tokens" in first, "100 tokens" in second) == (False, True)

    def test_shows_it_to_nobody_else(self, here, with_balance):
        stranger = make_organization(name="Other")
        theirs = signed_in(make_member(stranger, "admin"))

        assert theirs.get(f"{here}former/").status_code == 404
        text = theirs.get(f"/o/{stranger.slug}/transactions/former/").content.decode()
        assert "Nothing came from a former system" in text
        assert "former/" not in theirs.get(f"/o/{stranger.slug}/transactions/").content.decode()

    def test_is_in_the_api(self, here, with_balance, ada):
        _, secret = make_key(with_balance, ada, "credits:read")
        client = with_key(secret)
        answer = client.get("/api/v1/credits/former?limit=1").json()
        lines = b"".join(client.get("/api/v1/credits/former.csv").streaming_content).decode()

        assert [row["former_id"] for row in answer["data"]] == ["t2"]
        assert answer["has_more"]
        assert len(lines.splitlines()) == 3

    def test_is_seen_by_staff(self, here):
        staff = signed_in(make_person(is_staff=True, is_superuser=True))

        for asked, is_there in (("q=u-1", True), ("history=yes", True), ("history=no", False)):
            text = staff.get(f"/admin/credits/formeraccount/?{asked}").content.decode()
            assert (">u-1<" in text) == is_there
        assert "image generation" in staff.get("/admin/credits/formermovement/").content.decode()
