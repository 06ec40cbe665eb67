"""What staff give: days of a plan without payment, and longer trials."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from apps.billing.errors import ChangeNotPossible, PlanTimeRefused, StripeUnavailable
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import OrganizationSubscription, PlanTime, SubscriptionChange
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.subscriptions import comping, plan_times, resuming
from apps.core import ids
from apps.credits.models import Lot
from apps.tenants.models import AuditLog
from tests.billing.buying import text_of
from tests.billing.passing import WEEK, buy, make_pass
from tests.billing.subscribing import START, again, make_plan
from tests.billing.test_subscription_life import HOUR, life, movable, request
from tests.people import make_organization, make_person, signed_in
from tests.races.racing import at_once

__all__ = ["life", "movable"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/billing/organizationsubscription/"
TRIAL = timedelta(days=14)
TEN = timedelta(days=10)


@pytest.fixture
def staff():
    return make_person(is_staff=True, is_superuser=True)


@pytest.fixture
def pro(stripe):
    return make_plan(stripe, name="Pro", features={"unlimited_operations": ["image.restyle"]})


def give(life, staff, version, days=10, **more):
    more = {"time_id": ids.new_id(), "reason": "They wait for a feature."} | more
    with life.here():
        return comping.give_time(
            organization=life.organization, version=version, days=days, user=staff, **more
        )


def extend(life, staff, row, days=10, **more):
    more = {"change_id": ids.new_id(), "reason": "They were ill."} | more
    with life.here():
        return comping.extend_trial(subscription=row, days=days, user=staff, **more)


def gifts(life):
    rows = Lot.objects.filter(organization=life.organization, kind="promotional").order_by("id")
    return list(rows.values_list("expires_at", "granted"))


class TestAGift:
    def test_is_a_plan_with_credits_for_its_days(self, life, staff, pro, stripe):
        free = life.begin(make_plan(stripe, price=0, included_credits=20))
        give(life, staff, pro)

        row = reading.present_of(life.organization)
        assert (row.version, row.status, row.is_limited) == (pro, "active", True)
        assert (row.current_period_end, row.next_version) == (START + TEN, free.version)
        assert gifts(life) == [(START + TEN, 500)]
        with life.here():
            assert reading.unlimited_operations(life.organization) == {"image.restyle"}
        said = AuditLog.objects.get(action="subscription.time")
        assert (said.after["days"], "note" in said.after) == (10, True)
        life.now = START + TEN
        with life.here():
            assert reading.unlimited_operations(life.organization) == set()
            assert plan_times.sweep() == 1
        assert reading.present_of(life.organization).version == free.version

    def test_of_a_pass_that_runs_makes_it_longer(self, life, staff):
        week = make_pass()
        buy(life, week)
        give(life, staff, week, days=3)
        row = reading.present_of(life.organization)
        assert row.current_period_end == START + WEEK + timedelta(days=3)
        assert PlanTime.objects.filter(subscription=row).count() == 2

    def test_that_is_sent_twice_is_one(self, life, staff, pro):
        sent = {"time_id": ids.new_id()}
        at_once([lambda: give(life, staff, pro, **sent)] * 3)
        assert PlanTime.objects.count() == 1
        assert len(gifts(life)) == 1
        with pytest.raises(PlanTimeRefused):
            give(life, staff, pro, days=11, **sent)

    def test_that_was_sent_for_another_organization_is_refused(self, life, staff, pro):
        time_id = ids.new_id()
        give(life, staff, pro, time_id=time_id)
        with life.here(), pytest.raises(PlanTimeRefused, match="sent before"):
            comping.give_time(
                organization=make_organization(),
                version=pro,
                days=10,
                user=staff,
                time_id=time_id,
                reason="They wait for a feature.",
            )

    def test_makes_way_when_the_customer_pays(self, life, staff, pro):
        give(life, staff, pro)
        row = life.subscribe(pro)
        assert reading.present_of(life.organization) == row
        assert OrganizationSubscription.objects.get(is_limited=True).status == "cancelled"

    def test_is_refused_of_what_is_free_or_archived(self, life, staff, pro, stripe):
        pro.plan.is_active = False
        for version in (pro, make_plan(stripe, price=0)):
            with pytest.raises(PlanTimeRefused):
                give(life, staff, version)
        assert PlanTime.objects.count() == 0

    @pytest.mark.parametrize("days", [0, -1, 367])
    def test_is_refused_for_no_days_or_too_many(self, life, staff, pro, days):
        with pytest.raises(PlanTimeRefused):
            give(life, staff, pro, days=days)

    def test_is_refused_beside_a_plan_that_renews(self, life, staff, pro):
        life.subscribe(pro)
        with pytest.raises(PlanTimeRefused):
            give(life, staff, pro)

    def test_is_refused_beside_another_pass(self, life, staff, pro):
        buy(life, make_pass())
        with pytest.raises(PlanTimeRefused):
            give(life, staff, pro)


class TestALongerTrial:
    @pytest.fixture
    def row(self, life, stripe):
        return life.subscribe(make_plan(stripe, trial_days=14, max_users=None))

    def test_is_longer_at_stripe_and_so_are_its_credits(self, life, staff, row, stripe):
        assert extend(life, staff, row).trial_end == START + TRIAL + TEN
        told = stripe.v1.subscriptions.retrieve(row.stripe_subscription_id)
        assert told.trial_end == int((START + TRIAL + TEN).timestamp())
        assert "note" in AuditLog.objects.get(action="subscription.trial").after
        assert SubscriptionChange.objects.get().reason == "They were ill."
        live = Lot.objects.filter(kind="subscription", remaining__gt=0)
        assert list(live.values_list("expires_at", "remaining")) == [(START + TRIAL + TEN, 500)]
        life.tell()
        life.move(START + TRIAL + HOUR)
        assert again(row).status == "trial"

        life.move(START + TRIAL + TEN + HOUR)

        assert again(row).status == "active"
        assert sum(left for *_, left in life.cycle()) == 500  # and nothing is carried over

    def test_that_is_sent_twice_is_one(self, life, staff, row):
        sent = {"change_id": ids.new_id()}
        for _ in range(2):
            assert extend(life, staff, row, **sent).trial_end == START + TRIAL + TEN
        assert SubscriptionChange.objects.count() == 1

    def test_whose_answer_got_lost_is_resumed(self, life, staff, row, monkeypatch):
        real = gateway.set_trial_end

        def lost(**question):
            real(**question)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "set_trial_end", lost)
        with pytest.raises(StripeUnavailable):
            extend(life, staff, row)
        monkeypatch.undo()
        life.tell()  # its news may come first
        SubscriptionChange.objects.update(created_at=life.now - timedelta(minutes=2))
        with life.here():
            assert resuming.sweep() == 1
        assert again(row).trial_end == START + TRIAL + TEN
        live = Lot.objects.get(kind="subscription", remaining__gt=0)
        assert live.expires_at == START + TRIAL + TEN

    def test_is_refused_of_what_is_no_trial(self, life, staff, pro):
        row = life.subscribe(pro)
        with pytest.raises(ChangeNotPossible) as refusal:
            extend(life, staff, row)
        assert "only a trial" in str(refusal.value)

    def test_is_refused_of_one_that_ends(self, life, staff, row):
        request(life, "cancel")
        with pytest.raises(ChangeNotPossible) as refusal:
            extend(life, staff, row)
        assert "scheduled" in str(refusal.value)

    @pytest.mark.parametrize("days", [0, 730])
    def test_is_refused_for_no_days_or_too_many(self, life, staff, row, days):
        with pytest.raises(ChangeNotPossible) as refusal:
            extend(life, staff, row, days=days)
        assert "730 days" in str(refusal.value)


class TestTheBackOffice:
    def post(self, life, place, person, **form):
        sent = {"gift_id": str(ids.new_id()), "days": "10", "reason": "A test of ours."}
        with life.here():
            return signed_in(person).post(f"{LIST}{place}/", sent | form)

    def test_gives_a_plan(self, life, staff, pro):
        page = text_of(signed_in(staff).get(f"{LIST}give/"))
        assert "nothing is charged" in page
        answer = self.post(
            life, "give", staff, organization=life.organization.slug, plan=pro.plan.code
        )
        time = PlanTime.objects.get()
        assert answer.url == f"{LIST}{time.subscription_id}/change/"
        assert (time.user, time.reason, time.days) == (staff, "A test of ours.", 10)

    def test_says_why_not(self, life, staff, pro):
        for wrong in ({"organization": "nobody"}, {"days": "0"}, {"reason": ""}, {"plan": "free"}):
            named = {"organization": life.organization.public_id, "plan": pro.plan.code}
            assert self.post(life, "give", staff, **named | wrong).status_code == 422
        life.subscribe(pro)
        refused = self.post(life, "give", staff, **named)
        assert refused.status_code == 409
        assert "renews by itself" in text_of(refused)
        row = OrganizationSubscription.objects.get()
        refused = self.post(life, f"{row.pk}/extend-trial", staff)
        assert refused.status_code == 409
        assert "only a trial" in text_of(refused)

    def test_extends_a_trial(self, life, staff, stripe):
        row = life.subscribe(make_plan(stripe, trial_days=14))
        page = text_of(signed_in(staff).get(f"{LIST}{row.pk}/extend-trial/"))
        assert "2027-02-14 12:00 UTC" in page
        answer = self.post(life, f"{row.pk}/extend-trial", staff)
        assert answer.status_code == 302
        assert again(row).trial_end == START + TRIAL + TEN

    def test_takes_a_permission(self, life, pro, stripe):
        row = life.subscribe(make_plan(stripe, trial_days=14))
        looker = make_person(is_staff=True)
        looker.user_permissions.set(
            Permission.objects.filter(codename="view_organizationsubscription")
        )
        other = make_organization()
        named = {"organization": other.slug, "plan": pro.plan.code}
        assert self.post(life, "give", looker, **named).status_code == 403
        assert self.post(life, f"{row.pk}/extend-trial", looker).status_code == 403
        assert PlanTime.objects.count() + SubscriptionChange.objects.count() == 0
