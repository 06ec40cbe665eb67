"""What a command costs does not depend on how much has happened in its wallet."""

from functools import partial

import pytest
from django.db import connection

from tests.races.history import COMMANDS, charge_once, make_history, rows_read_by

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wallets():
    return make_history(16), make_history(800)


class TestALongHistory:
    def test_is_not_read_again(self, wallets):
        for name, command in COMMANDS.items():
            short, long = (rows_read_by(partial(command, one)) for one in wallets)

            assert 0 < short < 20, name
            assert long < 20, name

    def test_is_not_read_again_in_a_young_table(self):
        """
        The triggers' plans were made when it was empty, and nothing tells the planner better yet.

        The ledger's own statements are planned anew here, as they are behind a pooler.
        """
        connection.close()
        connection.ensure_connection()
        connection.connection.prepare_threshold = None
        young = make_history(800, is_analyzed=False)

        for name, command in COMMANDS.items():
            assert 0 < rows_read_by(partial(command, young)) < 20, name

    def test_would_be_read_without_its_index(self, wallets):
        """The control: the count sees the look-ups of the triggers."""
        work = partial(charge_once, wallets[1])

        assert rows_read_by(work, without_index="credits_entries_of_lot") > 250
