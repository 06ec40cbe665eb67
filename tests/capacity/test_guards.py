"""Each guard of the database on projects, allocations, waiting lists and readings is needed."""

import pytest

from tests.capacity.guarded import TABLES, keys, make_guarded_plant
from tests.capacity.guards import GUARDS
from tests.races.guards import missing

pytestmark = pytest.mark.django_db


class TestEachGuard:
    def test_is_what_refuses(self):
        make_guarded_plant()

        wrong = [guard.name for guard in GUARDS + keys() if not guard.is_what_refuses()]

        assert wrong == []

    def test_has_a_write_that_it_refuses(self):
        assert missing({guard.name for guard in GUARDS + keys()}, TABLES) == {}
