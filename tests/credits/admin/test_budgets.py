"""Staff see budgets, and change none."""

import pytest
from django.urls import reverse

from apps.credits.models import BudgetMonth
from apps.credits.services.budget_alerts import send_test_alert
from apps.credits.services.budgets import create_budget
from tests.credits.wallets import make_wallet
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", ["budget", "budgetmonth", "budgetalert"])
def test_budgets_are_listed_and_cannot_be_changed(table):
    budget = create_budget(wallet=make_wallet(credits=5), monthly_limit=4321)
    client = signed_in(make_person(is_staff=True, is_superuser=True))
    alert = send_test_alert(budget=budget)
    rows = {"budget": budget, "budgetmonth": BudgetMonth.objects.get(), "budgetalert": alert}
    row = rows[table]

    listed = client.get(reverse(f"admin:credits_{table}_changelist"))
    refused = client.post(reverse(f"admin:credits_{table}_delete", args=[row.pk]))
    added = client.get(reverse(f"admin:credits_{table}_add"))

    assert listed.status_code == 200
    assert "4321" in listed.content.decode().replace(",", "")
    assert (refused.status_code, added.status_code) == (403, 403)
