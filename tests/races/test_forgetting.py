"""People who are erased while a programme works with what it keeps of them: real connections."""

from threading import Event
from unittest import mock

import pytest
from django.db import transaction

from apps.core.invariants import verify
from apps.partners.models import PartnerMember, UploadRow
from apps.partners.services.programmes import lock_partner
from apps.partners.services.requests import approve_request, request_credits
from apps.partners.services.uploads import carrying
from apps.rbac.services.erasures import erase, request_erasure
from apps.tenants.services.organizations import lock_organization
from tests.partners.awarding import in_pool, make_active_member
from tests.partners.programme import make_members, make_programme
from tests.partners.uploading import confirm, make_upload
from tests.people import make_member
from tests.races.racing import at_once, wait_until_awaited
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db(transaction=True)


def erase_while(slow, person) -> None:
    """Erase a person who comes while `slow` works: it goes on once he waits, or is erased."""
    erasure = request_erasure(user=person, confirmation=person.email)
    begun, done = Event(), Event()

    def pause() -> None:
        begun.set()
        wait_until_awaited(done)

    def forget() -> None:
        begun.wait()
        try:
            assert erase(erasure=erasure)
        finally:
            done.set()

    at_once([lambda: slow(pause), forget])


def is_right() -> bool:
    return [finding for finding in verify() if finding.failures] == []


def test_an_erasure_takes_its_locks_in_the_order_of_an_approval():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    manager = make_member(partner.organization, "partner manager")
    asked = request_credits(member=member, credits=40, reason="For the fair")

    @transaction.atomic
    def approve(pause) -> None:
        lock_partner(partner)  # as it does first itself
        pause()
        approve_request(request=asked, by=manager)

    erase_while(approve, member.user)

    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("approved", "(erased)")
    assert (in_pool(partner), is_right()) == (100, True)


def test_an_erasure_takes_several_programmes_in_the_order_of_their_organizations():
    first, second = make_programme(), make_programme(name="Another")  # ids grow
    for partner in (second, first):
        make_members(partner, "ada@example.com")

    @transaction.atomic
    def take_both(pause) -> None:
        lock_organization(first.organization)
        pause()
        lock_organization(second.organization)

    erase_while(take_both, make_verified("ada@example.com"))

    assert set(PartnerMember.objects.values_list("status", flat=True)) == {"left"}


def test_who_is_erased_while_his_file_is_carried_out_is_in_no_row_and_no_member():
    partner = make_programme(credits=100)
    upload = confirm(make_upload(partner, "ada@example.com,Ada,5", "eve@example.com,Eve,7"))
    look = carrying.check_lines

    def carry(pause) -> None:
        def looked_at(*args):
            pause()  # its rows are read, and nothing is written yet
            return look(*args)

        with mock.patch.object(carrying, "check_lines", looked_at):
            carrying.carry_out(upload.pk)

    erase_while(carry, make_verified("ada@example.com"))

    upload.refresh_from_db()
    assert upload.status == "done"
    assert not PartnerMember.objects.filter(email="ada@example.com").exists()
    assert not UploadRow.objects.filter(email="ada@example.com").exists()
    assert (in_pool(partner), is_right()) == (93, True)
