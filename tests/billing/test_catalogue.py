"""Plans and packs: made, versioned by date, archived, and never changed behind anybody's back."""

from datetime import UTC, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.billing.errors import CatalogueNameTaken, TermsRefused
from apps.billing.models import CreditProduct, PlanVersion, ProductVersion, SubscriptionPlan
from apps.billing.selectors import catalogue as selectors
from apps.billing.services import catalogue, plan_features, versions
from apps.core import clock
from apps.core.invariants import all_invariants, verify
from apps.credits.services.prices import set_price
from apps.tenants.models import AuditLog
from tests.billing.selling import (
    MONTHLY,
    PACK,
    make_pack,
    make_pack_version,
    make_plan,
    make_plan_version,
)
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class TestKeepingPlansAndPacks:
    def test_writes_down_who_made_changed_and_archived_what(self):
        plan = make_plan("pro")
        catalogue.change(plan, name="Professional", description="More", position=3)
        catalogue.archive(plan)
        catalogue.offer_again(plan)

        plan.refresh_from_db()
        assert (plan.name, plan.description, plan.position) == ("Professional", "More", 3)
        assert plan.is_active
        rows = AuditLog.objects.filter(object_id=plan.public_id).order_by("created_at", "id")
        assert [row.action for row in rows] == [
            "plan.created",
            "plan.changed",
            "plan.archived",
            "plan.offered",
        ]

    def test_writes_nothing_down_if_nothing_changes(self):
        pack = make_pack()
        catalogue.change(pack, name=pack.name, description="", position=0)
        catalogue.offer_again(pack)
        assert AuditLog.objects.filter(object_id=pack.public_id).count() == 1

    @pytest.mark.parametrize("make", [make_plan, make_pack])
    def test_refuses_a_code_or_a_name_that_is_taken(self, make):
        first = make("small")
        with pytest.raises(CatalogueNameTaken, match="code small"):
            make("small", name="Other")
        with pytest.raises(CatalogueNameTaken, match="name Small"):
            make("other", name="Small")
        with pytest.raises(CatalogueNameTaken, match="name Small"):
            catalogue.change(make("big"), name=first.name, description="", position=0)


class TestPublishing:
    def test_numbers_versions_and_keeps_the_earlier_ones(self):
        plan = make_plan()
        first = make_plan_version(plan)
        second = make_plan_version(plan, price=3900, features={"support": "email"})

        assert (first.number, second.number) == (1, 2)
        first.refresh_from_db()
        assert first.price == 2900
        row = AuditLog.objects.get(object_id=second.public_id)
        assert row.action == "plan.version_published"
        assert row.after["price"] == 3900

    def test_offers_each_version_from_its_moment_on(self):
        plan, now = make_plan(), timezone.now()
        first = make_plan_version(plan, effective_at=now - 30 * DAY)
        second = make_plan_version(plan, price=3900, effective_at=now + DAY)

        assert selectors.version_at(plan, now - 31 * DAY) is None
        assert selectors.version_at(plan, now) == first
        assert selectors.version_at(plan, now + DAY) == second
        assert selectors.current_plans() == [first]
        with clock.moved_to(now + DAY):
            assert selectors.current_plans() == [second]

    def test_offers_each_version_of_a_pack_from_its_moment_on(self):
        pack, now = make_pack(), timezone.now()
        first = make_pack_version(pack, effective_at=now - DAY)
        second = make_pack_version(pack, price=2100, effective_at=now + DAY)

        assert selectors.product_version_at(pack, now - 2 * DAY) is None
        assert selectors.product_version_at(pack, now) == first
        assert selectors.product_version_at(pack, now + DAY) == second
        assert selectors.current_products() == [first]
        with clock.moved_to(now + DAY):
            assert selectors.current_products() == [second]

    def test_replaces_a_planned_version_by_one_for_the_same_moment(self):
        plan, moment = make_plan(), timezone.now() + DAY
        make_plan_version(plan)
        make_plan_version(plan, price=1, effective_at=moment)
        right = make_plan_version(plan, price=3900, effective_at=moment)
        assert selectors.version_at(plan, moment) == right

    def test_offers_what_is_archived_to_nobody(self):
        plan_version, pack_version = make_plan_version(), make_pack_version()
        catalogue.archive(plan_version.plan)
        catalogue.archive(pack_version.product)
        assert selectors.current_plans() == []
        assert selectors.current_products() == []

    def test_lists_plans_and_packs_in_their_order_with_one_query_each(
        self, django_assert_num_queries
    ):
        for number in (3, 1, 2):
            make_plan_version(make_plan(f"plan-{number}", position=number))
            make_pack_version(make_pack(f"pack-{number}", position=number))
        with django_assert_num_queries(1):
            assert [one.plan.position for one in selectors.current_plans()] == [1, 2, 3]
        with django_assert_num_queries(1):
            assert [one.product.position for one in selectors.current_products()] == [1, 2, 3]

    def test_refuses_to_begin_in_the_past_or_before_another_version(self):
        plan, now = make_plan(), timezone.now()
        make_plan_version(plan, effective_at=now - DAY)
        with pytest.raises(TermsRefused, match="cannot change"):
            make_plan_version(plan, effective_at=now - timedelta(hours=1))
        planned = make_plan_version(plan, effective_at=now + 2 * DAY)
        begins = f"{planned.effective_at.astimezone(UTC):%Y-%m-%d}"
        with pytest.raises(TermsRefused, match=f"version 2 begins at {begins}"):
            make_plan_version(plan, effective_at=now + DAY)
        with pytest.raises(TermsRefused, match="version 2 begins"):
            make_plan_version(plan)

    @pytest.mark.parametrize(
        ("field", "terms"),
        [
            ("price", {"price": -1}),
            ("price", {"price": 100_000_000}),
            ("currency", {"currency": "EUR"}),
            ("currency", {"currency": "eur\n"}),
            ("interval", {"interval": "week"}),
            ("interval_count", {"interval_count": 0}),
            ("interval_count", {"interval_count": 37}),
            ("interval_count", {"interval": "year", "interval_count": 4}),
            ("included_credits", {"included_credits": -1}),
            ("rollover_cap", {"rollover_cap": -1}),
            ("rollover_cap", {"interval": "pass", "rollover_cap": 1}),
            ("price", {"interval": "pass", "price": 0}),
            ("has_quantity", {"interval": "pass", "has_quantity": True}),
            ("max_users", {"max_users": 0}),
            ("trial_days", {"trial_days": 731}),
            ("trial_days", {"interval": "pass", "trial_days": 1}),
            ("trial_days", {"price": 0, "trial_days": 1}),
        ],
    )
    def test_refuses_terms_that_a_plan_cannot_have(self, field, terms):
        with pytest.raises(TermsRefused) as refusal:
            make_plan_version(**terms)
        assert refusal.value.details["field"] == field

    @pytest.mark.parametrize(
        ("field", "terms"),
        [
            ("price", {"price": 0}),
            ("currency", {"currency": "euro"}),
            ("credits", {"credits": 0}),
            ("bonus_credits", {"bonus_credits": -1}),
            ("valid_days", {"valid_days": 0}),
        ],
    )
    def test_refuses_terms_that_a_pack_cannot_have(self, field, terms):
        with pytest.raises(TermsRefused) as refusal:
            make_pack_version(**terms)
        assert refusal.value.details["field"] == field


class TestFeatures:
    @pytest.fixture(autouse=True)
    def _prices(self):
        self.event = set_price(name="image.restyle", credit_cost=5, category="compute")
        self.other = set_price(name="api.render", credit_cost=3, category="api_call")

    def test_are_kept_and_described(self):
        version = make_plan_version(
            features={
                "support": "priority",
                "max_concurrent_jobs": 1,
                "unlimited_operations": ["compute"],
            }
        )
        assert plan_features.describe_features(version.features) == [
            "Free of credits: compute",
            "1 job at once",
            "Priority support",
        ]

    def test_name_operations_as_the_price_list_describes_them(self):
        features = {"unlimited_operations": ["image.restyle", "api.render", "compute"]}
        words = {"image.restyle": "Restyle a picture", "api.render": ""}
        assert plan_features.describe_features(features, words) == [
            "Free of credits: Restyle a picture, api.render, compute"
        ]

    @pytest.mark.parametrize("named", ["compute", "image.restyle"])
    def test_say_what_costs_nothing_by_name_or_category(self, named):
        version = make_plan_version(features={"unlimited_operations": [named]})
        assert plan_features.costs_nothing(version, self.event)
        assert not plan_features.costs_nothing(version, self.other)
        assert not plan_features.costs_nothing(make_plan_version(), self.event)

    @pytest.mark.parametrize(
        ("features", "says"),
        [
            ([], "give an object with: unlimited_operations"),
            ({"sso": True}, "sso is not known. Allowed are: unlimited_operations .*support"),
            ({"max_concurrent_jobs": 0}, "from 1 to"),
            ({"max_concurrent_jobs": True}, "from 1 to"),
            ({"max_concurrent_jobs": "3"}, "from 1 to"),
            ({"support": "gold"}, "one of: community, email, priority"),
            ({"support": ["email"]}, "one of: community, email, priority"),
            ({"unlimited_operations": "compute"}, "give a list"),
            ({"unlimited_operations": []}, "give a list"),
            ({"unlimited_operations": [1]}, "give a list"),
            ({"unlimited_operations": ["compute", "compute"]}, "once"),
            ({"unlimited_operations": ["image.resize"]}, "no image.resize. It has: .*image.rest"),
        ],
    )
    def test_are_refused_with_what_is_allowed(self, features, says):
        with pytest.raises(TermsRefused, match=says):
            make_plan_version(features=features)


class TestTheDatabase:
    """What was offered stays as it was, whoever writes."""

    @pytest.mark.parametrize(
        ("make", "changes"),
        [
            (make_plan_version, {"price": 1}),
            (make_plan_version, {"features": {"support": "email"}}),
            (make_plan_version, {"effective_at": timezone.now() + DAY}),
            (make_plan_version, {"number": 7}),
            (make_pack_version, {"credits": 1}),
            (make_pack_version, {"bonus_credits": 1}),
            (make_pack_version, {"valid_days": 3}),
        ],
    )
    def test_refuses_to_change_a_version(self, make, changes):
        version = make()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            type(version).objects.filter(pk=version.pk).update(**changes)

    @pytest.mark.parametrize("make", [make_plan_version, make_pack_version])
    def test_takes_the_id_of_a_price_once(self, make):
        version = make()
        rows = type(version).objects.filter(pk=version.pk)
        rows.update(stripe_price_id="price_1")
        rows.update(stripe_price_id="price_1")
        for other in ("price_2", ""):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                rows.update(stripe_price_id=other)

    @pytest.mark.parametrize("make", [make_plan, make_pack])
    def test_keeps_the_code_and_the_product_of_what_is_sold(self, make):
        thing = make()
        rows = type(thing).objects.filter(pk=thing.pk)
        rows.update(stripe_product_id="prod_1", name="Other", is_active=False)
        for changes in ({"code": "other"}, {"stripe_product_id": "prod_2"}):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                rows.update(**changes)

    @pytest.mark.parametrize(
        "model", [SubscriptionPlan, PlanVersion, CreditProduct, ProductVersion]
    )
    @pytest.mark.parametrize("sql", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_deletes_nothing(self, model, sql):
        make_plan_version()
        make_pack_version()
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE would wait for them
            cursor.execute(sql.format(model._meta.db_table))


class TestInvariants:
    """Each is noticed when the rows are forged."""

    def broken(self):
        codes = {f"B{number}" for number in range(10, 20)}
        ours = [one for one in all_invariants() if one.code in codes]
        assert len(ours) == 5
        return {one.invariant.code for one in verify(ours) if one.failures}

    def test_hold_for_what_services_make(self):
        plan, pack = make_plan(), make_pack()
        for moment in (None, timezone.now() + DAY):
            make_plan_version(plan, effective_at=moment)
            make_pack_version(pack, effective_at=moment)
        assert self.broken() == set()

    def test_notice_dates_that_do_not_rise(self):
        plan, pack, now = make_plan(), make_pack(), timezone.now()
        for number, moment in ((1, now), (2, now - DAY)):
            place = {"number": number, "effective_at": moment}
            PlanVersion.objects.create(plan=plan, **place, **MONTHLY)
            ProductVersion.objects.create(product=pack, **place, **PACK)
        assert self.broken() == {"B10"}

    def test_notice_numbers_that_are_left_out(self):
        PlanVersion.objects.create(plan=make_plan(), number=2, **MONTHLY)
        assert self.broken() == {"B11"}

    def test_notice_a_price_that_two_have(self):
        for version in (make_plan_version(), make_pack_version()):
            parent = version.plan if isinstance(version, PlanVersion) else version.product
            type(parent).objects.filter(pk=parent.pk).update(stripe_product_id=uuid4().hex)
            type(version).objects.filter(pk=version.pk).update(stripe_price_id="price_1")
        assert self.broken() == {"B12"}

    def test_notice_a_product_that_two_have(self):
        for thing in (make_plan(), make_pack()):
            type(thing).objects.filter(pk=thing.pk).update(stripe_product_id="prod_1")
        assert self.broken() == {"B13"}

    def test_notice_a_price_without_a_product_or_for_nothing(self):
        version, free = make_plan_version(), make_plan_version(price=0)
        PlanVersion.objects.filter(pk=version.pk).update(stripe_price_id="price_1")
        assert self.broken() == {"B14"}
        SubscriptionPlan.objects.update(stripe_product_id="")
        PlanVersion.objects.filter(pk=free.pk).update(stripe_price_id="price_2")
        assert self.broken() == {"B14"}


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_publish_one_after_the_other(self):
        plan = make_plan()
        outcomes = at_once([lambda: make_plan_version(plan)] * 6)
        assert sorted(one.number for one in outcomes) == [1, 2, 3, 4, 5, 6]
        dates = plan.versions.order_by("number").values_list("effective_at", flat=True)
        assert list(dates) == sorted(dates)


def test_locks_only_in_a_transaction():
    plan = make_plan()
    with pytest.raises(RuntimeError, match="needs an open transaction"):
        catalogue.lock(plan)
    with transaction.atomic():
        assert catalogue.lock(plan) == plan


def test_checks_terms_without_writing():
    versions.check_plan_terms(MONTHLY)
    versions.check_product_terms(PACK)
    assert not PlanVersion.objects.exists()
