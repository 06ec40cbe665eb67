"""The audit log: written with the deed, and never again."""

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core import context
from apps.tenants.models import AuditLog
from apps.tenants.selectors import audit as selecting
from apps.tenants.selectors.person import deeds_of
from apps.tenants.services import audit
from tests.people import make_person

pytestmark = pytest.mark.django_db

CHANGES = [
    "UPDATE tenants_auditlog SET actor = 'someone else'",
    "DELETE FROM tenants_auditlog",
    "TRUNCATE tenants_auditlog CASCADE",
]


class TestRecord:
    def test_knows_who_acts_and_from_where(self):
        cause = context.acting(actor="user:usr_1", request_id="req_1", ip_address="192.0.2.7")

        with cause, transaction.atomic():
            entry = audit.record(action="thing.do", object_id="thing_1", after={"size": 3})

        kept = AuditLog.objects.get(pk=entry.pk)
        assert (kept.actor, kept.request_id, kept.ip_address) == (
            "user:usr_1",
            "req_1",
            "192.0.2.7",
        )
        assert (kept.result, kept.after) == ("done", {"size": 3})

    def test_needs_the_transaction_of_the_deed(self):
        with pytest.raises(RuntimeError, match="needs an open transaction"):
            audit.record(action="thing.do")

    def test_goes_with_the_deed_when_it_is_rolled_back(self):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.record(action="thing.do")
            raise ZeroDivisionError

        assert not AuditLog.objects.exists()


class TestAuditLog:
    @pytest.mark.parametrize("statement", CHANGES)
    def test_refuses_every_change(self, statement):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize("statement", CHANGES)
    def test_refuses_it_from_a_replica_session_too(self, statement):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)


class TestWhatAPersonDid:
    def test_is_read_in_chunks_that_leave_nothing_out(self, monkeypatch):
        monkeypatch.setattr(selecting, "CHUNK", 2)
        person = make_person()
        with context.acting(actor=f"user:{person.public_id}"), transaction.atomic():
            for number in range(5):
                audit.record(action="step.do", object_id=str(number))

        assert [deed["object"] for deed in deeds_of(person)] == ["4", "3", "2", "1", "0"]
