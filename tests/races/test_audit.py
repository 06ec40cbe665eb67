"""Many who write down deeds of one organization at the same moment: real connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core import context
from apps.core.invariants import all_invariants, verify
from apps.tenants.models import AuditChain, AuditLog, AuditSeal, Organization
from apps.tenants.selectors.chains import walk_audit_chains
from apps.tenants.services import audit, denials
from tests.credits.forging import silenced
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8
ROUNDS = 5


@pytest.fixture
def organizations():
    # Closed, because an open one has an owner, whose role is a row of its chain already.
    return [
        Organization.objects.create(
            name=f"Org {n}", slug=f"org-{n}", closed_at=timezone.now(), is_active=False
        )
        for n in range(3)
    ]


def write(*organizations) -> None:
    with transaction.atomic():
        for one in organizations:
            audit.record(action="thing.do", organization=one)


def check(rows: int) -> None:
    walked = list(walk_audit_chains())
    assert [one for one in walked if one.fault] == []
    assert sum(one.rows for one in walked) == AuditLog.objects.count() == rows
    assert broken_invariants() == set()


def broken_invariants() -> set[str]:
    mine = [one for one in all_invariants() if one.code.startswith("A0")]
    return {found.invariant.code for found in verify(mine) if found.failures}


class TestOneChain:
    def test_is_not_forked_by_many_at_once(self, organizations):
        """The chain does not exist yet, so its making is raced for as well."""
        for _ in range(ROUNDS):
            at_once([lambda: write(organizations[0])] * RACERS)

        places = AuditSeal.objects.order_by("sequence").values_list("sequence", flat=True)
        assert list(places) == list(range(1, RACERS * ROUNDS + 1))
        check(RACERS * ROUNDS)

    def test_would_be_without_its_lock(self, organizations):
        """The control: the same race, with a lock that locks nothing."""
        write(organizations[0])
        with without_lock(), pytest.raises(Exception, match=r"deadlock|one_seal_a_place|continue"):
            for _ in range(ROUNDS * 10):
                at_once([lambda: write(organizations[0])] * RACERS)


class TestSeveralChains:
    def test_are_never_waited_for_in_a_circle(self, organizations):
        one, two, three = organizations
        orders = [
            (one, two, None),
            (None, two, one),
            (two, three, one),
            (three, one, two),
            (None, three),
            (three, None),
            (two, one),
            (one, two),
        ]
        for _ in range(ROUNDS):
            at_once([lambda order=order: write(*order) for order in orders])

        check(ROUNDS * sum(map(len, orders)))

    def test_stand_behind_whatever_else_a_deed_locks(self, organizations):
        """One locks the organization and writes, the other writes and locks it then."""
        one = organizations[0]

        def locks_first() -> None:
            with transaction.atomic():
                Organization.objects.select_for_update().get(pk=one.pk)
                audit.record(action="thing.do")
                audit.record(action="thing.do", organization=one)

        def writes_first() -> None:
            with transaction.atomic():
                audit.record(action="thing.do")
                audit.record(action="thing.do", organization=one)
                Organization.objects.select_for_update(no_key=True).get(pk=one.pk)

        for _ in range(ROUNDS):
            at_once([locks_first, writes_first] * (RACERS // 2))

        check(ROUNDS * RACERS * 2)


class TestADeed:
    def test_leaves_no_chain_when_it_is_rolled_back(self, organizations):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.record(action="thing.do", organization=organizations[0])
            raise ZeroDivisionError

        assert not AuditChain.objects.exists()

    def test_that_was_written_past_the_triggers_is_found(self, organizations):
        write(organizations[0])
        with transaction.atomic(), silenced("tenants_auditlog"):
            forged = audit.record(action="thing.do", organization=organizations[0])

        faults = [one.fault for one in walk_audit_chains() if one.fault]

        assert [(fault.row, fault.problem.split(":")[0]) for fault in faults] == [
            (forged.public_id, "seal")
        ]
        assert broken_invariants() == {"A01"}


@contextmanager
def without_lock() -> Iterator[None]:
    """Let the function that locks chains lock none, for the length of a block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('tenants_lock_audit_chains'::regproc)")
        text = cursor.fetchone()[0]
        assert "FOR NO KEY UPDATE" in text
        cursor.execute(text.replace("FOR NO KEY UPDATE", ""))
        try:
            yield
        finally:
            cursor.execute(text)


class TestDenials:
    def test_stay_within_the_most_when_they_come_at_once(self, organizations, monkeypatch):
        monkeypatch.setattr(denials, "MOST_OF_ACTOR", 3)

        def try_it(number: int) -> None:
            with context.acting(actor="user:usr_1"):
                denials.record_denial(
                    action="keys.view", organization=organizations[0], object_id=f"key_{number}"
                )

        at_once([partial(try_it, number) for number in range(RACERS)])

        assert AuditLog.objects.filter(result="denied").count() == 3
        check(3)
