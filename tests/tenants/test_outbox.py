"""Events that others are told of."""

import pytest
from django.db import IntegrityError, transaction

from apps.tenants.models import OutboxEvent
from apps.tenants.services import outbox
from tests.people import make_organization

pytestmark = pytest.mark.django_db


def emit(organization, **changes):
    values = {"event_type": "job.completed", "object_id": "job_1", "data": {"status": "completed"}}
    with transaction.atomic():
        return outbox.emit(organization=organization, **{**values, **changes})


class TestEmit:
    def test_keeps_what_happened(self):
        organization = make_organization()

        event = emit(organization)

        event.refresh_from_db()
        assert (event.organization, event.data) == (organization, {"status": "completed"})
        assert event.public_id.startswith("evt_")

    def test_needs_the_transaction_of_what_happened(self):
        with pytest.raises(RuntimeError, match="needs an open transaction"):
            outbox.emit(
                organization=make_organization(), event_type="job.failed", object_id="", data={}
            )

    def test_refuses_more_than_20_kb(self):
        organization = make_organization()
        emit(organization, data={"text": "x" * 19_900})

        with pytest.raises(ValueError, match="larger than 20000 bytes"):
            emit(organization, data={"text": "x" * 20_000})

    def test_refuses_what_is_no_type(self):
        with pytest.raises(IntegrityError, match="tenants_event_has_a_type"):
            emit(make_organization(), event_type="Job completed")


@pytest.mark.parametrize("change", ["update", "delete"])
def test_nobody_changes_an_event(change):
    emit(make_organization())
    rows = OutboxEvent.objects.all()

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rows.update(data={}) if change == "update" else rows.delete()
