"""What was used, by day and by group."""

from datetime import date

import pytest

from apps.credits import selectors
from apps.credits.selectors import Period, TransactionFilters
from tests.credits.reading.history import DAY, NOON, at, charge, grant, refund
from tests.people import make_key, make_member, make_organization, make_person

WEEK = Period(date(2026, 6, 15), date(2026, 6, 21))


@pytest.fixture
def used(wallet):
    """Two weeks: 40 credits in the first, 10 + 33 − 10 in the second."""
    with at(NOON - 7 * DAY):
        grant(wallet, "a", 1000)
        charge(wallet, "job:0", 4)
    with at(NOON):
        charge(wallet, "job:1", 1, actor="user:one")
        charge(wallet, "job:2", 3, event="store", actor="user:two", source="batch")
    with at(NOON + 2 * DAY):
        charge(wallet, "job:3", 3, actor="user:two")
        refund(wallet, "job:1")
    return wallet


class TestUsageOf:
    def test_adds_up_by_group_and_by_day(self, used):
        usage = selectors.usage_of(used, WEEK)

        assert (usage.total.credits, usage.total.given_back, usage.total.count) == (33, 10, 3)
        assert [(group.label, group.use.credits) for group in usage.groups] == [
            ("render", 30),
            ("store", 3),
        ]
        assert [usage.on(day).credits for day in WEEK] == [13, 0, 20, 0, 0, 0, 0]

    def test_compares_with_the_days_before(self, used):
        usage = selectors.usage_of(used, WEEK)

        assert usage.before == 40
        assert {group.key: group.before for group in usage.groups} == {"render": 40, "store": 0}

    @pytest.mark.parametrize(
        ("group_by", "expected"),
        [
            ("event", {"render": 30, "store": 3}),
            ("category", {"compute": 30, "storage": 3}),
            ("source", {"test": 30, "batch": 3}),
            ("actor", {"user:one": 0, "user:two": 33}),
        ],
    )
    def test_gives_back_to_the_group_that_was_charged(self, used, group_by, expected):
        usage = selectors.usage_of(used, WEEK, group_by=group_by)

        assert {group.key: group.use.credits for group in usage.groups} == expected

    def test_of_one_person_is_his_alone(self, used):
        assert selectors.usage_of(used, WEEK, actor="user:one").total.credits == 0
        assert selectors.usage_of(used, WEEK, actor="user:two").total.credits == 33

    def test_knows_no_other_wallet(self, used):
        with at(NOON):
            other = selectors.main_wallet(make_organization())
            grant(other, "a")
            charge(other, "job:1")

        assert selectors.usage_of(used, WEEK).total.credits == 33

    def test_counts_a_charge_on_two_lots_once(self, wallet):
        with at(NOON):
            grant(wallet, "a", 15)
            grant(wallet, "b", 15)
            charge(wallet, "job:1", 3)

        assert selectors.usage_of(wallet, WEEK).total.count == 1

    def test_takes_days_in_the_viewers_zone(self, used, settings):
        from django.utils import timezone

        with timezone.override("Pacific/Auckland"):  # noon in UTC is midnight of the next day
            usage = selectors.usage_of(used, WEEK)

        assert usage.on(date(2026, 6, 16)).credits == 13

    def test_names_members_and_keys(self, wallet):
        organization = wallet.organization
        person = make_member(organization, "developer", full_name="Dee")
        key, _ = make_key(organization, person, "jobs:write")
        stranger = make_person()
        foreign, _ = make_key(make_organization(owner=stranger), stranger, "jobs:write")
        with at(NOON):
            grant(wallet, "a")
            for number, who in enumerate(
                [f"user:{person.public_id}", f"key:{key.public_id}", "system:jobs"]
            ):
                charge(wallet, f"job:{number}", actor=who)
            charge(wallet, "job:9", actor=f"key:{foreign.public_id}")
            labels = {
                group.label for group in selectors.usage_of(wallet, WEEK, group_by="actor").groups
            }

        assert labels == {"Dee", "Test (API key)", "Coffer", f"key:{foreign.public_id}"}

    def test_asks_as_often_for_many_groups(self, wallet, django_assert_num_queries):
        with at(NOON):
            grant(wallet, "a", 1000)
            for number in range(8):
                charge(wallet, f"job:{number}", actor=f"user:{number}")

        with django_assert_num_queries(2):
            assert len(selectors.usage_of(wallet, WEEK, group_by="source").groups) == 1


class TestTheMovementsBehindABar:
    @pytest.mark.parametrize("group_by", ["event", "source", "actor"])
    def test_add_up_to_it(self, used, group_by):
        usage = selectors.usage_of(used, WEEK, group_by=group_by)

        for group in usage.groups:
            for day, use in group.by_day.items():
                filters = TransactionFilters(
                    types=("consumed", "refunded"),
                    created_from=Period(day, day).begins_at,
                    created_before=Period(day, day).ends_at,
                    **{group_by: group.key} if group_by != "source" else {},
                )
                rows = selectors.matching(selectors.transactions_of(used), filters)
                if group_by == "source":
                    rows = [one for one in rows if (one.reverses or one).source == group.key]
                assert -sum(one.amount for one in rows) == use.credits
