"""What tests of capacity share: a customer, and noon of one day, so that none sees midnight."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.core import clock
from apps.tenants.models import Organization
from tests.people import make_organization

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _it_is_noon(settings) -> Iterator[None]:
    settings.MOVABLE_CLOCK = True
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def acme() -> Organization:
    return make_organization()
