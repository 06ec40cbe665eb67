"""The back office's lists of capacity ask the database as often for many rows as for few."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.services import projects
from tests.capacity.lines import offered, wait
from tests.capacity.months import KWH, corrected, generate, had_since
from tests.capacity.plants import hold, make_project
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
LISTS = (
    *("project", "projectrate", "capacityblock", "reservation", "allocation", "waitlistentry"),
    *("customer", "customerclass", "classcap", "generationreading", "generationshare"),
)


def add_rows() -> None:
    """Add rows to each of the lists."""
    acme, project = make_organization(), make_project(5, 2, 1)
    had_since(acme, project, 5, month=9)
    corrected(generate(project, 90 * KWH), 80 * KWH)
    hold(acme, project, 2)
    wait(make_organization(), offered(acme, 5).project, 5)
    farms = projects.create_customer_class(name=f"Farms {acme.pk}")
    projects.classify_customer(organization=acme, customer_class=farms)
    projects.set_class_cap(project=project, customer_class=farms, customer_cap_kw=Decimal(9))


def test_ask_no_more_for_many_rows():
    staff = signed_in(make_person(is_staff=True, is_superuser=True))

    def queries() -> dict[str, int]:
        asked = {}
        for name in LISTS:
            with CaptureQueriesContext(connection) as found:
                page = staff.get(f"/admin/capacity/{name}/")
            assert page.context["cl"].result_list, name
            asked[name] = len(found)
        return asked

    add_rows()
    queries()  # what is asked once
    few = queries()
    for _ in range(2):
        add_rows()

    assert queries() == few
