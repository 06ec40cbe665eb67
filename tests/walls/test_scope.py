"""The scope: what it lets tenant tables show, and what the database is told of it."""

from contextlib import nullcontext
from uuid import UUID

import pytest
from django.db import DataError, connection, transaction

from apps.core import scope
from apps.core.db import one_trip
from apps.core.walls import WEB
from apps.credits.models import Wallet
from apps.rbac.models import Role, UserRole
from tests.people import make_organization
from tests.roles import role

ACME, BOLT = UUID(int=1), UUID(int=2)


def told() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('coffer.organization_id', true),"
            " current_setting('coffer.user_id', true)"
        )
        return cursor.fetchone()


def told_past_django() -> str:
    """Return what the session itself has, for whoever comes to it next."""
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('coffer.organization_id', true)")
        return cursor.fetchone()[0]


def divide() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


@pytest.mark.django_db
class TestAManager:
    @pytest.mark.parametrize(
        "question",
        [
            Wallet.objects.count,
            Wallet.objects.exists,
            lambda: list(Wallet.objects.all()),
            lambda: list(Wallet.objects.iterator()),
            lambda: Wallet.objects.filter(pk=ACME),
            lambda: Wallet.objects.exclude(pk=ACME),
            lambda: Wallet.objects.get(pk=ACME),
            Wallet.objects.first,
            lambda: Wallet.objects.values("pk"),
            lambda: Wallet.objects.order_by("pk"),
            lambda: Wallet.objects.select_related("organization"),
            Wallet.objects.select_for_update,
            lambda: Wallet.objects.in_bulk([ACME]),
            Wallet.objects.aggregate,
            lambda: Wallet.objects.update(balance=1),
            lambda: Wallet.objects.all().delete(),
            Wallet.objects.create,
            lambda: Wallet.objects.bulk_create([]),
            lambda: Wallet.objects.get_or_create(pk=ACME),
            lambda: Wallet.objects.raw("SELECT 1"),
            lambda: Wallet.objects.using("default").count(),
        ],
    )
    def test_raises_without_an_organization(self, question):
        with scope.entered(scope.NOTHING), pytest.raises(scope.NoOrganization):
            question()

    def test_raises_for_a_person_who_is_nowhere_yet(self):
        with scope.entered(scope.Scope(user_id=ACME)), pytest.raises(scope.NoOrganization):
            Wallet.objects.count()

    def test_returns_the_rows_of_its_organization(self):
        ours, theirs = make_organization(), make_organization()

        with scope.within(ours.pk):
            assert {one.organization_id for one in Wallet.objects.all()} == {ours.pk}
        with scope.within(theirs.pk):
            assert not Wallet.objects.filter(organization=ours).exists()

    def test_returns_what_belongs_to_nobody_as_well(self):
        ours, theirs = make_organization(), make_organization()
        Role.objects.create(name="Own", organization=ours)
        Role.objects.create(name="Foreign", organization=theirs)

        with scope.within(ours.pk):
            names = set(Role.objects.values_list("name", flat=True))

        assert {"Own", "owner"} <= names
        assert "Foreign" not in names

    def test_returns_every_row_to_those_who_say_why(self):
        make_organization(), make_organization()

        with scope.entered(scope.NOTHING):
            assert UserRole.objects.across_organizations("a test").count() == 2
            with pytest.raises(AssertionError):
                UserRole.objects.across_organizations("")
        with scope.every_organization("a test"):
            assert UserRole.objects.count() == 2

    def test_is_there_when_a_form_is_shown_that_was_made_before(self):
        organization = make_organization()
        with scope.entered(scope.NOTHING):
            held = Wallet.objects.all()
            assert not Wallet.objects.none().exists()

        with scope.within(organization.pk):
            assert held.all().count() == 1


class TestAScope:
    def test_ends_with_its_block_whatever_is_set_inside(self):
        with scope.entered(scope.NOTHING):
            with scope.within(ACME):
                scope.set_organization(BOLT)
                scope.set_user(ACME)
                assert scope.current() == scope.Scope(organization_id=BOLT, user_id=ACME)
            assert scope.current() == scope.NOTHING

    def test_keeps_who_signed_in_from_one_organization_to_the_next(self):
        with scope.entered(scope.Scope(user_id=ACME)), scope.within(BOLT):
            assert scope.current().user_id == ACME

    def test_lasts_while_an_answer_is_sent(self):
        with scope.entered(scope.NOTHING), scope.within(ACME):
            parts = scope.kept(scope.current().organization_id for _ in range(2))
        with scope.within(BOLT):
            assert next(parts) == ACME
            assert scope.current().organization_id == BOLT
            assert list(parts) == [ACME]


@pytest.mark.django_db(transaction=True)
class TestTheDatabase:
    def test_is_told_with_a_statement_of_its_own(self):
        with scope.entered(scope.Scope(organization_id=ACME, user_id=BOLT)):
            assert told() == (str(ACME), str(BOLT))

        assert told_past_django() == ""

    def test_is_told_for_one_transaction(self):
        with scope.within(ACME), transaction.atomic():
            assert told()[0] == str(ACME)
            assert told_past_django() == str(ACME)

        assert told_past_django() == ""

    def test_is_told_again_when_the_scope_changes(self):
        with scope.within(ACME), transaction.atomic():
            assert told()[0] == str(ACME)
            with scope.within(BOLT):
                assert told()[0] == str(BOLT)
            assert told()[0] == str(ACME)
            with scope.every_organization("a test"):
                assert told()[0] == ""

    def test_is_told_again_when_a_part_is_undone(self):
        with scope.within(ACME), transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic(), scope.within(BOLT):
                assert told()[0] == str(BOLT)
                raise ZeroDivisionError
            with scope.within(BOLT):
                assert told()[0] == str(BOLT)  # though it was told so before, in what is undone
            assert told()[0] == str(ACME)

    def test_is_told_again_when_the_part_in_which_it_was_told_is_undone(self):
        with scope.entered(scope.NOTHING), transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                scope.set_organization(ACME)
                assert told()[0] == str(ACME)
                raise ZeroDivisionError
            assert told()[0] == str(ACME)

    def test_is_told_after_a_statement_that_failed(self):
        with scope.within(ACME), transaction.atomic():
            with pytest.raises(DataError), transaction.atomic(), scope.within(BOLT):
                divide()
            assert told()[0] == str(ACME)

    @pytest.mark.parametrize("is_within_transaction", [True, False])
    def test_is_told_before_rows_that_are_fetched_bit_by_bit(self, is_within_transaction):
        ours, _ = make_organization(), make_organization()
        held = transaction.atomic() if is_within_transaction else nullcontext()
        with scope.within(ours.pk), role(WEB), held:
            found = list(Wallet.objects.across_organizations("the second wall").iterator())

        assert [one.organization_id for one in found] == [ours.pk]

    def test_is_told_before_many_at_once(self):
        with scope.within(ACME), connection.cursor() as cursor:
            cursor.executemany("SELECT %s", [(1,), (2,)])

        assert told_past_django() == ""

    def test_is_told_on_the_trip_of_the_ledger(self):
        with scope.within(ACME), transaction.atomic():
            with one_trip() as ask:
                answer = ask("SELECT current_setting('coffer.organization_id', true)", [])
            assert answer.fetchone() == (str(ACME),)

    def test_counts_as_one_query(self, django_assert_num_queries):
        with scope.within(ACME), django_assert_num_queries(1):
            told()

    def test_is_told_nothing_where_there_is_no_scope(self):
        sent = []

        def note(execute, statement, parameters, many, context):
            sent.append(statement)
            return execute(statement, parameters, many, context)

        connection.ensure_connection()
        connection.execute_wrappers.append(note)
        try:
            told()
            with scope.within(ACME):
                told()
        finally:
            connection.execute_wrappers.remove(note)

        assert [statement.count("set_config") for statement in sent] == [0, 2]
