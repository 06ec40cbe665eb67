"""Plans and packs as customers read them: by API and on the page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing.models import OrganizationSubscription
from apps.billing.services import catalogue
from apps.core import clock, scope
from apps.credits.services.prices import set_price
from tests.billing.selling import make_pack, make_pack_version, make_plan, make_plan_version
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def organization():
    return make_organization(slug="acme")


@pytest.fixture
def reader(organization):
    return signed_in(make_member(organization, "billing manager"))


def subscribe(organization, version, **fields):
    with scope.within(organization.pk):
        return OrganizationSubscription.objects.create(
            organization=organization, version=version, status="active", **fields
        )


class TestTheApi:
    @pytest.fixture
    def api(self, organization):
        person = make_member(organization, "owner")
        return with_key(make_key(organization, person, "billing:read")[1])

    def test_lists_each_plan_as_it_is_offered_now(self, api):
        set_price(name="image.restyle", credit_cost=5, category="compute")
        features = {"unlimited_operations": ["compute"], "max_concurrent_jobs": 3}
        plan = make_plan("pro", description="For studios")
        version = make_plan_version(plan, features=features, max_users=5, trial_days=14)
        make_plan_version(plan, price=9900, effective_at=timezone.now() + DAY)
        catalogue.archive(make_plan_version().plan)

        (found,) = api.get("/api/v1/plans").json()["data"]

        assert found.pop("effective_at")
        assert found == {
            "id": plan.public_id,
            "object": "plan",
            "code": "pro",
            "name": "Pro",
            "description": "For studios",
            "version": version.public_id,
            "version_number": 1,
            "price": 2900,
            "currency": "eur",
            "interval": "month",
            "interval_count": 1,
            "included_credits": 500,
            "rollover_cap": 0,
            "max_users": 5,
            "has_quantity": False,
            "trial_days": 14,
            "features": features,
        }
        with clock.moved_to(timezone.now() + 2 * DAY):
            assert api.get("/api/v1/plans").json()["data"][0]["price"] == 9900

    def test_lists_each_pack_as_it_is_sold_now(self, api):
        pack = make_pack("small")
        version = make_pack_version(pack, bonus_credits=50, valid_days=365)
        make_pack_version(pack, price=9900, effective_at=timezone.now() + DAY)
        catalogue.archive(make_pack_version().product)

        (found,) = api.get("/api/v1/credit-products").json()["data"]

        assert found.pop("effective_at")
        assert found == {
            "id": pack.public_id,
            "object": "credit_product",
            "code": "small",
            "name": "Small",
            "description": "",
            "version": version.public_id,
            "version_number": 1,
            "credits": 1050,
            "bonus_credits": 50,
            "price": 1900,
            "currency": "eur",
            "valid_days": 365,
        }

    @pytest.mark.parametrize("path", ["plans", "credit-products"])
    def test_gives_pages_with_as_many_queries_for_more_rows(
        self, api, path, django_assert_max_num_queries
    ):
        for _ in range(5):
            make_plan_version()
            make_pack_version()
        first = api.get(f"/api/v1/{path}?limit=3").json()
        rest = api.get(f"/api/v1/{path}?cursor={first['next_cursor']}").json()
        assert len({one["id"] for one in first["data"] + rest["data"]}) == 5
        with django_assert_max_num_queries(12):
            api.get(f"/api/v1/{path}")
        assert api.get(f"/api/v1/{path}?color=red").status_code == 400


class TestThePage:
    ADDRESS = "/o/acme/billing/plans/"

    def names(self, page):
        return [card.plan.code for card in page.context["cards"]]

    def test_shows_what_each_plan_gives_and_costs(self, reader):
        make_plan_version(
            make_plan("pro", description="For studios"),
            rollover_cap=250,
            max_users=5,
            trial_days=14,
            features={"support": "priority"},
        )
        make_plan_version(make_plan("pass"), interval="pass", interval_count=7, price=900)
        make_plan_version(make_plan("property"), has_quantity=True, interval_count=3)
        make_plan_version(make_plan("free"), price=0, included_credits=0)

        text = " ".join(reader.get(self.ADDRESS).content.decode().split())

        for words in ("Pro", "€29.00", "per month", "For studios", "500", "Up to 250 carried over"):
            assert words in text
        for words in ("14 days", "Priority support", "once, for 7 days", "€9.00", "Free"):
            assert words in text
        assert "per 3 months, for each property" in text
        assert "As many as you like" in text

    def test_offers_a_trial_to_those_who_had_none(self, organization, reader):
        version = make_plan_version(make_plan("pro"), trial_days=14)
        assert "14 days" in reader.get(self.ADDRESS).content.decode()
        had = subscribe(organization, version)
        had.status = "cancelled"
        had.trial_end = had.ended_at = timezone.now()
        with scope.within(organization.pk):
            had.save()
        assert "14 days" not in reader.get(self.ADDRESS).content.decode()

    def test_says_in_words_what_is_free_of_credits(self, reader):
        set_price(
            name="image.restyle",
            credit_cost=5,
            category="compute",
            description="Restyle a picture",
        )
        make_plan_version(features={"unlimited_operations": ["image.restyle"]})
        text = reader.get(self.ADDRESS).content.decode()
        assert "Free of credits: Restyle a picture" in text
        assert "image.restyle" not in text

    def test_changes_between_monthly_and_annual(self, reader):
        make_plan_version(make_plan("free", position=1), price=0)
        make_plan_version(make_plan("pro", position=2))
        make_plan_version(make_plan("pro-annual", position=3), interval="year")

        assert self.names(reader.get(self.ADDRESS)) == ["free", "pro"]
        assert self.names(reader.get(f"{self.ADDRESS}?show=annual")) == ["free", "pro-annual"]

    def test_has_nothing_to_choose_without_annual_plans(self, reader):
        make_plan_version()
        assert "show=annual" not in reader.get(self.ADDRESS).content.decode()

    def test_marks_the_own_plan_and_shows_it_always(self, organization, reader):
        make_plan_version(make_plan("free", position=1))
        own = make_plan_version(make_plan("pro", position=2), interval="year")
        subscribe(organization, own)
        for address in (self.ADDRESS, f"{self.ADDRESS}?show=annual"):
            page = reader.get(address)
            assert page.content.decode().count("Your plan") == 1
            (card,) = [card for card in page.context["cards"] if card.is_current]
            assert (card.version, card.keeps_earlier_terms) == (own, False)

    def test_marks_no_plan_of_others_and_none_that_is_over(self, organization, reader):
        version = make_plan_version()
        subscribe(make_organization(), version)
        ended = subscribe(organization, version)
        ended.status, ended.ended_at = "cancelled", timezone.now()
        with scope.within(organization.pk):
            ended.save()
        assert "Your plan" not in reader.get(self.ADDRESS).content.decode()

    def test_shows_the_terms_that_one_has_kept(self, organization, reader):
        plan = make_plan("pro")
        subscribe(organization, make_plan_version(plan))
        make_plan_version(plan, price=3900)
        text = reader.get(self.ADDRESS).content.decode()
        assert "€29.00" in text
        assert "€39.00" not in text
        assert "You keep the terms that you subscribed to." in text

    def test_shows_the_own_plan_when_it_is_archived(self, organization, reader):
        version = make_plan_version()
        subscribe(organization, version)
        catalogue.archive(version.plan)
        text = reader.get(self.ADDRESS).content.decode()
        assert "Your plan" in text
        assert "It is not offered to new subscribers." in text

    def test_says_that_there_are_none(self, reader):
        assert "No plans yet" in reader.get(self.ADDRESS).content.decode()

    def test_is_for_those_who_may_look_at_billing(self, organization):
        client = signed_in(make_member(organization, "developer"))
        assert client.get(self.ADDRESS).status_code == 403
        assert "/billing/plans/" not in client.get("/o/acme/").content.decode()
        stranger = signed_in(make_member(make_organization(), "owner"))
        assert stranger.get(self.ADDRESS).status_code == 404

    def test_asks_as_much_of_the_database_for_more_plans(
        self, reader, django_assert_max_num_queries
    ):
        for number in range(8):
            make_plan_version(make_plan(position=number))
        reader.get(self.ADDRESS)
        with django_assert_max_num_queries(17):  # the frame's banner asks eight
            reader.get(self.ADDRESS)
