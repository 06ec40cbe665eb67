"""What a person bought, in the file of all that is kept of him."""

import pytest

from apps.billing.models import Payment, Refund
from apps.core import personal, scope
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
