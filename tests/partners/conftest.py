"""What tests of programmes share."""

import pytest

from apps.partners.models import Partner
from tests.partners.programme import make_programme


@pytest.fixture
def partner() -> Partner:
    """A programme with 100 credits in its pool."""
    return make_programme(credits=100)
