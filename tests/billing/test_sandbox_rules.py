"""Sandboxes: who may have one, where its clock decides, and its pages."""

import json
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from apps.billing.errors import SandboxIsMoving, SandboxRefused, StripeUnavailable
from apps.billing.gateway import clocks
from apps.billing.models import Customer, OrganizationSubscription, Sandbox, WebhookEvent
from apps.billing.services import inbox, sandboxes
from apps.billing.services.customers import ensure_customer
from apps.core import scope
from apps.core.clock import database_now, workers_now
from apps.credits.models import CreditTransaction
from apps.rbac.models import Invitation
from apps.tenants.models import AuditLog, Organization
from tests.billing.boxes import give_credits
from tests.billing.buying import text_of
from tests.billing.subscribing import make_plan
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)
from tests.races.racing import at_once, wait_until_awaited

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
LIST = "/admin/billing/sandbox/"
WHY = "To see what happens."


@pytest.fixture
def sandbox(db):
    return sandboxes.begin(organization=make_organization(), reason=WHY)


@pytest.fixture
def staff(db):
    return make_person(is_staff=True, is_superuser=True)


def clock(sandbox):
    return Organization.objects.get(pk=sandbox.organization_id).clock_at


def refused(work, **given):
    with pytest.raises(SandboxRefused) as refusal:
        work(**given, reason=WHY)
    return str(refusal.value)


class TestWhoMayHaveOne:
    def test_an_organization_without_a_customer(self, sandbox):
        assert workers_now() - DAY < clock(sandbox) < workers_now() + DAY
        row = AuditLog.objects.get(action="sandbox.begin")
        assert (row.organization, row.reason) == (sandbox.organization, WHY)
        assert row.after == {"clock_at": clock(sandbox).isoformat()}

    def test_not_a_customer(self, stripe):
        organization = make_organization()
        ensure_customer(organization=organization)
        assert "customer at Stripe already" in refused(sandboxes.begin, organization=organization)
        assert not Sandbox.objects.exists()

    def test_a_customer_that_is_made_meanwhile_gets_the_clock(self, stripe):
        organization = make_organization()
        done, begun = Event(), Event()

        def make_customer():
            begun.wait()
            try:
                ensure_customer(organization=organization)
            finally:
                done.set()
                connection.close()

        thread = Thread(target=make_customer)
        thread.start()
        with transaction.atomic():
            sandbox = sandboxes.begin(organization=organization, reason=WHY)
            begun.set()
            wait_until_awaited(done)
        thread.join()
        sandbox.refresh_from_db()
        customer = stripe.v1.customers.retrieve(Customer.objects.get().stripe_id)
        assert sandbox.stripe_clock_id
        assert customer.test_clock == sandbox.stripe_clock_id

    def test_not_twice(self, sandbox):
        assert "is a sandbox already" in refused(sandboxes.begin, organization=sandbox.organization)

    def test_not_where_money_is(self, settings, sandbox):
        settings.STRIPE_LIVE_MODE = True
        assert "live mode" in refused(sandboxes.begin, organization=make_organization())
        assert "live mode" in refused(sandboxes.move, sandbox=sandbox, to=clock(sandbox) + DAY)

    def test_not_where_clocks_run(self, settings, sandbox):
        settings.MOVABLE_CLOCK = False
        assert "MOVABLE_CLOCK" in refused(sandboxes.begin, organization=make_organization())
        assert "MOVABLE_CLOCK" in refused(sandboxes.move, sandbox=sandbox, to=clock(sandbox) + DAY)


class TestTheClock:
    def test_never_goes_back(self, sandbox):
        present = clock(sandbox)
        for to in (present, present - DAY):
            assert "never goes back" in refused(sandboxes.move, sandbox=sandbox, to=to)
        rows = Organization.objects.filter(pk=sandbox.organization_id)
        for moment in (present - timedelta(seconds=1), None):
            with pytest.raises(IntegrityError, match="never goes back"), transaction.atomic():
                rows.update(clock_at=moment)

    def test_goes_400_days_at_most(self, sandbox):
        far = clock(sandbox) + timedelta(days=401)
        assert "within 400 days" in refused(sandboxes.move, sandbox=sandbox, to=far)

    def test_goes_one_way_at_a_time(self, sandbox):
        def send(days):
            to = clock(sandbox) + days * DAY
            try:
                return sandboxes.move(sandbox=sandbox, to=to, reason=WHY)
            except SandboxIsMoving as refusal:
                return refusal

        answers = at_once([lambda: send(1), lambda: send(2)])

        assert sorted(type(one).__name__ for one in answers) == ["Sandbox", "SandboxIsMoving"]
        assert AuditLog.objects.filter(action="sandbox.move").count() == 1

    def test_waits_while_stripe_does_not_answer(self, sandbox, monkeypatch):
        Sandbox.objects.update(stripe_clock_id="clock_1")

        def silence(*given, **more):
            raise StripeUnavailable

        monkeypatch.setattr(clocks, "has_reached", silence)
        start = clock(sandbox)
        sandboxes.move(sandbox=sandbox, to=start + DAY, reason=WHY)
        assert sandboxes.carry_on(sandbox.pk) is True
        sandbox.refresh_from_db()
        assert (clock(sandbox), sandbox.step_to) == (start, start + DAY)

    def test_gives_up_after_an_hour(self, sandbox, monkeypatch):
        Sandbox.objects.update(stripe_clock_id="clock_1")
        monkeypatch.setattr(clocks, "has_reached", lambda *given, **more: False)
        start = clock(sandbox)
        sandboxes.move(sandbox=sandbox, to=start + DAY, reason=WHY)
        assert sandboxes.carry_on(sandbox.pk) is True
        Sandbox.objects.update(moving_since=workers_now() - sandboxes.PATIENCE - DAY)

        assert sandboxes.carry_on(sandbox.pk) is False

        sandbox.refresh_from_db()
        assert (clock(sandbox), sandbox.moving_to) == (start, None)
        assert "longer than an hour" in sandbox.error

    def test_that_failed_is_sent_again_to_where_it_stands(self, stripe):
        sandbox = sandboxes.begin(organization=make_organization(), reason=WHY)
        ensure_customer(organization=sandbox.organization)
        sandbox.refresh_from_db()
        stripe.v1.test_helpers.test_clocks.delete(sandbox.stripe_clock_id)
        start = clock(sandbox)
        sandboxes.move(sandbox=sandbox, to=start + DAY, reason=WHY)
        assert sandboxes.carry_on(sandbox.pk) is False
        sandbox.refresh_from_db()
        assert sandbox.error.startswith("Stripe refused this")
        stopped = AuditLog.objects.get(action="sandbox.stop")
        assert stopped.reason == sandbox.error

        Sandbox.objects.update(stripe_clock_id=None)
        sandboxes.move(sandbox=sandbox, to=start, reason=WHY)
        assert sandboxes.carry_on(sandbox.pk) is False
        sandbox.refresh_from_db()
        assert (sandbox.error, clock(sandbox)) == ("", start)

    def test_is_the_customers_at_stripe(self, stripe):
        sandbox = sandboxes.begin(organization=make_organization(), reason=WHY)
        customer = ensure_customer(organization=sandbox.organization)
        sandbox.refresh_from_db()
        made = stripe.v1.customers.retrieve(customer.stripe_id)
        assert made.test_clock == sandbox.stripe_clock_id
        at_stripe = stripe.v1.test_helpers.test_clocks.retrieve(made.test_clock)
        assert at_stripe.frozen_time == clock(sandbox).timestamp()


def credits_of(organization):
    return reverse("credits:overview", args=[organization.slug])


def spend(token):
    return with_key(token).post(
        "/api/v1/credits/spend",
        json.dumps({"amount": 3}),
        content_type="application/json",
        headers={"Idempotency-Key": "once"},
    )


class TestARequest:
    @pytest.fixture
    def ahead(self, sandbox):
        """Return the sandbox two months ahead."""
        sandboxes.move(sandbox=sandbox, to=clock(sandbox) + 60 * DAY, reason=WHY)
        assert sandboxes.carry_on(sandbox.pk) is False
        sandbox.organization.refresh_from_db()
        return sandbox

    @pytest.fixture
    def owner(self, ahead):
        return make_member(ahead.organization, "owner")

    def test_spends_at_its_moment(self, ahead, owner):
        give_credits(ahead.organization)
        _, token = make_key(ahead.organization, owner, "credits:write")
        answer = spend(token)
        assert answer.status_code == 201, answer.content
        spent = CreditTransaction.objects.get(amount=-3)
        assert spent.created_at == clock(ahead)

    def test_subscribes_there(self, stripe, ahead, owner):
        plan = make_plan(stripe, price=0, included_credits=20)
        _, token = make_key(ahead.organization, owner, "billing:write")
        answer = with_key(token).post(
            "/api/v1/subscription",
            json.dumps({"plan": plan.plan.code}),
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 201, answer.content
        assert OrganizationSubscription.objects.get().current_period_start == clock(ahead)

    def test_opens_stripes_page_in_the_role_of_the_web(self, stripe, ahead, owner):
        plan = make_plan(stripe)
        address = f"/o/{ahead.organization.slug}/billing/subscription/begin/"
        answer = signed_in(owner).post(
            address, {"plan": plan.plan.code, "quantity": 1}, follow=False
        )
        assert answer.status_code in (302, 303), answer.content
        ahead.refresh_from_db()
        assert ahead.stripe_clock_id

    def test_hurries_news_in_real_time(self, ahead):
        about = {"object": "refund", "id": "re_1", "payment_intent": "pi_1"}
        event = {"id": "evt_1", "type": "refund.updated", "livemode": False, "created": 1}
        inbox.receive(event | {"data": {"object": about}}, source="webhook")
        WebhookEvent.objects.update(due_at=workers_now() + DAY)
        assert inbox.due_subjects() == []

        with scope.within(ahead.organization_id, clock(ahead)), transaction.atomic():
            inbox.hurry("pi_1")

        assert inbox.due_subjects() == ["pi_1"]

    def test_of_people_lives_in_real_time(self, ahead, owner):
        answer = signed_in(owner).post(
            "/api/v1/invitations",
            json.dumps({"email": "new@example.com", "role": "member"}),
            content_type="application/json",
        )
        assert answer.status_code == 201, answer.content
        assert Invitation.objects.get().mail_due_at < clock(ahead) - 50 * DAY

    def test_says_where_the_clock_stands(self, ahead, owner):
        page = text_of(signed_in(owner).get(credits_of(ahead.organization)))
        assert "This is a sandbox" in page
        told = signed_in(owner).get(f"/api/v1/organizations/{ahead.organization.slug}").json()
        assert told["sandbox_clock"].startswith(f"{clock(ahead):%Y-%m-%dT%H:%M:%S}")
        other = make_organization()
        person = make_member(other, "owner")
        assert "sandbox" not in text_of(signed_in(person).get(credits_of(other)))
        told = signed_in(person).get(f"/api/v1/organizations/{other.slug}").json()
        assert told["sandbox_clock"] is None

    def test_elsewhere_is_in_real_time(self, ahead, settings):
        assert database_now() < clock(ahead) - 50 * DAY
        settings.MOVABLE_CLOCK = False
        person = make_member(ahead.organization, "owner")
        _, token = make_key(ahead.organization, person, "credits:write")
        give_credits(ahead.organization)
        spend(token)
        assert CreditTransaction.objects.get(amount=-3).created_at < clock(ahead)


class TestTheBackOffice:
    def test_makes_one_and_moves_its_clock(self, staff):
        organization = make_organization(name="Show room")
        give_credits(organization, workers_now() + 9 * DAY)
        client = signed_in(staff)
        wrong = client.post(f"{LIST}begin/", {"organization": "nobody", "reason": WHY})
        assert wrong.status_code == 422
        given = {"organization": organization.slug, "reason": WHY}
        made = client.post(f"{LIST}begin/", given)
        sandbox = Sandbox.objects.get(organization=organization)
        assert made.url == f"{LIST}{sandbox.pk}/change/"
        assert client.post(f"{LIST}begin/", given).status_code == 409

        address = f"{LIST}{sandbox.pk}/move/"
        assert "Credits expire" in text_of(client.get(address))
        assert client.post(address, {"reason": WHY}).status_code == 422
        back = client.post(address, {"reason": WHY, "day": "2020-01-01"})
        assert (back.status_code, "never goes back" in text_of(back)) == (409, True)
        to = clock(sandbox) + DAY
        assert client.post(address, {"reason": WHY, "to": to.isoformat()}).status_code == 302
        sandbox.refresh_from_db()
        assert sandbox.moving_to == to
        page = text_of(client.get(f"{LIST}{sandbox.pk}/change/"))
        assert f"{to:%Y-%m-%d %H:%M:%S} UTC" in page
        assert "Show room" in text_of(client.get(LIST))

    def test_takes_permissions(self, sandbox):
        looker = make_person(is_staff=True)
        looker.user_permissions.set(Permission.objects.filter(codename="view_sandbox"))
        client = signed_in(looker)
        assert client.get(f"{LIST}{sandbox.pk}/change/").status_code == 200
        for address in (f"{LIST}begin/", f"{LIST}{sandbox.pk}/move/"):
            assert client.get(address).status_code == 403
            assert client.post(address, {"reason": WHY}).status_code == 403

    def test_offers_nothing_where_money_is(self, staff, settings, sandbox):
        settings.STRIPE_LIVE_MODE = True
        client = signed_in(staff)
        assert "Make a sandbox" not in text_of(client.get(LIST))
        assert client.get(f"{LIST}begin/").status_code == 403
        assert client.get(f"{LIST}{sandbox.pk}/move/").status_code == 403
