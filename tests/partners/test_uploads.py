"""Files by which credits are handed on: what a preview says is what happens, and once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import workers_now
from apps.core.exports import stream_csv
from apps.credits.models import Lot
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.services.grants import grant_credits
from apps.partners.errors import CampaignBudgetSpent, CampaignClosed, PartnerSuspended
from apps.partners.errors.uploads import (
    InvalidUploadBatch,
    InvalidUploadMapping,
    PoolTooSmall,
    TooManyUploads,
    UploadChanged,
    UploadHasEnded,
    UploadHasNothing,
    UploadHasWrongRows,
    UploadNotMapped,
)
from apps.partners.models import (
    Campaign,
    MemberGroup,
    Partner,
    PartnerCredit,
    PartnerMember,
    Upload,
    UploadRow,
)
from apps.partners.selectors import uploads as selected
from apps.partners.services.campaigns import (
    Plan,
    change_campaign,
    create_campaign,
    end_campaign,
)
from apps.partners.services.programmes import Terms, set_status
from apps.partners.services.sheets import read_table
from apps.partners.services.uploads import carrying, storing
from apps.partners.services.uploads.confirming import confirm_upload
from apps.partners.services.uploads.storing import (
    discard_upload,
    map_columns,
    refresh_preview,
    store_upload,
)
from tests.partners.programme import make_members, make_programme
from tests.partners.uploading import (
    carried,
    confirm,
    faults,
    make_file,
    make_upload,
    statuses,
)

pytestmark = pytest.mark.django_db
ADA, EVE, MAX = "ada@example.com,Ada,5", "eve@example.com,Eve,7", "max@example.com,Max,9"
VALID = Upload.Mode.VALID


@pytest.fixture
def partner() -> Partner:
    return make_programme(credits=100)


def pool(partner: Partner) -> int:
    return balance_of(main_wallet(partner.organization)).available


def awarded(partner: Partner) -> dict[str, int]:
    awards = PartnerCredit.objects.filter(partner=partner)
    return {award.member.email: award.credits for award in awards.select_related("member")}


def versions_of(upload):
    """Return where each row lies, in their order: elsewhere, once it was written again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ctid::text FROM partners_uploadrow WHERE upload_id = %s ORDER BY number",
            [upload.pk],
        )
        return cursor.fetchall()


class TestPreviews:
    def test_a_preview_says_what_each_row_would_do_and_does_nothing(self, partner):
        make_members(partner, "eve@example.com", "max@example.com")
        PartnerMember.objects.filter(email="max@example.com").update(first_name="Max")
        upload = make_upload(partner, ADA, EVE, MAX, "no address,Joe,3")
        assert (upload.status, upload.credits) == ("preview", 21)
        assert statuses(upload) == ["new", "changed", "unchanged", "wrong"]
        assert (pool(partner), awarded(partner)) == (100, {})
        assert PartnerMember.objects.filter(partner=partner).count() == 2

    def test_a_fault_is_told_with_its_row_column_value_and_what_to_do(self, partner):
        upload = make_upload(partner, ADA, "eve@example.com,Eve,1.5")
        row = UploadRow.objects.get(upload=upload, status="wrong")
        assert row.number == 3
        assert row.errors == [
            {
                "column": "credits",
                "value": "1.5",
                "code": "invalid_credits",
                "message": "This is no whole number. Write it in digits, like 10 or 1,000.",
            }
        ]

    def test_an_address_that_stands_twice_is_wrong_the_second_time(self, partner):
        upload = make_upload(partner, ADA, "ADA@Example.com ,Ada,3")
        assert (statuses(upload), faults(upload)) == (["new", "wrong"], ["address_twice"])
        assert upload.credits == 5

    def test_a_suspended_member_gets_nothing(self, partner):
        (member,) = make_members(partner, "ada@example.com")
        PartnerMember.objects.filter(pk=member.pk).update(status="suspended")
        assert faults(make_upload(partner, ADA)) == ["member_suspended"]

    def test_a_group_is_found_by_its_name_and_never_made(self, partner):
        MemberGroup.objects.create(organization=partner.organization, partner=partner, name="North")
        rows = ["ada@example.com,NORTH,1", "eve@example.com,Nort,1"]
        upload = make_upload(partner, *rows, header="email,group,credits")
        assert (statuses(upload), faults(upload)) == (["new", "wrong"], ["unknown_group"])

    def test_no_more_members_come_than_there_are_seats(self):
        partner = make_programme(credits=100, terms=Terms(seat_limit=2))
        make_members(partner, "ada@example.com")
        upload = make_upload(partner, ADA, EVE, MAX)
        assert statuses(upload) == ["changed", "new", "wrong"]
        assert faults(upload) == ["partner_seats_taken"]

    def test_members_of_others_are_not_known_here(self, partner):
        make_members(make_programme(name="Others"), "ada@example.com")
        assert statuses(make_upload(partner, ADA)) == ["new"]

    def test_a_preview_follows_what_has_changed_since(self, partner):
        upload = make_upload(partner, ADA)
        make_members(partner, "ada@example.com")
        assert statuses(refresh_preview(upload=upload)) == ["changed"]

    def test_a_row_is_written_again_only_if_something_else_is_to_be_said(self, partner):
        upload = make_upload(partner, "ada@example.com,Ada,1", "bob@example.com,Bob,2")
        make_members(partner, "bob@example.com")
        versions = versions_of(upload)

        refresh_preview(upload=upload)

        assert statuses(upload) == ["new", "changed"]
        first, second = versions
        assert versions_of(upload)[0] == first
        assert versions_of(upload)[1] != second

    def test_a_row_that_is_looked_at_again_waits_for_who_is_erased(self, partner):
        upload = make_upload(partner, "ada@example.com,Ada,1")

        with CaptureQueriesContext(connection) as asked:
            refresh_preview(upload=upload)

        read = [one["sql"] for one in asked if 'FROM "partners_uploadrow"' in one["sql"]]
        assert "FOR NO KEY UPDATE" in read[0]

    def test_asks_as_often_for_many_rows_as_for_few(self, partner):
        few = queries(lambda: make_upload(partner, *rows(2, "few")))
        assert queries(lambda: make_upload(partner, *rows(300, "many"))) == few


def rows(count: int, name: str) -> list[str]:
    return [f"{name}{number}@example.com,Ada,1" for number in range(count)]


def queries(work) -> int:
    with CaptureQueriesContext(connection) as asked:
        work()
    return len(asked)


class TestColumns:
    def test_columns_that_are_not_understood_are_asked_for(self, partner):
        upload = make_upload(partner, ADA, header="Adresse,Vorname,Betrag")
        assert (upload.status, statuses(upload)) == ("mapping", ["read"])
        with pytest.raises(UploadNotMapped):
            confirm(upload)
        mapped = map_columns(upload=upload, mapping={"email": 0, "credits": 2, "first_name": 1})
        assert (mapped.status, mapped.credits, statuses(mapped)) == ("preview", 5, ["new"])

    @pytest.mark.parametrize(
        ("mapping", "field"),
        [
            ({"email": 0}, "credits"),
            ({"credits": 2}, "email"),
            ({"email": 0, "credits": 0}, "email"),
            ({"email": 0, "credits": 3}, "credits"),
            ({"email": -1, "credits": 2}, "email"),
            ({"email": 0, "credits": 2, "role": 1}, "role"),
        ],
    )
    def test_columns_that_cannot_be_so_are_refused(self, partner, mapping, field):
        upload = make_upload(partner, ADA)
        with pytest.raises(InvalidUploadMapping) as refused:
            map_columns(upload=upload, mapping=mapping)
        assert refused.value.details["field"] == field


class TestConfirming:
    def test_what_was_seen_is_handed_on(self, partner):
        upload = carried(make_upload(partner, ADA, EVE))
        assert (upload.status, upload.done_rows, statuses(upload)) == ("done", 2, ["done", "done"])
        assert awarded(partner) == {"ada@example.com": 5, "eve@example.com": 7}
        assert pool(partner) == 88
        member = PartnerMember.objects.get(email="ada@example.com")
        assert (member.first_name, balance_of(member.wallet).available) == ("Ada", 5)

    def test_what_is_known_of_a_member_follows_the_file(self, partner):
        make_members(partner, "ada@example.com", "eve@example.com")
        PartnerMember.objects.filter(partner=partner).update(first_name="A", last_name="L")
        carried(make_upload(partner, ADA, "eve@example.com,,7"))
        names = PartnerMember.objects.filter(partner=partner).values_list("first_name", "last_name")
        assert set(names) == {("Ada", "L"), ("A", "L")}

    def test_the_same_file_has_its_effect_once(self, partner):
        first, second = make_upload(partner, ADA, EVE), make_upload(partner, ADA, EVE)
        carried(first)
        assert carried(confirmed_before(second)).status == "done"
        assert statuses(second) == ["repeated", "repeated"]
        third = make_upload(partner, ADA, EVE)
        assert (third.credits, statuses(third)) == (0, ["repeated", "repeated"])
        with pytest.raises(UploadHasNothing):
            confirm(third)
        assert pool(partner) == 88

    def test_another_name_of_the_batch_means_it_again(self, partner):
        carried(make_upload(partner, ADA))
        carried(make_upload(partner, ADA, batch="December"))
        assert pool(partner) == 90

    def test_a_mended_file_of_the_same_batch_gives_only_what_is_missing(self, partner):
        carried(make_upload(partner, ADA, "eve@example.com,Eve,x", batch="May"), VALID)
        upload = make_upload(partner, ADA, EVE, "ada@example.org,Ada,1", batch="May")
        assert (upload.credits, statuses(upload)) == (8, ["repeated", "new", "new"])
        changed = make_upload(partner, "ada@example.com,Ada,6", batch="May")
        assert faults(changed) == ["batch_says_otherwise"]

    def test_it_is_confirmed_once(self, partner):
        upload = make_upload(partner, ADA)
        assert confirm(upload) == confirm(upload)
        carrying.carry_out(upload.pk)
        assert confirm_upload(upload=upload, mode=VALID, credits=99).status == "done"
        assert pool(partner) == 95

    def test_what_was_not_seen_is_not_confirmed(self, partner):
        upload = make_upload(partner, ADA, EVE)
        carried(make_upload(partner, ADA, EVE))
        with pytest.raises(UploadChanged):
            confirm(upload)
        assert statuses(upload) == ["new", "new"]

    def test_all_or_nothing_needs_every_row(self, partner):
        upload = make_upload(partner, ADA, "eve@example.com,Eve,x")
        with pytest.raises(UploadHasWrongRows):
            confirm(upload)
        assert carried(upload, VALID).status == "done"
        assert (statuses(upload), pool(partner)) == (["done", "wrong"], 95)

    def test_the_pool_must_have_it(self, partner):
        upload = make_upload(partner, "ada@example.com,Ada,101")
        with pytest.raises(PoolTooSmall) as refused:
            confirm(upload)
        assert refused.value.details == {"required": 101, "available": 100}
        grant_credits(
            wallet=main_wallet(partner.organization),
            amount=1,
            kind=Lot.Kind.PURCHASE,
            reference="paid:more",
            source="test",
        )
        assert carried(upload).status == "done"

    def test_a_campaign_that_is_over_hands_nothing_on(self, partner):
        campaign, upload = within_a_campaign(partner, ADA)
        end_campaign(campaign=campaign)
        with pytest.raises(CampaignClosed):
            confirm(upload)
        assert (statuses(upload), awarded(partner)) == (["new"], {})

    def test_a_campaign_must_have_what_it_takes(self, partner):
        campaign, upload = within_a_campaign(partner, ADA, EVE)
        change_campaign(campaign=campaign, changes={"budget": 11})
        with pytest.raises(CampaignBudgetSpent) as refused:
            confirm(upload)
        assert (refused.value.details["left"], refused.value.details["wanted"]) == (11, 12)
        change_campaign(campaign=campaign, changes={"budget": 12})
        assert carried(upload).status == "done"

    def test_a_suspended_programme_hands_nothing_on(self, partner):
        upload = make_upload(partner, ADA)
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        with pytest.raises(PartnerSuspended):
            confirm(upload)
        with pytest.raises(PartnerSuspended):
            make_upload(partner, EVE)

    def test_too_many_do_not_wait(self, partner, monkeypatch):
        monkeypatch.setattr(storing, "MOST_OPEN", 1)
        upload = make_upload(partner, ADA)
        with pytest.raises(TooManyUploads):
            make_upload(partner, EVE)
        discard_upload(upload=upload)
        assert make_upload(partner, EVE).status == "preview"

    def test_a_batch_has_a_short_name(self, partner):
        with pytest.raises(InvalidUploadBatch):
            make_upload(partner, ADA, batch="x" * 101)


def within_a_campaign(partner: Partner, *rows: str) -> tuple[Campaign, Upload]:
    """Return a campaign with room, and an upload of these rows into it."""
    plan = Plan("Spring", budget=100, begins_at=workers_now() - timedelta(days=1))
    campaign = create_campaign(partner=partner, plan=plan)
    return campaign, store_upload(partner=partner, data=make_file(*rows), campaign=campaign)


def confirmed_before(upload: Upload) -> Upload:
    """Confirm it as if its worker had waited for another's."""
    Upload.objects.filter(pk=upload.pk).update(status="confirmed", confirmed_at=workers_now())
    return Upload.objects.get(pk=upload.pk)


class TestDiscarding:
    def test_what_is_discarded_says_nothing_of_people_any_more(self, partner):
        upload = discard_upload(upload=make_upload(partner, ADA))
        assert (upload.status, UploadRow.objects.filter(upload=upload).count()) == ("discarded", 0)
        assert discard_upload(upload=upload).ended_at == upload.ended_at
        for work in (confirm, lambda one: refresh_preview(upload=one)):
            with pytest.raises(UploadHasEnded):
                work(upload)

    def test_what_was_confirmed_is_not_discarded(self, partner):
        upload = confirm(make_upload(partner, ADA))
        with pytest.raises(UploadHasEnded):
            discard_upload(upload=upload)
        with pytest.raises(UploadHasEnded):
            map_columns(upload=upload, mapping={"email": 0, "credits": 2})

    def test_what_nobody_confirms_is_forgotten(self, partner):
        old, new = make_upload(partner, ADA), make_upload(partner, EVE)
        long_ago = workers_now() - storing.KEPT_OPEN - timedelta(seconds=1)
        Upload.objects.filter(pk=old.pk).update(created_at=long_ago)
        assert storing.discard_forgotten() == 1
        old.refresh_from_db(), new.refresh_from_db()
        assert (old.status, new.status) == ("discarded", "preview")

    def test_one_that_is_confirmed_meanwhile_keeps_no_other(self, partner, monkeypatch):
        first, second = make_upload(partner, ADA), make_upload(partner, EVE)
        long_ago = workers_now() - storing.KEPT_OPEN - timedelta(seconds=1)
        Upload.objects.update(created_at=long_ago)

        def discard(upload):
            if upload == first and upload.status == "preview":
                confirm(upload)
            return discard_upload(upload=upload)

        monkeypatch.setattr(storing, "discard_upload", discard)
        assert storing.discard_forgotten() == 1
        first.refresh_from_db(), second.refresh_from_db()
        assert (first.status, second.status) == ("confirmed", "discarded")


class TestCarryingOut:
    def test_all_or_nothing_is_refused_by_one_row_that_fails(self, partner):
        make_members(partner, "eve@example.com")
        upload = confirm(make_upload(partner, ADA, EVE))
        PartnerMember.objects.update(status="suspended")
        carrying.carry_out(upload.pk)
        upload.refresh_from_db()
        assert (upload.status, statuses(upload)) == ("refused", ["failed", "failed"])
        assert upload.problem.startswith("Row 3: This member is suspended.")
        assert (pool(partner), awarded(partner)) == (100, {})
        assert not PartnerMember.objects.filter(email="ada@example.com").exists()

    def test_valid_rows_go_on_without_one_that_fails(self, partner):
        make_members(partner, "eve@example.com")
        upload = confirm(make_upload(partner, ADA, EVE, MAX), VALID)
        PartnerMember.objects.update(status="suspended")
        carrying.carry_out(upload.pk)
        assert statuses(upload) == ["done", "failed", "done"]
        assert awarded(partner) == {"ada@example.com": 5, "max@example.com": 9}

    def test_a_pool_that_was_emptied_fails_the_rows_that_it_does_not_cover(self, partner):
        upload = confirm(make_upload(partner, ADA, "eve@example.com,Eve,90"), VALID)
        carried(make_upload(partner, "max@example.com,Max,20"))
        carrying.carry_out(upload.pk)
        assert (statuses(upload), faults(upload)) == (["done", "failed"], ["insufficient_credits"])
        assert pool(partner) == 75
        people = PartnerMember.objects.filter(partner=partner).values_list("email", flat=True)
        assert set(people) == {"ada@example.com", "max@example.com"}, "Eve is not invited"

    def test_who_is_there_and_gets_nothing_stays_as_he_was(self, partner):
        make_members(partner, "eve@example.com")
        upload = confirm(make_upload(partner, "eve@example.com,Eve,90", ADA), VALID)
        carried(make_upload(partner, "max@example.com,Max,20"))
        carrying.carry_out(upload.pk)
        assert statuses(upload) == ["failed", "done"]
        eve = PartnerMember.objects.get(email="eve@example.com")
        assert (eve.first_name, eve.status) == ("", "invited")
        assert UploadRow.objects.get(upload=upload, status="failed").member == eve

    def test_a_campaign_that_ends_before_its_turn_invites_nobody(self, partner):
        campaign, upload = within_a_campaign(partner, ADA, EVE)
        confirm(upload, VALID)
        end_campaign(campaign=campaign)
        carrying.carry_out(upload.pk)
        assert (statuses(upload), faults(upload)) == (["failed"] * 2, ["campaign_closed"] * 2)
        assert not PartnerMember.objects.filter(partner=partner).exists()

    def test_a_programme_that_was_suspended_ends_it(self, partner, monkeypatch):
        upload = confirm(make_upload(partner, ADA, EVE), VALID)
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        carrying.carry_out(upload.pk)
        upload.refresh_from_db()
        assert (upload.status, statuses(upload)) == ("done", ["failed", "failed"])
        assert "suspended" in upload.problem

    def test_a_worker_that_dies_leaves_whole_batches_and_the_next_goes_on(
        self, partner, monkeypatch
    ):
        monkeypatch.setattr(carrying, "BATCH", 2)
        upload = confirm(make_upload(partner, ADA, EVE, MAX), VALID)
        handed_on, told = carrying.award_many, []

        def dies_the_second_time(**kwargs):
            told.append(len(kwargs["requests"]))
            if len(told) == 2:
                raise SystemExit
            return handed_on(**kwargs)

        monkeypatch.setattr(carrying, "award_many", dies_the_second_time)
        with pytest.raises(SystemExit):
            carrying.carry_out(upload.pk)
        assert statuses(upload) == ["done", "done", "new"]
        assert carrying.ring_for_waiting() == 0, "its worker may be slow and not dead"
        Upload.objects.update(claimed_until=workers_now())
        assert carrying.ring_for_waiting() == 1
        carrying.carry_out(upload.pk)
        upload.refresh_from_db()
        assert (upload.status, upload.done_rows, told) == ("done", 3, [2, 1, 1])
        assert pool(partner) == 79

    def test_a_row_is_not_awarded_twice_though_it_was_forgotten_that_it_was(self, partner):
        upload = carried(make_upload(partner, ADA))
        UploadRow.objects.update(status="new", award=None)
        Upload.objects.update(status="confirmed", ended_at=None, claimed_until=None, done_rows=0)
        carrying.carry_out(upload.pk)
        assert (statuses(upload), pool(partner)) == (["repeated"], 95)

    def test_what_breaks_off_again_and_again_is_given_up(self, partner):
        upload = confirm(make_upload(partner, ADA))
        Upload.objects.update(attempts=carrying.MOST_ATTEMPTS)
        carrying.carry_out(upload.pk)
        upload.refresh_from_db()
        assert (upload.status, faults(upload)) == ("refused", ["upload_abandoned"])

    def test_who_works_at_it_is_not_joined(self, partner):
        upload = confirm(make_upload(partner, ADA))
        Upload.objects.update(claimed_until=workers_now() + timedelta(minutes=1))
        carrying.carry_out(upload.pk)
        assert statuses(upload) == ["new"]

    @pytest.mark.parametrize("mode", Upload.Mode)
    def test_asks_as_often_for_many_rows_as_for_few(self, partner, mode):
        few = confirm(make_upload(partner, *rows(2, "few")), mode)
        many = confirm(make_upload(partner, *rows(60, "many")), mode)
        asked = queries(lambda: carrying.carry_out(few.pk))
        assert queries(lambda: carrying.carry_out(many.pk)) == asked


class TestFiles:
    def test_the_file_of_errors_comes_back_mended(self, partner):
        upload = carried(make_upload(partner, ADA, "eve@example.com,=Eve,x"), VALID)
        errors = selected.errors_of(upload)
        (line,) = errors.rows
        assert line[:3] == ["eve@example.com", "=Eve", "x"]
        assert str(line[-1]).startswith("credits: This is no whole number.")
        line[2] = "7"
        data = make_file(",".join(map(str, line[:4])), header=",".join(errors.columns[:4]))
        assert read_table(data).columns == ("email", "name", "credits")
        assert carried(store_upload(partner=partner, data=data)).status == "done"
        assert awarded(partner) == {"ada@example.com": 5, "eve@example.com": 7}

    def test_the_result_says_what_became_of_each_row(self, partner):
        upload = carried(make_upload(partner, ADA, "eve@example.com,Eve,7,8"), VALID)
        done, wrong = selected.result_of(upload).rows
        award = PartnerCredit.objects.get(partner=partner)
        assert done == ["ada@example.com", "Ada", "5", 2, "done", award.public_id, ""]
        assert wrong[:5] == ["eve@example.com", "Eve", "7", 3, "wrong"]
        assert wrong[-1] == "8", "no cell is lost"

    def test_a_row_with_too_many_cells_comes_back_wrong_until_it_is_mended(self, partner):
        upload = make_upload(partner, "ada@example.com,Ada,1,000")
        assert faults(upload) == ["too_many_cells"]
        data = b"".join(stream_csv(**vars(selected.errors_of(upload))))
        again = store_upload(partner=partner, data=data)
        assert (statuses(again), faults(again)) == (["wrong"], ["too_many_cells"])
        assert UploadRow.objects.get(upload=again).cells == ["ada@example.com", "Ada", "1", "000"]

    def test_a_header_that_a_spreadsheet_would_run_is_text_and_comes_back_as_it_was(self, partner):
        upload = make_upload(partner, "ada@example.com,Ada,x", header="email,=1+1,credits")
        data = b"".join(stream_csv(**vars(selected.errors_of(upload))))
        assert data.startswith(b"email,'=1+1,credits,_row,_error")
        assert store_upload(partner=partner, data=data).columns == ["email", "=1+1", "credits"]

    def test_the_first_rows_are_shown_and_all_that_are_wrong(self, partner, monkeypatch):
        monkeypatch.setattr(selected, "ROWS_SHOWN", 2)
        upload = make_upload(partner, "x,X,1", ADA, EVE, "y,Y,1")
        assert [row.number for row in selected.rows_shown(upload)] == [2, 3, 5]

    def test_of_very_many_wrong_ones_the_first_are_shown(self, partner, monkeypatch):
        for name in ("ROWS_SHOWN", "WRONG_SHOWN"):
            monkeypatch.setattr(selected, name, 2)
        upload = make_upload(partner, ADA, "u,U,1", "v,V,1", "w,W,1", "x,X,1", "y,Y,1")
        assert [row.number for row in selected.rows_shown(upload)] == [2, 3, 4, 5]

    def test_the_template_can_be_read(self):
        lines = [",".join(line) for line in selected.TEMPLATE]
        data = "\n".join([*lines, "ada@example.com,,,,5"]).encode()
        assert set(read_table(data).columns) == {
            "email",
            "first name",
            "last name",
            "group",
            "credits",
        }
