"""The chain of audit rows: what the database refuses, and what a walk finds."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core import context
from apps.core.invariants import all_invariants, verify
from apps.tenants.models import AuditChain, AuditLog, AuditSeal, Organization
from apps.tenants.selectors.chains import NO_HASH, walk_audit_chains
from apps.tenants.services import audit
from tests.credits.forging import silenced

pytestmark = pytest.mark.django_db

TABLES = ("tenants_auditlog", "tenants_auditseal", "tenants_auditchain")


@pytest.fixture
def organization():
    # Closed, because an open one has an owner, whose role is a row of its chain already.
    return Organization.objects.create(
        name="Acme", slug="acme", closed_at=timezone.now(), is_active=False
    )


@pytest.fixture
def chain(organization):
    """Five sealed rows of the organization, and one of none."""
    with context.acting(
        actor="user:usr_1|", acting_as="user:usr_2", ip_address="2001:db8::7", user_agent="Grüße|3:"
    ):
        for number in range(5):
            write(organization, number)
        write(None, 0)
    seal()
    return organization


def write(organization, number: int) -> AuditLog:
    with transaction.atomic():
        return audit.record(
            action="thing.do",
            organization=organization,
            object_id=f"thing_{number}",
            before={"größe": 1.50, "b": None, "aa": [1, "x|y"]},
            after={} if number % 2 else None,
        )


def seal() -> None:
    """Seal what was written, as the end of its transaction does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def run(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def forge(sql: str, *values: object) -> None:
    with silenced(*TABLES):
        run(sql, *values)


def fault_of(organization):
    """Return the fault of the only broken chain, which must be this organization's."""
    broken = [one for one in walk_audit_chains() if one.fault]
    assert [one.name for one in broken] == [f"audit:{organization.public_id}"]
    return broken[0].fault


def failures() -> set[str]:
    mine = [one for one in all_invariants() if one.code.startswith("A0")]
    assert len(mine) == 3
    return {found.invariant.code for found in verify(mine) if found.failures}


def nth(number: int) -> AuditSeal:
    return AuditSeal.objects.select_related("entry").get(
        sequence=number, chain__id=Organization.objects.get(slug="acme").pk
    )


class TestAnHonestChain:
    def test_is_one_for_each_organization_and_one_for_none(self, chain):
        walked = {one.name: (one.rows, one.fault) for one in walk_audit_chains()}

        assert walked == {f"audit:{chain.public_id}": (5, None), "audit:none": (1, None)}
        assert failures() == set()

    def test_numbers_rows_in_the_order_of_their_writing(self, chain):
        entries = AuditSeal.objects.filter(chain_id=chain.pk).order_by("sequence")

        assert [one.entry.object_id for one in entries] == [f"thing_{n}" for n in range(5)]
        head = AuditChain.objects.get(pk=chain.pk)
        assert (head.sequence, bytes(head.head_hash)) == (5, bytes(nth(5).entry_hash))

    def test_does_not_mind_rows_that_are_just_being_written(self, chain):
        write(chain, 9)

        assert not [one for one in walk_audit_chains() if one.fault]
        assert failures() == set()

    def test_leaves_nothing_of_a_deed_that_was_rolled_back(self, chain):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            write(chain, 9)
            raise ZeroDivisionError
        write(chain, 10)
        seal()

        assert AuditSeal.objects.filter(chain_id=chain.pk).count() == 6
        assert not [one for one in walk_audit_chains() if one.fault]

    def test_is_walked_by_the_command(self, chain):
        output = StringIO()

        call_command("verify", "--chain", stdout=output)
        call_command("verify", "--chain", "--organization=acme", stdout=output)

        first, second = [line for line in output.getvalue().splitlines() if "audit" in line]
        assert first.startswith("audit chains examined=2 rows=6 failures=0")
        assert second.startswith("audit chains examined=1 rows=5 failures=0")


class TestTheDatabase:
    @pytest.mark.parametrize("table", TABLES[1:])
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_refuses_to_remove(self, chain, table, statement):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            run(statement.format(table))

    def test_refuses_to_change_a_seal(self, chain):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            run("UPDATE tenants_auditseal SET sequence = sequence + 10")

    @pytest.mark.parametrize(
        "change", ["sequence = sequence - 1", "sequence = 9", "head_hash = sha256('x')"]
    )
    def test_refuses_a_head_that_is_not_its_last_seal(self, chain, change):
        with pytest.raises(IntegrityError, match="does not stand"), transaction.atomic():
            run(f"UPDATE tenants_auditchain SET {change} WHERE id = %s", chain.pk)
            seal()

    @pytest.mark.parametrize(
        ("number", "digest"),
        [
            (6, b"x" * 32),  # in its place, with another hash
            (7, None),  # one place left out, with the hash that it would have
            (1, None),
        ],
    )
    def test_refuses_a_seal_that_does_not_go_on(self, chain, number, digest):
        with silenced("tenants_auditlog"):
            entry = write(chain, 9)

        with pytest.raises(IntegrityError), transaction.atomic():
            run(
                "INSERT INTO tenants_auditseal (entry_id, chain_id, sequence, entry_hash)"
                " SELECT entry.id, %s, %s, coalesce(%s, tenants_audit_hash(chain.head_hash, %s,"
                " entry)) FROM tenants_auditlog entry, tenants_auditchain chain"
                " WHERE entry.id = %s AND chain.id = %s",
                chain.pk,
                number,
                digest,
                number,
                entry.pk,
                chain.pk,
            )


class TestAForgedRow:
    """Each forgery alone, with the triggers silenced; the first bad row is named."""

    @pytest.mark.parametrize(
        "change",
        [
            "actor = 'user:usr_9'",
            "acting_as = ''",
            "action = 'thing.undo'",
            "object_id = 'thing_9'",
            "before = NULL",
            "before = '{}'",
            "after = 'null'",
            "result = 'denied'",
            "reason = 'x'",
            "request_id = 'req_9'",
            "ip_address = '192.0.2.1'",
            "ip_address = NULL",
            "user_agent = ''",
            "created_at = created_at + interval '1 microsecond'",
            # what moves a word from one column to the next
            "actor = actor || '|10:user:usr_2', acting_as = ''",
        ],
    )
    def test_with_another_column_is_found(self, chain, change):
        bad = nth(3)
        forge(f"UPDATE tenants_auditlog SET {change} WHERE id = %s", bad.entry_id)

        fault = fault_of(chain)

        assert (fault.sequence, fault.row) == (3, bad.entry.public_id)
        assert fault.problem.startswith("hash:")
        assert failures() == {"A02"}

    def test_of_another_organization_is_found(self, chain):
        other = Organization.objects.create(
            name="Other", slug="other", closed_at=timezone.now(), is_active=False
        )
        forge(
            "UPDATE tenants_auditlog SET organization_id = %s WHERE id = %s",
            other.pk,
            nth(2).entry_id,
        )

        assert [one.fault.sequence for one in walk_audit_chains() if one.fault] == [2]

    def test_that_was_cut_out_is_found(self, chain):
        bad = nth(3)
        forge("DELETE FROM tenants_auditseal WHERE entry_id = %s", bad.entry_id)
        forge("DELETE FROM tenants_auditlog WHERE id = %s", bad.entry_id)

        fault = fault_of(chain)

        assert (fault.sequence, fault.problem.split(":")[0]) == (4, "number")
        assert "A02" in failures()

    def test_that_was_cut_off_the_end_is_found(self, chain):
        bad = nth(5)
        forge("DELETE FROM tenants_auditseal WHERE entry_id = %s", bad.entry_id)
        forge("DELETE FROM tenants_auditlog WHERE id = %s", bad.entry_id)

        fault = fault_of(chain)

        assert (fault.sequence, fault.problem.split(":")[0]) == (4, "head")
        assert failures() == {"A03"}

    def test_with_its_seal_made_anew_is_found_in_the_next(self, chain):
        bad = nth(3)
        forge("UPDATE tenants_auditlog SET actor = 'user:usr_9' WHERE id = %s", bad.entry_id)
        forge(
            "UPDATE tenants_auditseal seal SET entry_hash = tenants_audit_hash(%s, 3, entry)"
            " FROM tenants_auditlog entry WHERE entry.id = seal.entry_id AND entry.id = %s",
            bytes(nth(2).entry_hash),
            bad.entry_id,
        )

        assert fault_of(chain).sequence == 4

    def test_makes_the_command_fail_and_name_it(self, chain):
        bad = nth(3)
        forge("UPDATE tenants_auditlog SET actor = 'user:usr_9' WHERE id = %s", bad.entry_id)
        output = StringIO()

        with pytest.raises(CommandError, match="chains are broken"):
            call_command("verify", "--chain", stdout=output)

        line = output.getvalue().splitlines()[0]
        assert f"audit:{chain.public_id} sequence=3 row={bad.entry.public_id} hash:" in line

    def test_starts_from_nothing(self, chain):
        assert bytes(NO_HASH) == bytes(32)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tenants_audit_hash(%s, 1, entry) FROM tenants_auditlog entry WHERE id = %s",
                [NO_HASH, nth(1).entry_id],
            )
            assert bytes(cursor.fetchone()[0]) == bytes(nth(1).entry_hash)
