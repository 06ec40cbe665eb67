"""The form of API keys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rbac.services import tokens


class TestNewToken:
    @pytest.mark.parametrize(("is_live", "mode"), [(True, "live"), (False, "test")])
    def test_says_whether_it_is_live(self, is_live, mode):
        token = tokens.new_token(is_live=is_live)

        assert re.fullmatch(rf"cof_{mode}_[0-9A-Za-z]{{46}}", token)
        assert tokens.is_well_formed(token)

    def test_is_never_the_same(self):
        assert len({tokens.new_token(is_live=False) for _ in range(1000)}) == 1000


class TestIsWellFormed:
    @given(position=st.integers(9, 54), letter=st.sampled_from(tokens.ALPHABET))
    def test_refuses_a_key_with_one_wrong_letter(self, position, letter):
        token = "cof_test_" + "A1b2C3d4" * 5
        token += tokens.checksum(token)

        mistyped = token[:position] + letter + token[position + 1 :]

        assert tokens.is_well_formed(mistyped) == (mistyped == token)

    @pytest.mark.parametrize("text", ["", "cof_test_", "sk_live_abc", "cof_test_" + "é" * 46])
    def test_refuses_what_is_no_key(self, text):
        assert not tokens.is_well_formed(text)

    def test_refuses_a_test_key_that_was_made_to_look_live(self):
        token = tokens.new_token(is_live=False)

        assert not tokens.is_well_formed(token.replace("test", "live"))


class TestHintOf:
    def test_shows_none_of_the_secret_letters(self):
        token = tokens.new_token(is_live=False)

        hint = tokens.hint_of(token)

        assert hint == f"{token[:17]}…{token[-4:]}"
        assert len(hint) <= 32
