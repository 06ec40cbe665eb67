"""Each guard of the database on programmes, members, awards and files is needed."""

import pytest

from tests.partners.guarded import TABLES, keys, make_guarded_programmes
from tests.partners.guards import GUARDS
from tests.races.guards import missing

pytestmark = pytest.mark.django_db


class TestEachGuard:
    def test_is_what_refuses(self):
        make_guarded_programmes()

        wrong = [guard.name for guard in GUARDS + keys() if not guard.is_what_refuses()]

        assert wrong == []

    def test_has_a_write_that_it_refuses(self):
        assert missing({guard.name for guard in GUARDS + keys()}, TABLES) == {}
