"""A pass over the matrix: each route, whoever may ask, each object that can be named."""

import pytest

from tests.authorization.running import matrix
from tests.authorization.table import FILES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SHOWN = 40  # of each kind; more say the same


@pytest.mark.django_db
@pytest.mark.parametrize("file", FILES)
def test_everybody_gets_what_the_table_says_and_nothing_of_others(file):
    with matrix() as it:
        findings = it.run(FILES[file], quickly=True)

    for kind in ("wrong", "leaks", "unequal", "inline"):
        found = getattr(findings, kind)
        assert not found, f"{len(found)} {kind}:\n" + "\n".join(found[:SHOWN])
    assert findings.cells > len(FILES[file])
