"""What a person bought, in the file of all that is kept of him."""

import pytest
from django.db import transaction

from apps.billing.models import (
    OrganizationSubscription,
    Payment,
    Refund,
    SubscriptionChange,
)
from apps.billing.services.forgetting import forget_reasons
from apps.billing.services.subscriptions import changing
from apps.core import context, personal, scope
from apps.rbac.selectors.erasures import identity_of
from apps.tenants.models import AuditLog
from tests.billing.selling import make_plan_version
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db


def test_a_person_is_told_what_he_bought_and_nothing_else():
    person = make_person()
    organization = make_organization(owner=person)
    fields = {
        "organization": organization,
        "purpose": Payment.Purpose.CUSTOM,
        "credits": 500,
        "amount": 2000,
        "currency": "eur",
        "is_live": False,
    }
    his = Payment.objects.create(user=person, **fields)
    Payment.objects.create(user=make_person(), **fields)
    Payment.objects.create(**fields)

    with scope.every_organization("a test"):
        (told,) = personal.parts()["payments"](person)

    assert (told["id"], told["organization__slug"]) == (his.pk, organization.slug)
    assert (told["amount"], told["currency"], told["status"]) == (2000, "eur", "created")


def test_staff_are_told_which_refunds_they_asked_for():
    clerk = make_person()
    organization = make_organization()
    payment = Payment.objects.create(
        organization=organization, purpose="custom", amount=2000, currency="eur", is_live=False
    )
    fields = {"organization": organization, "payment": payment, "amount": 500}
    his = Refund.objects.create(requested_by=clerk, note="He asked.", **fields)
    Refund.objects.create(requested_by=make_person(), **fields)

    with scope.every_organization("a test"):
        (told,) = personal.parts()["refunds"](clerk)

    assert (told["id"], told["amount"], told["note"]) == (his.pk, 500, "He asked.")


class TestWhyAPlanWasEnded:
    @pytest.fixture
    def ended(self):
        """Two people ended plans, and each said why, without a name."""
        people = [make_person(), make_person()]
        for person in people:
            organization = make_organization()
            reason = f"I am ill {person.pk}"
            OrganizationSubscription.objects.create(
                organization=organization,
                version=make_plan_version(price=0),
                status="active",
                cancel_reason=reason,
            )
            with context.acting(actor=f"user:{person.public_id}"):
                changing.request(
                    organization=organization, kind="cancel", reason=reason, user=person
                )
        return people

    def test_is_in_the_file_of_who_wrote_it(self, ended):
        with scope.every_organization("a test"):
            (told,) = personal.parts()["subscription_changes"](ended[0])
        assert (told["kind"], told["reason"]) == ("cancel", f"I am ill {ended[0].pk}")

    def test_is_gone_with_him_and_with_nobody_else(self, ended):
        gone, stays = ended
        with scope.every_organization("a test"):
            forget(user=gone, identity=identity_of(gone))

        kept = f"I am ill {stays.pk}"
        rows = OrganizationSubscription.objects.all()
        assert set(rows.values_list("cancel_reason", flat=True)) == {"(erased)", kept}
        changes = dict(SubscriptionChange.objects.values_list("user", "reason"))
        assert changes == {gone.pk: "(erased)", stays.pk: kept}
        assert told_in_the_log(gone) == {"note": "(erased)"}
        assert told_in_the_log(stays) == {"note": kept}


@transaction.atomic
def forget(**whom):
    forget_reasons(**whom)


def told_in_the_log(person):
    row = AuditLog.objects.get(action="subscription.cancel", actor=f"user:{person.public_id}")
    assert "ill" not in row.reason
    return row.after
