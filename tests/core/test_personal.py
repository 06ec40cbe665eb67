"""Tokens that stand for what is personal."""

import pytest

from apps.core.personal import TOKEN, Concealed, conceal, reveal


class TestConcealing:
    @pytest.mark.parametrize(
        "facts",
        [
            {"name": "Bob"},
            {"name": {"was": "Bob"}},
            {"name": {"was": ["Bob"], "deep": {"er": "Bob"}}},
            {"role": {"name": "Bob"}},
            {"name": [{"was": "Bob"}]},
        ],
    )
    def test_reaches_all_below_a_personal_name(self, facts):
        kept: list[Concealed] = []

        hidden = conceal(facts, kept)

        assert "Bob" not in str(hidden)
        assert TOKEN.search(str(hidden))
        assert reveal(hidden, {one.token: one.value for one in kept}) == facts

    def test_leaves_the_rest(self):
        kept: list[Concealed] = []
        facts = {"role": {"slug_of": "owner"}, "size": 3, "name": {"count": 3, "gone": ""}}

        assert conceal(facts, kept) == facts
        assert kept == []
