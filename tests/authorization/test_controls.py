"""The matrix turns red when what it guards is taken away."""

import pytest

from tests.authorization.controls import (
    api_asks_for_nothing,
    ids_tell_more,
    jobs_of_everybody,
    jobs_of_everybody_without_walls,
    pages_ask_for_nothing,
)
from tests.authorization.running import Findings, matrix

pytestmark = pytest.mark.django_db


def findings_with(control) -> Findings:
    with matrix() as it, control() as rows:
        return it.run(rows, quickly=True)


class TestTheMatrix:
    @pytest.mark.parametrize("control", [api_asks_for_nothing, pages_ask_for_nothing])
    def test_sees_that_a_permission_is_not_asked(self, control):
        found = findings_with(control)

        assert any("as member here" in one and "expected 403" in one for one in found.wrong)
        assert found.leaks == []

    def test_sees_rows_of_another_organization(self):
        found = findings_with(jobs_of_everybody_without_walls)

        assert any("as owner here" in one and "of there" in one for one in found.leaks)
        assert any("GenerationArea" in one for one in found.leaks)

    def test_sees_none_where_the_wall_of_the_database_is_left(self):
        assert findings_with(jobs_of_everybody).leaks == []

    def test_sees_that_another_id_answers_otherwise_than_none(self):
        found = findings_with(ids_tell_more)

        assert any("foreign here ≠ missing here" in one for one in found.unequal)
