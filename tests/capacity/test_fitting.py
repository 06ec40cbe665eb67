"""Which sizes add up to what, beside every combination tried one by one."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.capacity.errors import FitTooFine
from apps.capacity.selectors.fitting import closest_sum

SIZES = st.dictionaries(st.integers(1, 25).map(lambda n: n * 100), st.integers(1, 3), max_size=4)


def total(fit) -> int:
    return sum(size * blocks for size, blocks in fit.items())


def every_sum(sizes) -> set[int]:
    counts = product(*(range(most + 1) for most in sizes.values()))
    return {sum(size * n for size, n in zip(sizes, chosen, strict=True)) for chosen in counts}


class TestClosestSum:
    @settings(deadline=None, max_examples=150)
    @given(SIZES, st.integers(1, 5000), st.integers(0, 2000), st.integers(0, 2000))
    def test_is_the_closest_of_all_and_the_larger_of_two(self, sizes, wanted, below, above):
        lowest, highest = wanted - below, wanted + above
        fits = [one for one in every_sum(sizes) if max(lowest, 1) <= one <= highest]

        fit = closest_sum(sizes, wanted=wanted, lowest=lowest, highest=highest)

        if not fits:
            assert fit is None
        else:
            assert total(fit) == min(fits, key=lambda one: (abs(one - wanted), -one))
            assert all(blocks <= sizes[size] for size, blocks in fit.items())

    @pytest.mark.parametrize(
        "sizes",
        [{1: 1_999_999, 3: 10}, {1000 + 10 * n: 1 for n in range(101)}],
        ids=["sums", "sizes"],
    )
    def test_refuses_what_would_take_too_long(self, sizes):
        with pytest.raises(FitTooFine):
            closest_sum(sizes, wanted=2_000_000, lowest=1, highest=2_000_000)

    def test_looks_no_further_than_there_are_blocks(self):
        terms = {"wanted": 2_000_000, "highest": 2_000_000}
        assert closest_sum({1: 10, 3: 10}, lowest=2_000_000, **terms) is None
        assert closest_sum({1: 10, 3: 10}, lowest=1, **terms) == {1: 10, 3: 10}
