"""Sandboxes: what happens in an organization when staff move its clock."""

from datetime import timedelta

import pytest

from apps.billing.models import PlanTime, WebhookEvent
from apps.billing.services import sandboxes
from apps.billing.services.subscriptions import comping, subscribing
from apps.core import ids
from apps.credits.models import CreditTransaction, ExpiryWarning, Lot
from apps.tenants.models import AuditLog
from simulator.core.timers import run_due
from tests.billing.boxes import Box, give_credits
from tests.billing.subscribing import FAILS_LATER, again, make_plan
from tests.people import make_organization, make_person
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken", "no_trial"),
]
DAY = timedelta(days=1)
PAID = [(10, 500, 500)]
RENEWED = [(10, 500, 0), (5, 100, 100), (10, 500, 500)]  # 100 were carried over


@pytest.fixture
def box(stripe, no_trial):
    return Box(stripe)


class Crash(Exception):
    """The worker dies."""


def crash_once(monkeypatch, name, *, is_done):
    """Let a part of the move fail the first time, before or after it was done."""
    true, calls = getattr(sandboxes, name), []

    def part(*given):
        calls.append(given)
        if len(calls) == 1:
            if is_done:
                true(*given)
            raise Crash
        return true(*given)

    monkeypatch.setattr(sandboxes, name, part)


class TestARenewal:
    def test_gives_the_credits_of_the_cycle_once(self, box):
        row = box.subscribe(make_plan(box.stripe))
        end = row.current_period_end
        assert box.cycle() == PAID

        box.move(box.ahead()["Renewal"])

        row = again(row)
        assert (row.status, row.current_period_start) == ("active", end)
        assert box.cycle() == RENEWED
        newest = CreditTransaction.objects.order_by("sequence").last()
        assert newest.created_at == box.now == end + timedelta(minutes=61)
        box.arrive()  # another ring, and the same news again
        assert box.cycle() == RENEWED

    def test_whose_worker_dies_after_stripe_went_ahead_is_resumed(self, box, monkeypatch):
        box.subscribe(make_plan(box.stripe))
        to = box.ahead()["Renewal"]
        crash_once(monkeypatch, "_live_through", is_done=False)
        box.send(to)

        with pytest.raises(Crash):
            box.arrive()
        assert sandboxes.sweep() == 1
        box.arrive()

        assert (box.now, box.cycle()) == (to, RENEWED)
        assert sandboxes.sweep() == 0

    def test_is_not_heard_of_before_the_clock_is_there(self, box):
        row = box.subscribe(make_plan(box.stripe, trial_days=7), card=FAILS_LATER)
        to = box.ahead()["Trial ends"]
        box.send(to)
        box.stripe_goes_ahead(to)

        box.stripe.tell()

        assert again(row).status == "trial"
        box.arrive()
        row = again(row)
        assert row.status == "past_due"
        assert row.past_due_since >= row.trial_end
        assert not WebhookEvent.objects.filter(status=WebhookEvent.Status.PENDING).exists()

    def test_for_which_stripe_was_too_early_is_made_up_for(self, box):
        box.subscribe(make_plan(box.stripe))
        renewal = box.ahead()["Renewal"]
        box.stripe_goes_ahead(renewal)

        box.move(box.now + DAY)
        assert box.cycle() == PAID
        box.move(renewal)

        assert box.cycle() == RENEWED

    def test_that_two_workers_look_after_happens_once(self, box):
        box.subscribe(make_plan(box.stripe))
        to = box.ahead()["Renewal"]
        box.send(to)
        while any(at_once([lambda: sandboxes.carry_on(box.sandbox.pk)] * 2)):
            run_due(box.stripe.server.world)
        box.stripe.tell()

        box.sandbox.refresh_from_db()
        assert (box.now, box.sandbox.error, box.cycle()) == (to, "", RENEWED)
        moves = AuditLog.objects.filter(action="sandbox.arrive")
        assert moves.count() == 1

    def test_that_nobody_pays_ends_with_the_grace(self, box):
        row = box.subscribe(make_plan(box.stripe, trial_days=7), card=FAILS_LATER)
        assert row.status == "trial"

        box.move(box.ahead()["Trial ends"])
        row = again(row)
        assert (row.status, row.past_due_since) == ("past_due", box.now)
        box.move(box.ahead()["Grace ends"])

        assert again(row).status == "cancelled"

    def test_a_worker_that_comes_late_ends_no_other_step(self, box):
        start = box.now
        box.send(start + 2 * DAY)
        assert sandboxes._next_step(box.sandbox.pk).step_to == start + 2 * DAY

        sandboxes._arrive(box.sandbox.pk, start)
        sandboxes._give_up(box.sandbox.pk, start, "It was long ago.")

        box.sandbox.refresh_from_db()
        assert (box.sandbox.step_to, box.sandbox.error) == (start + 2 * DAY, "")


class TestTheEndOfATrial:
    def test_is_paid_and_begins_the_plan(self, box):
        row = box.subscribe(make_plan(box.stripe, trial_days=14))
        assert row.status == "trial"

        box.move(box.ahead()["Trial ends"])

        row = again(row)
        assert (row.status, row.current_period_start) == ("active", row.trial_end)
        assert box.cycle()[-1] == (10, 500, 500)


class TestPlansOfOurOwn:
    def test_no_period_is_skipped(self, box):
        version = make_plan(box.stripe, price=0, included_credits=20, rollover_cap=0)
        row = box.subscribe(version)
        bystander = make_organization()
        theirs = subscribing.begin(organization=bystander, version=version, quantity=1)

        box.move(box.now + 70 * DAY)

        assert [granted for _, granted, _ in box.cycle()] == [20, 20, 20]
        assert again(row).current_period_start < box.now < again(row).current_period_end
        assert again(theirs).current_period_end == theirs.current_period_end  # its time runs

    @pytest.mark.parametrize("part", ["_live_through", "_arrive"])
    def test_a_worker_that_dies_gives_nothing_twice(self, box, monkeypatch, part):
        box.subscribe(make_plan(box.stripe, price=0, included_credits=20, rollover_cap=0))
        box.send(box.ahead()["Next period"])
        crash_once(monkeypatch, part, is_done=True)

        with pytest.raises(Crash):
            box.arrive()
        box.arrive()

        assert [granted for _, granted, _ in box.cycle()] == [20, 20]

    def test_a_given_plan_ends(self, box):
        version = make_plan(box.stripe)
        with box.here():
            time = comping.give_time(
                time_id=ids.new_id(),
                organization=box.organization,
                version=version,
                days=10,
                reason="To see its end.",
                user=make_person(is_staff=True),
            )
        box.move(box.ahead()["Pass ends"])

        assert again(PlanTime.objects.get(pk=time.pk).subscription).status == "expired"


class TestCredits:
    def test_expire_there_and_nowhere_else(self, box):
        end = box.now + 40 * DAY
        bystander = make_organization()
        for one in (box.organization, bystander):
            give_credits(one, end)
        assert box.ahead() == {"Credits expire": end}

        box.move(end - DAY)
        assert list(
            ExpiryWarning.objects.values_list("organization_id", "days").order_by("days")
        ) == [(box.organization.pk, 1)]
        box.move(end)

        assert box.wallet().balance == 0
        assert CreditTransaction.objects.get(transaction_type="expired").created_at == end
        assert Lot.objects.get(organization=bystander).remaining == 30
