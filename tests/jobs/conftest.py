"""What tests of jobs share: an organization with a price to pay, and somebody who submits."""

import pytest

from tests.jobs.work import set_price
from tests.people import make_key, make_member, make_organization, with_key


@pytest.fixture
def organization(transactional_db):
    """Committed, because a keyed request opens transactions of its own."""
    set_price()
    return make_organization()


@pytest.fixture
def developer(organization):
    """One who may submit jobs."""
    return make_member(organization, "developer")


@pytest.fixture
def key_and_token(organization, developer):
    """His key for jobs, and its secret."""
    return make_key(organization, developer, "jobs:read", "jobs:write")


@pytest.fixture
def client(key_and_token):
    """A program that uses his key."""
    return with_key(key_and_token[1])
