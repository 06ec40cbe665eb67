"""Each lock is needed: without it, a race that it orders goes wrong."""

from collections import Counter

import pytest

from apps.core.invariants import verify
from tests.races.locks import LOCKS, how_often_taken


class TestEachLock:
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("name", LOCKS)
    def test_orders_what_would_go_wrong(self, name):
        assert LOCKS[name].is_what_orders()
        assert [finding for finding in verify() if finding.failures] == []

    def test_has_a_race_that_needs_it(self):
        assert how_often_taken() == Counter(lock.file for lock in LOCKS.values())
