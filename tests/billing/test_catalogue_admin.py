"""Plans and packs in the back office: kept, published, archived, pushed and compared."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from apps.billing.models import CreditProduct, OrganizationSubscription, SubscriptionPlan
from apps.core import scope
from apps.tenants.models import AuditLog
from tests.billing.selling import make_pack, make_pack_version, make_plan, make_plan_version
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
PLANS, PACKS = "/admin/billing/subscriptionplan/", "/admin/billing/creditproduct/"
VERSIONS, PACK_VERSIONS = "/admin/billing/planversion/", "/admin/billing/productversion/"
TERMS = {
    "effective_at": "",
    "price": "3900",
    "currency": "eur",
    "interval": "month",
    "interval_count": "1",
    "included_credits": "500",
    "rollover_cap": "0",
    "max_users": "",
    "trial_days": "0",
    "features": json.dumps({"support": "email"}),
}
NO_VERSIONS = {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


def said(response):
    return [str(message) for message in response.context["messages"]]


class TestPlansAndPacks:
    @pytest.mark.parametrize(
        ("address", "model", "word"),
        [(PLANS, SubscriptionPlan, "plan"), (PACKS, CreditProduct, "pack")],
    )
    def test_are_made_changed_and_archived_by_the_services(self, staff, address, model, word):
        given = {"code": "pro", "name": "Pro", "description": "", "position": "1"} | NO_VERSIONS
        staff.post(f"{address}add/", given | {"is_active": "on"})
        thing = model.objects.get()
        assert thing.is_active

        staff.post(f"{address}{thing.pk}/change/", given | {"name": "Studio", "code": "other"})

        thing.refresh_from_db()
        assert (thing.code, thing.name, thing.is_active) == ("pro", "Studio", False)
        actions = AuditLog.objects.filter(object_id=thing.public_id).values_list("action")
        assert {f"{word}.created", f"{word}.changed", f"{word}.archived"} == {
            action for (action,) in actions
        }

    def test_cannot_have_the_name_of_another(self, staff):
        make_plan("pro")
        given = {"code": "pro-2", "name": "Pro", "description": "", "position": "1"} | NO_VERSIONS
        page = staff.post(f"{PLANS}add/", given)
        assert page.status_code == 200
        assert SubscriptionPlan.objects.count() == 1

    @pytest.mark.parametrize("address", [PLANS, PACKS, VERSIONS, PACK_VERSIONS])
    def test_are_never_deleted(self, staff, address):
        plan, pack = make_plan_version(), make_pack_version()
        rows = {PLANS: plan.plan, PACKS: pack.product, VERSIONS: plan, PACK_VERSIONS: pack}
        answer = staff.post(f"{address}{rows[address].pk}/delete/", {"post": "yes"})
        assert answer.status_code == 403

    def test_show_what_is_offered_and_how_stripe_stands(self, staff, stripe):
        plan = make_plan("pro")
        make_plan_version(plan)
        make_plan_version(plan, price=9900, effective_at=timezone.now() + timedelta(days=1))
        make_plan_version(make_plan("free"), price=0)
        page = staff.get(PLANS).content.decode()
        for words in ("v1, €29.00", "not pushed", "not needed"):
            assert words in page
        assert "99.00" not in page

    def test_list_with_as_many_queries_for_more_rows(self, staff, django_assert_max_num_queries):
        for _ in range(8):
            make_plan_version()
            make_pack_version()
        for address in (PLANS, PACKS, VERSIONS, PACK_VERSIONS):
            staff.get(address)
            with django_assert_max_num_queries(15):
                staff.get(address)

    def test_show_their_versions_and_who_has_them(self, staff):
        version = make_plan_version(make_plan("pro"))
        subscribe(version)
        page = staff.get(f"{PLANS}{version.plan.pk}/change/").content.decode()
        assert "v1: 1" in page
        assert "€29.00 / 1 month" in page
        assert f"{PLANS}{version.plan.pk}/new-version/" in page


class TestPublishing:
    def test_begins_with_the_last_terms_and_says_who_keeps_them(self, staff):
        version = make_plan_version(make_plan("pro"), max_users=7)
        subscribe(version)
        subscribe(version)

        page = staff.get(f"{PLANS}{version.plan.pk}/new-version/", follow=True)

        assert page.context["adminform"].form.initial["max_users"] == 7
        assert "Pro (2 organizations have it)" in page.content.decode()
        assert "keeps his version" in page.content.decode()

    def test_adds_a_version_and_leaves_subscribers_alone(self, staff):
        version = make_plan_version()
        subscription = subscribe(version)

        staff.post(f"{VERSIONS}add/", TERMS | {"plan": str(version.plan.pk)})

        second = version.plan.versions.get(number=2)
        assert (second.price, second.max_users) == (3900, None)
        assert second.features == {"support": "email"}
        assert subscription.version == version
        assert AuditLog.objects.filter(object_id=second.public_id).exists()

    def test_adds_a_version_of_a_pack(self, staff):
        pack = make_pack()
        given = {"product": str(pack.pk), "credits": "100", "bonus_credits": "5", "price": "900"}
        given |= {"currency": "eur", "valid_days": "", "effective_at": ""}
        staff.get(f"{PACKS}{pack.pk}/new-version/", follow=True)
        staff.post(
            f"{PACK_VERSIONS}add/",
            given | {"currency": "eur", "valid_days": "", "effective_at": ""},
        )
        assert pack.versions.get().all_credits == 105

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("features", '{"sso": true}', "sso is not known. Allowed are"),
            ("currency", "EUR", "like eur"),
            ("interval_count", "99", "from 1 to 36"),
            ("effective_at", "2020-01-01T00:00", "what was offered already cannot change"),
        ],
    )
    def test_says_at_the_field_what_is_refused(self, staff, field, value, says):
        plan = make_plan_version().plan
        page = staff.post(f"{VERSIONS}add/", TERMS | {"plan": str(plan.pk), field: value})
        assert says in page.context["adminform"].form.errors[field][0]
        assert plan.versions.count() == 1

    def test_of_no_such_plan_is_not_found(self, staff):
        assert staff.get(f"{VERSIONS}add/?plan=nonsense").status_code == 200
        nobody = "00000000-0000-0000-0000-000000000000"
        assert staff.get(f"{PLANS}{nobody}/new-version/").status_code == 404
        assert staff.get(f"{PLANS}{nobody}/at-stripe/").status_code == 404


class TestStripe:
    def test_push_and_compare_say_what_happened(self, staff, stripe):
        plan = make_plan_version(make_plan("pro")).plan
        address = f"{PLANS}{plan.pk}/at-stripe/"

        assert "Push to Stripe" in staff.get(address).content.decode()
        page = staff.post(address, {"do": "push"}, follow=True)
        assert said(page)[0] == f"Stripe has Pro as {plan.public_id} now."
        assert "Push again" in page.content.decode()
        assert "Nothing differed" in page.content.decode()
        page = staff.post(address, {"do": "compare"}, follow=True)
        assert said(page) == ["Stripe has Pro as it is here."]

        stripe.v1.products.update(plan.public_id, {"name": "Other"})
        page = staff.post(address, {"do": "compare"}, follow=True)
        assert said(page) == ["Pro: Its name is “Other” at Stripe and “Pro” here."]
        assert "differs" in staff.get(PLANS).content.decode()

    def test_push_and_compare_many(self, staff, stripe):
        packs = [make_pack_version(make_pack(code)).product for code in ("small", "large")]
        chosen = {"_selected_action": [pack.pk for pack in packs]}
        page = staff.post(PACKS, chosen | {"action": "push_selected"}, follow=True)
        assert len(said(page)) == 4
        assert "as here" in page.content.decode()
        page = staff.post(PACKS, chosen | {"action": "compare_selected"}, follow=True)
        assert sorted(said(page)) == [
            f"Stripe has {one} as it is here." for one in ("Large", "Small")
        ]

    def test_says_why_nothing_can_be_pushed(self, staff, settings):
        settings.STRIPE_SECRET_KEY = ""
        plan = make_plan_version(make_plan("pro")).plan
        for do in ("push", "compare"):
            page = staff.post(f"{PLANS}{plan.pk}/at-stripe/", {"do": do}, follow=True)
            assert said(page)[0].startswith("Pro: Billing is not configured here")

    def test_tells_what_differs_after_a_push(self, staff, stripe):
        plan = make_plan_version(make_plan("pro")).plan
        address = f"{PLANS}{plan.pk}/at-stripe/"
        staff.post(address, {"do": "push"})
        stripe.server.world.reset()
        page = staff.post(address, {"do": "push"}, follow=True)
        assert "Stripe has no price" in said(page)[-1]

    def test_is_changed_by_nobody_who_may_only_look(self, stripe):
        person = make_person(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_subscriptionplan"))
        plan, client = make_plan_version().plan, signed_in(person)

        page = client.post(f"{PLANS}{plan.pk}/at-stripe/", {"do": "push"})
        client.post(PLANS, {"action": "push_selected", "_selected_action": [plan.pk]})

        assert "Push" not in page.content.decode().replace("pushed", "")
        assert stripe.v1.products.list().data == []
        assert client.get(f"{PLANS}{plan.pk}/new-version/").status_code == 403


def subscribe(version):
    organization = make_organization()
    with scope.within(organization.pk):
        return OrganizationSubscription.objects.create(
            organization=organization, version=version, status="active"
        )
