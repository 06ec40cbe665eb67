"""How much is logged, and by whom."""

import pytest

from config.logs import structured_logging


@pytest.mark.parametrize(
    ("level", "of_stripe"), [("DEBUG", "INFO"), ("INFO", "INFO"), ("ERROR", "ERROR")]
)
def test_stripes_client_tells_no_more_than_the_rest_and_never_its_answers(level, of_stripe):
    assert structured_logging(level=level, human=False)["loggers"]["stripe"]["level"] == of_stripe
