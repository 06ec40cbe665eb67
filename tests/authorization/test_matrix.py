"""A pass over the matrix: each route, whoever may ask, each object that can be named."""

import pytest

from tests.authorization.rows import Row
from tests.authorization.running import matrix
from tests.authorization.table import FILES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SHOWN = 40  # of each kind; more say the same
PARTS = 4  # each makes a world of its own, which takes as long as hundreds of cells


def parts() -> list[list[Row]]:
    """Deal the files of the table out to parts of about equal length."""
    dealt: list[list[Row]] = [[] for _ in range(PARTS)]
    for rows in sorted(FILES.values(), key=len, reverse=True):
        min(dealt, key=len).extend(rows)
    return dealt


@pytest.mark.django_db
@pytest.mark.parametrize("rows", parts(), ids=range(1, PARTS + 1))
def test_everybody_gets_what_the_table_says_and_nothing_of_others(rows):
    with matrix() as it:
        findings = it.run(rows, quickly=True)

    for kind in ("wrong", "leaks", "unequal", "inline"):
        found = getattr(findings, kind)
        assert not found, f"{len(found)} {kind}:\n" + "\n".join(found[:SHOWN])
    assert findings.cells > len(rows)
