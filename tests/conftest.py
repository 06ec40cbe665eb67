"""What every test has: a database of its own kind, quick passwords, and true invariants."""

from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase

from tests.caching import forget_cached
from tests.database import empty_tables, migrated_database
from tests.roles import web_role_for_requests


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow, so that no worker is kept by it after the others; browsers last."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("browser"):
        return 2  # Playwright leaves an event loop running, in which Django asks no database
    return 0 if item.get_closest_marker("slow") else 1


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> Iterator[None]:
    """Clone the migrated template for this run."""
    with django_db_blocker.unblock(), migrated_database():
        yield


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _forgetful_cache() -> Iterator[None]:
    """Let no test find what another one left in the cache: limits, above all."""
    yield
    forget_cached()


@pytest.fixture(autouse=True, scope="session")
def _append_only_tables_can_be_emptied() -> Iterator[None]:
    """Empty tables in our way after tests that commit: the ledger refuses TRUNCATE."""
    before = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()
    yield
    TransactionTestCase._fixture_teardown = before


@pytest.fixture(autouse=True, scope="session")
def _requests_run_in_the_role_of_the_web() -> Iterator[None]:
    """Serve every request of the tests' clients behind the database's own wall."""
    with web_role_for_requests():
        yield
