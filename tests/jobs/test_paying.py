"""What pays for an attempt: the plan, the trial, other credits; and metered prices."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing.selectors.subscriptions import coverage_of
from apps.core import clock
from apps.core.invariants import verify
from apps.credits.errors import BudgetExceeded, InsufficientCredits, WalletClosed
from apps.credits.models import CreditTransaction, Hold, Lot, Wallet
from apps.credits.selectors import coverage, main_wallet
from apps.credits.selectors.coverage import Coverage
from apps.credits.services import prices
from apps.credits.services.budgets import create_budget
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from apps.jobs.errors import InvalidAreas, InvalidParameters, PriceNotUnderstood
from apps.jobs.models import Attempt, GenerationJob
from apps.jobs.runners.protocol import Result
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import submission, sweeping
from apps.jobs.services.changing import cancel_job, retry_job
from apps.jobs.services.ending import fail_area
from apps.jobs.services.paying import HELD_LONGER
from apps.jobs.services.quotes import quote_job
from apps.jobs.services.submission import AreaRequest
from tests.jobs.work import (
    OPERATION,
    available,
    claim,
    make_areas,
    make_job,
    make_upload,
    picture,
    set_price,
    work_off,
)
from tests.people import make_key, make_member, make_organization, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    set_price()
    return make_organization()


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


class TestSeveralAreas:
    def test_are_paid_each_with_a_reference_of_its_own(self, organization):
        job = make_areas(organization)

        paid = Attempt.objects.order_by("area__position").values_list("charge_reference", "cost")
        assert list(paid) == [(f"job:{job.public_id}:{place}:1", 5) for place in (1, 2, 3)]
        assert (job.cost, job.area_count, available(organization)) == (15, 3, 85)
        assert is_sound()

    def test_are_paid_all_or_none(self, organization):
        set_price(40)

        with pytest.raises(InsufficientCredits) as refusal, transaction.atomic():
            make_areas(organization)

        facts = {
            name: refusal.value.details[name] for name in ("required", "available", "shortfall")
        }
        assert facts == {"required": 120, "available": 100, "shortfall": 20}
        assert not GenerationJob.objects.exists()
        assert available(organization) == 100

    def test_are_kept_within_budgets(self, organization):
        create_budget(wallet=main_wallet(organization), monthly_limit=14)

        with pytest.raises(BudgetExceeded), transaction.atomic():
            make_areas(organization)

        assert not GenerationJob.objects.exists()

    @pytest.mark.parametrize("count", [0, 21])
    def test_are_from_one_to_twenty(self, organization, count):
        with pytest.raises(InvalidAreas, match="from 1 to 20"):
            make_areas(organization, plain=[False] * count)

    def test_say_whose_parameters_are_wrong(self, organization):
        user = make_member(organization, "developer")
        upload = make_upload(organization, user)
        areas = [AreaRequest(upload, {"style": style}) for style in ("dusk", "neon")]

        with pytest.raises(InvalidParameters, match=r"areas\.2\.style"):
            submission.submit_job(
                organization=organization, user=user, operation=OPERATION, areas=areas
            )


class TestAPlanThatCoversIt:
    @pytest.fixture(params=[OPERATION, "compute"])
    def plan(self, request, monkeypatch):
        """A plan by which the operation, or its category, costs nothing."""
        covers = Coverage(unlimited=frozenset({request.param}))
        monkeypatch.setattr(coverage, "_providers", [lambda _: covers])

    def test_pays_nothing_into_a_closed_organization(self, organization, plan):
        Wallet.objects.filter(organization=organization).update(closed_at=timezone.now())

        with pytest.raises(WalletClosed), transaction.atomic():
            make_areas(organization)

    def test_pays_before_the_trial(self, organization, plan):
        job = make_areas(organization)

        work_off()

        job.refresh_from_db()
        assert (job.payment_type, job.cost, available(organization)) == ("plan", 0, 100)
        assert set(Attempt.objects.values_list("payment_type", flat=True)) == {"plan"}
        assert is_sound()

    def test_is_said_in_a_quote(self, organization, plan):
        set_price(1000)

        quote = quote_job(organization=organization, operation=OPERATION)

        assert (quote.cost, quote.is_covered, quote.is_affordable) == (0, True, True)

    def test_covers_nothing_else(self, organization, monkeypatch):
        covers = Coverage(unlimited=frozenset({"storage"}))
        monkeypatch.setattr(coverage, "_providers", [lambda _: covers])

        assert make_job(organization).payment_type == "trial"

    def test_is_told_by_billing(self, organization):
        assert coverage_of in coverage._providers
        assert coverage_of(organization) == Coverage()


class TestAMeteredPrice:
    """Ten credits for each begun megapixel of the result."""

    @pytest.fixture
    def organization(self):
        prices.set_price(
            name=OPERATION,
            credit_cost=10,
            category="compute",
            unit="megapixel",
            metadata={"metered": "megapixel"},
        )
        return make_organization()

    @pytest.fixture
    def job(self, organization):
        """Asked for 2,000 × 1,500 pixels: three megapixels."""
        user = make_member(organization, "developer")
        return submission.submit_job(
            organization=organization,
            user=user,
            operation=OPERATION,
            areas=[self.area(organization, user)],
        )

    def area(self, organization, user):
        upload = make_upload(organization, user, picture(size=(64, 48)))
        return AreaRequest(upload, {"style": "dusk", "size": 2000})

    def result(self, width, height):
        return lambda *_: Result(b"png", "image/png", width, height)

    def test_holds_the_most_that_it_can_cost(self, job, organization):
        hold = Hold.objects.get()

        assert (hold.amount, hold.status, hold.reference) == (
            30,
            "held",
            f"job:{job.public_id}:1:1",
        )
        assert hold.expires_at > job.deadline
        assert (job.cost, job.payment_type, available(organization)) == (30, "trial", 70)
        assert is_sound()

    def test_captures_what_was_used(self, job, organization, monkeypatch):
        monkeypatch.setattr(RUNNERS[OPERATION], "run", self.result(1000, 1001))

        work_off()

        job.refresh_from_db()
        assert (job.status, job.cost, job.refunded) == ("completed", 20, 0)
        assert (Hold.objects.get().captured, available(organization)) == (20, 80)
        assert is_sound()

    def test_captures_no_more_than_was_held(self, job, organization, monkeypatch):
        monkeypatch.setattr(RUNNERS[OPERATION], "run", self.result(4000, 4000))

        work_off()

        job.refresh_from_db()
        assert (job.cost, available(organization)) == (30, 70)
        assert is_sound()

    def test_releases_all_of_it_when_it_fails(self, job, organization, monkeypatch):
        monkeypatch.setattr(RUNNERS[OPERATION], "run", lambda *_: 1 / 0)

        work_off()

        job.refresh_from_db()
        assert (job.status, job.cost, job.refunded) == ("failed", 30, 30)
        assert (Hold.objects.get().status, available(organization)) == ("captured", 100)
        assert is_sound()

    def test_gives_back_what_expired_while_our_worker_failed(self, organization, settings):
        settings.TRIAL_CREDITS = 0
        brief = make_organization()
        grant_credits(
            wallet=main_wallet(brief),
            amount=100,
            kind=Lot.Kind.PROMOTIONAL,
            expires_at=timezone.now() + timedelta(hours=1),
            reference="gift",
            source="promotion",
        )
        user = make_member(brief, "developer")
        submission.submit_job(
            organization=brief, user=user, operation=OPERATION, areas=[self.area(brief, user)]
        )
        area = claim()
        with clock.moved_to(timezone.now() + timedelta(hours=2)):
            assert fail_area(area=area, claim=area.claim, code="broke", message="It broke.")
            assert available(brief) == 30
        assert is_sound()

    @pytest.mark.parametrize("is_swept", [True, False], ids=["swept", "due"])
    @pytest.mark.parametrize("door", ["claim", "sweep", "fail", "cancel"])
    def test_past_its_hold_is_given_back_by_every_door(self, job, organization, door, is_swept):
        taken = claim() if door == "fail" else None

        with clock.moved_to(job.deadline + 2 * HELD_LONGER):
            if is_swept:
                sweep_expired_lots()
                assert Hold.objects.get().status == "expired"
            if door == "claim":
                assert claim() is None
            elif door == "sweep":
                assert sweeping.fail_what_is_overdue() == 1
            elif door == "fail":
                assert fail_area(area=taken, claim=taken.claim, code="broke", message="It broke.")
            else:
                cancel_job(job=job)
            job.refresh_from_db()
            assert job.status == ("cancelled" if door == "cancel" else "failed")
            assert (job.cost, job.refunded, available(organization)) == (30, 30, 100)
            assert Hold.objects.get().status == "expired"
            assert is_sound()

    def test_past_its_hold_keeps_no_other_organization_waiting(self, job):
        with clock.moved_to(job.deadline + 2 * HELD_LONGER):
            other = make_job(make_organization())

            assert claim().job == other

            job.refresh_from_db()
            assert job.status == "failed"
            assert is_sound()

    def test_is_settled_by_its_job_alone(self, job, organization):
        _, token = make_key(organization, make_member(organization, "owner"), "credits:write")
        hold = Hold.objects.get()
        for number, (verb, body) in enumerate(
            {"capture": {"amount": 1}, "release": {}, "renew": {"ttl_seconds": 60}}.items()
        ):
            answer = with_key(token).post(
                f"/api/v1/credits/holds/{hold.public_id}/{verb}",
                json.dumps(body),
                content_type="application/json",
                headers={"Idempotency-Key": str(number)},
            )
            assert answer.status_code == 404, verb
        work_off()
        job.refresh_from_db()
        assert job.status == "completed"

    def test_releases_all_of_it_when_it_is_cancelled(self, job, organization):
        cancel_job(job=job)

        assert available(organization) == 100
        assert is_sound()

    def test_holds_anew_for_the_next_attempt(self, job, organization, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(RUNNERS[OPERATION], "run", lambda *_: 1 / 0)
            work_off()

        retry_job(job=job, by=job.user)

        assert (Hold.objects.count(), available(organization)) == (2, 70)
        monkeypatch.setattr(RUNNERS[OPERATION], "run", self.result(1000, 1000))
        work_off()
        assert available(organization) == 90
        assert is_sound()

    def test_keeps_the_price_at_which_it_was_held(self, job, organization, monkeypatch):
        set_price(500)
        monkeypatch.setattr(RUNNERS[OPERATION], "run", self.result(1000, 1000))

        work_off()

        assert available(organization) == 90

    def test_is_refused_when_the_most_cannot_be_paid(self, organization):
        user = make_member(organization, "developer")
        areas = [self.area(organization, user)] * 4

        with pytest.raises(InsufficientCredits) as refusal, transaction.atomic():
            submission.submit_job(
                organization=organization, user=user, operation=OPERATION, areas=areas
            )

        assert refusal.value.details["required"] == 120
        assert not CreditTransaction.objects.filter(transaction_type="held").exists()

    def test_is_quoted_as_the_most(self, organization):
        user = make_member(organization, "developer")
        areas = [self.area(organization, user)] * 2

        quote = quote_job(organization=organization, operation=OPERATION, areas=areas)

        assert (quote.cost, quote.area_count, quote.is_metered) == (60, 2, True)

    def test_by_another_measure_is_refused(self, organization):
        prices.set_price(
            name=OPERATION, credit_cost=1, category="compute", metadata={"metered": "second"}
        )

        with pytest.raises(PriceNotUnderstood, match="second"):
            make_job(organization)
