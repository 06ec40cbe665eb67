"""The back office of capacity: it writes through services, and says why it does not."""

from decimal import Decimal

import pytest

from apps.capacity.models import (
    Allocation,
    CapacityBlock,
    ClassCap,
    Customer,
    Project,
    ProjectRate,
    WaitlistEntry,
)
from apps.capacity.services import projects
from apps.tenants.models import AuditLog
from tests.capacity.plants import allocate, hold, make_project
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
AT = "/admin/capacity"
TERMS = {
    "name": "Roof",
    "place": "Hamburg",
    "description": "",
    "capacity_kw": "100",
    "customer_cap_kw": "",
    "hold_minutes": "15",
    "offer_hours": "48",
    "notice_days": "30",
    "starts_on": "",
    "ends_on": "",
}


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


class TestProjects:
    def test_are_made_given_a_rate_and_opened(self, staff):
        made = staff.post(f"{AT}/project/add/", {**TERMS, "code": "roof", "currency": "eur"})
        project = Project.objects.get(code="roof")
        change = {**TERMS, "status": "open"}
        refused = staff.post(f"{AT}/project/{project.pk}/change/", change, follow=True)
        rate = {"project": project.pk, "effective_from": "2026-01-01", "fee": "700"}
        staff.post(f"{AT}/projectrate/add/", {**rate, "credits_per_kwh": "1.5"})
        staff.post(f"{AT}/project/{project.pk}/change/", change)

        assert made.status_code == 302
        assert "Give it a rate" in refused.content.decode()
        project.refresh_from_db()
        assert project.status == "open"
        assert ProjectRate.objects.get().fee == 700
        assert "Roof" in staff.get(f"{AT}/project/").content.decode()


class TestBlocks:
    RANGE = {"serial_prefix": "A-", "first": "1", "last": "12", "digits": "3", "capacity_kw": "2.5"}

    def test_are_made_by_range_and_retired(self, staff):
        project = make_project()

        staff.post(f"{AT}/capacityblock/add/", {**self.RANGE, "project": project.pk})

        serials = CapacityBlock.objects.order_by("position").values_list("serial", flat=True)
        assert list(serials) == [f"A-{number:03}" for number in range(1, 13)]
        first = CapacityBlock.objects.get(serial="A-001")
        chosen = {"action": "retire", "_selected_action": [first.pk]}
        staff.post(f"{AT}/capacityblock/", chosen)
        first.refresh_from_db()
        assert first.state == "retired"
        assert "A-001" in staff.get(f"{AT}/capacityblock/{first.pk}/change/").content.decode()

    def test_that_do_not_fit_are_refused_in_words(self, staff):
        project = make_project(capacity_kw=Decimal(10))
        given = {**self.RANGE, "project": project.pk}
        answer = staff.post(f"{AT}/capacityblock/add/", given, follow=True)

        assert "10.000 kW of the project are in no block" in answer.content.decode()
        assert not CapacityBlock.objects.exists()

    def test_are_split_and_merged_with_a_reason(self, staff):
        project = make_project(5, 2)
        large, small = project.blocks.order_by("position")
        split, merge = (f"{AT}/capacityblock/{large.pk}/{deed}/" for deed in ("split", "merge"))

        assert "take its place in the queue" in staff.get(split).content.decode()
        for sizes in ("a few", "inf -inf", "sNaN 2"):
            assert staff.post(split, {"sizes": sizes, "reason": "Sold"}).status_code == 422
        assert staff.post(split, {"sizes": "2 3", "reason": ""}).status_code == 422
        refused = staff.post(split, {"sizes": "2 2", "reason": "Sold"})
        assert (refused.status_code, "are 4 kW" in refused.content.decode()) == (400, True)
        missing = staff.post(merge, {"others": "Z9", "serial": "M", "reason": "One cable"})
        assert "has no block Z9" in missing.content.decode()
        staff.post(merge, {"others": small.serial, "serial": "M", "reason": "One cable"})
        merged = project.blocks.get(serial="M")
        staff.post(f"{AT}/capacityblock/{merged.pk}/split/", {"sizes": "3; 4", "reason": "Sold"})

        sizes = project.blocks.filter(state="free").values_list("serial", "capacity_kw")
        assert set(sizes) == {("M.1", Decimal(3)), ("M.2", Decimal(4))}
        rows = AuditLog.objects.filter(action__in=["block.merged", "block.split"])
        assert set(rows.values_list("action", "reason")) == {
            ("block.merged", "One cable"),
            ("block.split", "Sold"),
        }


class TestReport:
    def test_says_what_is_sold_held_free_and_waited_for(self, staff, acme):
        project = make_project(5, 2, 1, code="roof")
        allocate(acme, project, 5)
        hold(acme, project, 2)
        hold(acme, project, 1, mode="exact")
        WaitlistEntry.objects.create(
            organization=acme, project=project, user=make_person(), requested_kw=Decimal(40)
        )

        text = b"".join(staff.get(f"{AT}/project/report/").streaming_content).decode()

        (line,) = text.splitlines()[1:]
        assert line == (f"roof,{project.name},open,1000.000,5.000,3.000,0.000,992.000,0.5,1,40.000")
        assert "1 (40.000 kW)" in staff.get(f"{AT}/project/").content.decode()


class TestHoldings:
    def test_are_moved_alone_or_all_of_a_project(self, staff, acme):
        one, two, three = allocate(acme, make_project(2, 2, 2), 6)
        target = make_project(2, 4)
        given = {"project": target.pk, "reason": "Repairs"}
        path = f"{AT}/allocation/{one.pk}/move/"

        assert "From today on" in staff.get(path).content.decode()
        assert staff.post(path, {**given, "reason": ""}).status_code == 422
        staff.post(path, given)
        staff.post(f"{AT}/allocation/{two.pk}/move/", {**given, "is_whole": "on"})

        endings = Allocation.objects.filter(pk__in=[one.pk, two.pk, three.pk])
        assert {row.ending for row in endings} == {"moved"}
        made = Allocation.objects.filter(block__project=target)
        assert {row.capacity_kw for row in made} == {Decimal(2), Decimal(4)}
        again = staff.post(path, given)
        assert (again.status_code, "has ended" in again.content.decode()) == (409, True)
        rows = AuditLog.objects.filter(action="capacity.move")
        assert list(rows.values_list("reason", flat=True)) == ["Repairs"] * 2

    def test_are_marked_as_paid(self, staff, acme):
        reservation = hold(acme, make_project(5), 5)
        path = f"{AT}/reservation/{reservation.pk}/mark-paid/"

        assert staff.get(path).status_code == 200
        assert staff.post(path, {"reference": ""}).status_code == 422
        assert staff.post(path, {"reference": "transfer 7"}).status_code == 302
        again = staff.post(path, {"reference": "transfer 8"})

        reservation.refresh_from_db()
        assert (reservation.status, reservation.offline_reference) == ("allocated", "transfer 7")
        assert again.status_code == 409
        assert "was paid before" in again.content.decode()

    def test_are_reassigned_and_withdrawn_with_a_reason(self, staff, acme):
        other, (allocation,) = make_organization(name="Other"), allocate(acme, make_project(5), 5)
        given = {"organization": other.slug, "reason": "Sold"}
        staff.post(f"{AT}/allocation/{allocation.pk}/transfer/", given)

        made = Allocation.objects.get(organization=other)
        assert made.follows == allocation
        staff.post(f"{AT}/allocation/{made.pk}/withdraw/", {"reason": "Over"})
        made.refresh_from_db()
        assert made.ending == "withdrawn"
        assert staff.get(f"{AT}/allocation/").status_code == 200


class TestCaps:
    def test_are_set_for_a_class_and_taken_away(self, staff, acme):
        project = make_project(5)
        farms = projects.create_customer_class(name="Farms")
        customer = {"organization": acme.pk, "customer_class": farms.pk}
        staff.post(f"{AT}/customer/add/", customer)
        cap = {"project": project.pk, "customer_class": farms.pk, "customer_cap_kw": "7"}
        staff.post(f"{AT}/classcap/add/", cap)

        assert Customer.objects.get().customer_class == farms
        made = ClassCap.objects.get()
        assert made.customer_cap_kw == 7
        staff.post(f"{AT}/classcap/{made.pk}/delete/", {"post": "yes"})
        assert not ClassCap.objects.exists()

    def test_names_a_class_once(self, staff):
        for _ in range(2):
            answer = staff.post(f"{AT}/customerclass/add/", {"name": "Farms"}, follow=True)

        assert answer.status_code == 200
