"""Two workers and one reading: it is divided once, and posted once."""

from unittest import mock

import pytest
from django.db import transaction

from apps.capacity.models import GenerationReading, GenerationShare
from apps.capacity.services import sharing
from apps.capacity.services.sharing import share_due
from apps.credits.models import Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_many
from apps.credits.services.wallets import change_status
from tests.capacity.months import correct, credits_of, generate, had_since, read
from tests.capacity.plants import make_project
from tests.invariants import broken
from tests.people import make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


@pytest.fixture
def _movable(settings):
    settings.MOVABLE_CLOCK = True


@pytest.mark.usefixtures("_movable")
class TestWorkers:
    def test_share_a_reading_and_its_correction_once(self):
        project = make_project(*[1] * 6, capacity_kw=8)
        for _ in range(6):
            had_since(make_organization(), project, 1, month=1)
        reading = read(project, 80_000)
        correct(reading, 96_000)

        with mock.patch.object(sharing.crediting, "AT_ONCE", 2):
            at_once([share_due] * WORKERS)
            share_due()  # what a worker began to look at while another one was at it

        assert not GenerationReading.objects.filter(posted_at=None).exists()
        assert GenerationShare.objects.count() == 12
        granted = sorted(Lot.objects.filter(kind="generation").values_list("granted", flat=True))
        assert granted == [1] * 6 + [5] * 6
        assert broken() == []

    def test_record_a_period_once(self):
        project = make_project(5)

        recorded = at_once([lambda: read(project, 5)] * WORKERS)

        assert len({one.pk for one in recorded}) == 1

    def test_lock_all_wallets_of_a_batch_before_any_is_granted_or_taken_from(self):
        project = make_project(1, 1, capacity_kw=2)
        acme, zeta = make_organization(), make_organization()
        for one in (acme, zeta):
            had_since(one, project, 1, month=1)
        wallets = [main_wallet(acme), main_wallet(zeta)]
        change_status(wallet=wallets[1], reason="Test", is_closed=True)
        reading = generate(project, 40_000)
        change_status(wallet=wallets[1], reason="Test", is_closed=False)
        correct(reading, 16_000)  # takes from the one, and gives the other what it did not get
        sharing.take_step(project.pk)
        free = []

        def grant(**asked):
            free.extend(at_once([lambda: not_locked(wallets)]))
            return grant_many(**asked)

        with mock.patch.object(sharing.crediting, "grant_many", grant):
            share_due()

        assert [credits_of(one) for one in (acme, zeta)] == [4, 4]
        assert free == [[]]

    def test_wait_for_nobody_who_is_at_it(self):
        project = make_project(5, capacity_kw=5)
        read(project, 5)
        found = []

        def at_it(reading):
            found.extend(at_once([lambda: sharing.take_step(project.pk)]))

        with mock.patch.object(sharing, "divide", at_it):
            sharing.take_step(project.pk)

        assert found == [None]


def not_locked(wallets: list[Wallet]) -> list[Wallet]:
    with transaction.atomic():
        rows = Wallet.objects.select_for_update(skip_locked=True)
        return list(rows.filter(pk__in=[wallet.pk for wallet in wallets]))
