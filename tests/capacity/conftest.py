"""What tests of capacity share: it is noon of one day, so that none of them sees midnight."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.core import clock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _it_is_noon(settings) -> Iterator[None]:
    settings.MOVABLE_CLOCK = True
    with clock.moved_to(NOON):
        yield
