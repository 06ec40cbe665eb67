"""Ids as people see them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import ids


class TestIds:
    @given(st.uuids())
    def test_come_back_as_they_were(self, value):
        assert ids.decode("job", ids.encode("job", value)) == value

    @given(st.uuids(), st.uuids())
    def test_sort_as_their_uuids_do(self, one, other):
        assert (ids.encode("x", one) < ids.encode("x", other)) == (one < other)

    def test_are_made_in_order(self):
        made = [ids.new_id() for _ in range(1000)]

        assert made == sorted(made)
        assert all(one.version == 7 for one in made)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "job_",
            "org_01K4J8GQ7T0000000000000000",
            "job_01K4J8GQ7T000000000000000",
            "job_01K4J8GQ7T000000000000000I",
            "job_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "job_01K4J8GQ7T00000000000000 0",
        ],
    )
    def test_are_refused_when_they_are_none(self, text):
        with pytest.raises(ValueError):
            ids.decode("job", text)

    def test_fit_the_smallest_and_the_largest(self):
        for value in (UUID(int=0), UUID(int=2**128 - 1)):
            assert ids.decode("a", ids.encode("a", value)) == value
