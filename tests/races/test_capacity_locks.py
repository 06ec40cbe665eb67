"""
Each lock of capacity's services, with one who does something else meanwhile.

`meanwhile` commits the one only when the other waits for it: without the lock the other would
decide by what was before, so each of these fails without its lock, every time. The last test here
sees to that.
"""

from datetime import date

import pytest
from django.db import DatabaseError

from apps.billing.models import Payment
from apps.capacity.errors import AlreadyWaiting, ReadingsChanged, ReservationEnded, WaitingEnded
from apps.capacity.models import Allocation, Project, Reservation, WaitlistEntry
from apps.capacity.selectors.former import FormerAllocation
from apps.capacity.services import paying
from apps.capacity.services.importing import import_allocation
from apps.capacity.services.meter_files import Facts, MeterRow
from apps.capacity.services.metering import confirm_readings, preview_readings
from apps.capacity.services.offer_mails import QUEUE
from apps.capacity.services.offering import offer_blocks, withdraw_the_closed
from apps.capacity.services.settling import settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.capacity.services.waiting import leave
from apps.core import mail
from apps.core.errors import DomainError
from apps.tenants.models import Organization
from tests.capacity.lines import free, full_project, statuses, wait
from tests.capacity.months import OCTOBER, read
from tests.capacity.plants import allocate, counters, hold, make_project
from tests.invariants import broken
from tests.people import make_organization
from tests.races.locks import sent_without, taken_from
from tests.races.outcomes import how
from tests.races.racing import meanwhile
from tests.races.test_capacity import let_pass

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _key_for_stripe(settings):
    settings.STRIPE_SECRET_KEY = "sk_test_" + "a" * 24


def one_who_waits_for_free_blocks() -> tuple[Project, WaitlistEntry]:
    """Return a project whose blocks came free, and who waits for them."""
    project, allocations = full_project(5)
    entry = wait(make_organization(), project, 5)
    free(allocations)
    return project, entry


class TestTheLine:
    def test_takes_two_wishes_of_one_organization_as_one(self):
        acme, (project, _) = make_organization(), full_project(5)

        outcome = meanwhile(
            lambda: wait(acme, project, 5), lambda: how(lambda: wait(acme, project, 5))
        )

        assert outcome is AlreadyWaiting
        assert broken() == []

    def test_offers_nothing_to_who_leaves_it(self):
        project, entry = one_who_waits_for_free_blocks()

        served = meanwhile(lambda: leave(entry=entry), lambda: offer_blocks(project.pk))

        assert (served, statuses(entry)) == (0, ["withdrawn"])
        assert broken() == []

    def test_has_who_leaves_decline_what_he_is_offered(self):
        project, entry = one_who_waits_for_free_blocks()

        meanwhile(lambda: offer_blocks(project.pk), lambda: how(lambda: leave(entry=entry)))

        assert statuses(entry) == ["declined"]
        assert counters(project) == ("5", "0", "0")
        assert broken() == []

    def test_lets_nobody_leave_what_he_takes(self):
        project, entry = one_who_waits_for_free_blocks()
        offer_blocks(project.pk)
        offer = Reservation.objects.get(status="held")

        outcome = meanwhile(
            lambda: settle_offline(reservation=offer, reference="transfer"),
            lambda: how(lambda: leave(entry=entry)),
        )

        assert (outcome, statuses(entry)) == (WaitingEnded, ["taken"])
        assert broken() == []

    def test_ends_an_offer_whose_window_has_passed_once(self):
        """Whoever joins again ends it; the sweep finds it done."""
        project, entry = one_who_waits_for_free_blocks()
        offer_blocks(project.pk)
        let_pass(Reservation.objects.get(status="held"))
        allocate(make_organization(), project, 5)

        expired = meanwhile(lambda: wait(entry.organization, project, 5), expire_reservations)

        assert (expired, statuses(entry)) == (0, ["lapsed"])
        assert broken() == []

    def test_counts_who_is_closed_once(self):
        project, entry = one_who_waits_for_free_blocks()
        Organization.objects.filter(pk=entry.organization_id).update(is_active=False)

        withdrawn = meanwhile(withdraw_the_closed, withdraw_the_closed)

        project.refresh_from_db()
        assert (withdrawn, project.waiting_count, statuses(entry)) == (0, 0, ["withdrawn"])
        assert broken() == []


@pytest.mark.usefixtures("_key_for_stripe")
class TestAReservation:
    def test_is_paid_on_one_page_in_two_tabs(self):
        reservation = hold(make_organization(), make_project(5), 5)

        meanwhile(
            lambda: paying._begin(reservation, None), lambda: paying._begin(reservation, None)
        )

        assert Payment.objects.count() == 1

    def test_that_staff_mark_as_paid_begins_no_payment(self):
        reservation = hold(make_organization(), make_project(5), 5)

        outcome = meanwhile(
            lambda: settle_offline(reservation=reservation, reference="transfer"),
            lambda: how(lambda: paying._begin(reservation, None)),
        )

        assert outcome is ReservationEnded
        assert not Payment.objects.exists()

    def test_that_two_of_staff_mark_as_paid_is_allocated_once(self):
        reservation = hold(make_organization(), make_project(5), 5)

        def mark():
            return settle_offline(reservation=reservation, reference="transfer")

        settled = meanwhile(mark, mark)

        assert (settled.status, Allocation.objects.count()) == ("allocated", 1)
        assert broken() == []


class TestAMail:
    def test_of_an_offer_that_is_paid_meanwhile_tells_nothing(self):
        project, entry = one_who_waits_for_free_blocks()
        offer_blocks(project.pk)
        offer = Reservation.objects.get(status="held")
        (claim,) = mail.claim_mails(QUEUE.rows(), limit=1)

        held = meanwhile(
            lambda: settle_offline(reservation=offer, reference="transfer"),
            lambda: mail._hold(QUEUE, claim),
        )

        assert statuses(entry) == ["taken"]
        assert held.letters == []


class TestAFile:
    def test_of_former_allocations_is_imported_once(self):
        project = make_project(5, 5)
        former = FormerAllocation(
            former_id="a-1",
            organization=make_organization(),
            project=project,
            block=None,
            capacity_kw=project.blocks.first().capacity_kw,
            starts_on=date(2026, 1, 1),
            ends_on=None,
            ending="",
        )

        again = meanwhile(lambda: import_allocation(former), lambda: import_allocation(former))

        assert again == []
        assert Allocation.objects.count() == 1
        assert broken() == []

    def test_of_readings_does_nothing_that_was_not_seen(self):
        project = make_project(5)
        seen = preview_readings([MeterRow(2, Facts(project.code, *OCTOBER, 7))])

        outcome = meanwhile(lambda: read(project, 5), lambda: how(lambda: confirm_readings(seen)))

        assert outcome is ReadingsChanged
        assert project.readings.get().energy_wh == 5


EACH = [
    (kind, name)
    for kind in (TestTheLine, TestAReservation, TestAFile)
    for name in vars(kind)
    if name.startswith("test_")
]


@pytest.mark.usefixtures("_key_for_stripe")
@pytest.mark.parametrize(("kind", "name"), EACH, ids=[name for _, name in EACH])
def test_without_the_locks_it_goes_wrong(kind, name):
    of_reservation = sent_without(
        r'FOR NO KEY UPDATE OF "capacity_reservation"', about="capacity_reservation"
    )
    with (
        taken_from("capacity_project")(),
        of_reservation,
        pytest.raises((AssertionError, DatabaseError, DomainError)),
    ):
        getattr(kind(), name)()
