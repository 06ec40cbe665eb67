"""The programme's numbers are those of the ledger, counted one by one."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import moved_to
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.transfers import transfer_credits
from apps.partners.models import MemberGroup, PartnerMember
from apps.partners.selectors.dashboard import dashboard_of
from apps.partners.selectors.member_numbers import COLUMNS, member_numbers, number_rows
from apps.partners.selectors.members import members_of
from apps.partners.selectors.moved import NAMES, Moved
from apps.partners.selectors.usage import firsts_of, last_day_of, usage_by
from tests.partners.history import Life, counted, nonzero
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db
SEEDS = [1, 2]


@pytest.fixture(params=SEEDS)
def life(request):
    found = Life(request.param)
    found.live()
    return found


def award(partner, member, amount, *, reference, **terms):
    transfer_credits(
        wallet=main_wallet(partner.organization),
        target=member.wallet,
        amount=amount,
        reference=reference,
        source="partner",
        kind=Lot.Kind.PARTNER,
        **terms,
    )


def numbers_of(handed):
    """Return what a part of the dashboard says, as `counted` does."""
    moved = handed.moved
    names = ("granted", "received", "sent", "used", "lapsed", "corrected")
    return Counter({name: getattr(moved, name) for name in names})


def test_a_random_life_comes_to_what_a_naive_count_says(life):
    with moved_to(life.now):
        found = dashboard_of(life.partner)
        rows = list(member_numbers(life.partner, members_of(life.partner)))
    each = {one.pk: counted(one.wallet) for one in life.members}
    everybody = Counter()
    for one in each.values():
        everybody.update(one)  # keeps what is below zero, as + does not
    net = everybody.pop("net")
    assert nonzero(numbers_of(found.members)) == nonzero(everybody)
    assert found.members.left == net == found.members.moved.net
    pool = counted(life.pool)
    net = pool.pop("net")
    assert nonzero(numbers_of(found.pool)) == nonzero(pool)
    assert found.pool.left == net == found.pool.moved.net
    # Each life is full enough to say something.
    assert all(everybody[word] for word in ("received", "sent", "used", "lapsed"))
    for row in rows:
        naive = each[row.pk]
        assert (row.awarded, row.used, row.returned, row.lapsed) == (
            *(naive[word] for word in ("received", "used", "sent", "lapsed")),
        )
        assert row.corrected == naive["corrected"] + naive["granted"]
        assert row.left == naive["net"]
        left = row.awarded - row.used - row.returned - row.lapsed + row.corrected
        assert row.left == left


def test_usage_by_unit_is_what_members_used_in_each(life):
    use = [kind for kind, name in NAMES.items() if name == "used"]
    wallets = [one.wallet_id for one in life.members]
    entries = CreditTransaction.objects.filter(wallet__in=wallets, transaction_type__in=use)
    with moved_to(life.now):
        for unit in ("day", "week", "month"):
            bars = usage_by(life.partner, unit)
            naive = dict.fromkeys((one.first for one in bars), 0)
            for entry in entries:
                day = entry.created_at.astimezone(life.zone).date()
                for first in naive:
                    if first <= day <= last_day_of(unit, first):
                        naive[first] -= entry.amount
            assert {one.first: one.credits for one in bars} == naive
            assert any(naive.values())


def test_every_type_of_movement_has_a_word():
    assert set(NAMES) == set(CreditTransaction.Type.values)
    assert set(NAMES.values()) == set(vars(Moved()))


def test_months_weeks_and_days_end_today():
    assert firsts_of("month", date(2026, 3, 31))[-3:] == [
        date(2026, 1, 1),
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]
    assert firsts_of("week", date(2026, 3, 31))[-2:] == [date(2026, 3, 23), date(2026, 3, 30)]
    assert firsts_of("day", date(2026, 3, 1))[-2:] == [date(2026, 2, 28), date(2026, 3, 1)]
    assert [len(firsts_of(unit, date(2026, 3, 1))) for unit in ("day", "week", "month")] == [
        *(30, 26, 12),
    ]


def test_a_day_begins_where_the_organization_is():
    partner = make_programme(credits=1000)
    partner.organization.time_zone = "Asia/Tokyo"
    partner.organization.save()
    [ada] = make_members(partner, "ada@example.com")
    late = datetime(2027, 3, 31, 15, 30, tzinfo=UTC)  # April there
    with moved_to(late):
        award(partner, ada, 100, reference="award:1")
        charge_amount(wallet=ada.wallet, amount=30, reference="job:1", source="test")
        assert usage_by(partner, "month")[-1].first == date(2027, 4, 1)
        assert usage_by(partner, "day")[-1].credits == 30
        [row] = member_numbers(partner, members_of(partner))
    assert row.last_used_on == date(2027, 4, 1)


def test_what_nobody_has_claimed_is_an_offer_and_what_ends_soon_is_told():
    partner = make_programme(credits=1000)
    ada, ben = make_members(partner, "ada@example.com", "ben@example.com")
    now = datetime(2027, 1, 1, tzinfo=UTC)
    with moved_to(now):
        award(partner, ada, 100, reference="award:1", expires_at=now + timedelta(days=30))
        award(partner, ada, 40, reference="award:2", expires_at=now + timedelta(days=31))
        award(partner, ben, 7, reference="award:3")
        PartnerMember.objects.filter(pk=ben.pk).update(claimed_at=now)
        found = dashboard_of(partner)
        numbers = {row.email: row for row in member_numbers(partner, members_of(partner))}
    with moved_to(now + timedelta(days=31)):  # the ends themselves are too late
        assert dashboard_of(partner).members.expiring == 0
        [late] = member_numbers(partner, members_of(partner, search="ada"))
        assert (late.expiring, late.next_expires_at) == (0, None)
    assert (found.members.offered, found.members.expiring, found.members.left) == (140, 100, 147)
    assert found.statuses == {"invited": 2}
    assert (found.pool.bought, found.pool.allocated, found.pool.left) == (1000, 147, 853)
    first = numbers["ada@example.com"]
    assert (first.expiring, first.next_expires_at) == (100, now + timedelta(days=30))
    assert first.last_used_on is None
    assert (numbers["ben@example.com"].expiring, numbers["ben@example.com"].left) == (0, 7)


def test_groups_add_up_to_the_members():
    partner = make_programme(credits=1000)
    ada, ben, cleo = make_members(partner, *(f"{one}@example.com" for one in "abc"))
    group = MemberGroup.objects.create(
        organization=partner.organization, partner=partner, name="Roof", cost_centre="4711"
    )
    PartnerMember.objects.filter(pk__in=[ada.pk, ben.pk]).update(group=group)
    for number, member in enumerate([ada, ben, cleo], 1):
        award(partner, member, 100 * number, reference=f"award:{number}")
    charge_amount(wallet=ben.wallet, amount=50, reference="job:1", source="test")
    found = dashboard_of(partner)
    groups = {one.name: one for one in found.groups}
    assert set(groups) == {"Roof", "Without a group"}
    roof, others = groups["Roof"], groups["Without a group"]
    assert (roof.handed.members, roof.handed.awarded, roof.handed.used) == (2, 300, 50)
    assert (roof.cost_centre, roof.public_id) == ("4711", group.public_id)
    assert (others.handed.awarded, others.public_id) == (300, "")
    assert roof.handed + others.handed == found.members


def test_another_programme_is_in_no_number():
    partner, other = make_programme(credits=1000), make_programme(credits=500)
    [theirs] = make_members(other, "ada@example.com")
    award(other, theirs, 100, reference="award:1")
    charge_amount(wallet=theirs.wallet, amount=30, reference="job:1", source="test")
    found = dashboard_of(partner)
    assert (found.members.members, found.members.awarded, found.groups) == (0, 0, ())
    assert found.pool.left == 1000
    assert sum(one.credits for one in usage_by(partner, "day")) == 0
    assert not member_numbers(partner, members_of(partner)).exists()


def test_the_file_has_every_member_in_constant_queries():
    partner = make_programme(credits=10_000)
    counts = []
    for wave in range(2):
        emails = [f"{wave}-{number}@example.com" for number in range(1 + 8 * wave)]
        for number, member in enumerate(make_members(partner, *emails)):
            award(partner, member, 10, reference=f"award:{wave}:{number}")
        with CaptureQueriesContext(connection) as queries:
            rows = list(number_rows(member_numbers(partner, members_of(partner)), "UTC"))
            dashboard_of(partner)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(rows) == 10
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert {row[COLUMNS.index("awarded")] for row in rows} == {10}
