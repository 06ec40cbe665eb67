"""What partners tell a person of himself, and forget of one who is erased."""

import pytest

from apps.credits.selectors import balance_of, main_wallet
from apps.partners.models import Application, PartnerMember, UploadRow
from apps.partners.selectors import personal_data
from apps.partners.services import applications, standing
from apps.rbac.services.erasures import erase, request_erasure
from tests.partners.awarding import give, make_active_member
from tests.partners.claiming import ADDRESS, make_claimed, make_manager
from tests.partners.programme import make_members, make_programme
from tests.partners.uploading import make_upload
from tests.people import make_organization
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db


def erase_now(person) -> None:
    assert erase(erasure=request_erasure(user=person, confirmation=person.email))


def test_an_erased_member_leaves_and_only_his_row_stays():
    partner = make_programme(credits=100)
    member = make_claimed(partner)
    give(member, 40)
    known = standing.known_of(member)
    standing.update_member(member=member, known=known.__class__("ada@home.test", "Ada", "L.", None))
    erase_now(member.user)
    member.refresh_from_db()
    assert (member.status, member.user) == ("left", None)
    assert (member.first_name, member.last_name) == ("", "")
    assert member.email.endswith("@erased.invalid")
    assert balance_of(main_wallet(partner.organization)).available == 100


def test_who_was_only_invited_is_forgotten_by_his_address():
    (member,) = make_members(make_programme(), ADDRESS)
    (other,) = make_members(make_programme(name="Other"), "other@example.com")
    erase_now(make_verified(ADDRESS))
    member.refresh_from_db()
    other.refresh_from_db()
    assert (member.status, other.status) == ("left", "invited")
    assert PartnerMember.objects.filter(email=ADDRESS).count() == 0


def test_what_was_written_of_him_in_applications_goes():
    person = make_verified(ADDRESS, full_name="Ada Lovelace")
    organization = make_organization()
    applications.apply(
        organization=organization,
        name="Neighbours",
        expected_members=5,
        reason="Ask Ada Lovelace for more.",
        by=person,
    )
    erase_now(person)
    assert "Ada" not in Application.objects.get().reason


def test_what_was_noted_of_him_at_awards_goes():
    partner = make_programme(credits=100)
    ada, bea = make_claimed(partner), make_active_member(partner, "bea@example.com")
    given = give(ada, 1, note="For Ada")
    other, kept = give(bea, 1, note=f"As for {ADDRESS}"), give(bea, 1, note="For spring")
    erase_now(ada.user)
    for award, note in ((given, "(erased)"), (other, "(erased)"), (kept, "For spring")):
        award.refresh_from_db()
        assert award.note == note


def test_a_file_whose_columns_nobody_told_forgets_him_as_well():
    partner = make_programme()
    rows = ["Ada@Example.com,Ada,5", "nada@example.com,Nada,7"]
    upload = make_upload(partner, *rows, header="Adresse,Vorname,Betrag")
    erase_now(make_verified(ADDRESS))
    cells = UploadRow.objects.filter(upload=upload).order_by("number")
    assert list(cells.values_list("cells", flat=True)) == [[], ["nada@example.com", "Nada", "7"]]


def test_a_person_is_told_where_he_is_a_member_and_never_a_digest():
    partner = make_programme()
    member = make_claimed(partner)
    (told,) = personal_data.memberships_of(member.user)
    assert (told["partner__name"], told["email"]) == ("Green Neighbours", ADDRESS)
    assert not {"digest", "wallet_id"} & told.keys()


def test_an_inviter_is_told_whom_he_invited_by_id_alone():
    partner = make_programme()
    manager = make_manager(partner)
    make_members(partner, ADDRESS)
    PartnerMember.objects.update(invited_by=manager)
    (told,) = personal_data.invited_by(manager)
    assert ADDRESS not in map(str, told.values())
