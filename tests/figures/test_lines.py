"""Which parts of a figure are measured, and what the run ends with."""

import logging

import pytest

from figures.lines import Report, measure


@pytest.fixture(autouse=True)
def _log_again():
    yield
    logging.disable(logging.NOTSET)


def good(report: Report) -> None:
    with report.figure("good", asked=1) as figure:
        figure.examined = 1


def bad(report: Report) -> None:
    with report.figure("bad", asked=1) as figure:
        figure.examined, figure.failures = 1, 1


PARTS = {"good": good, "bad": bad}


def test_the_parts_that_are_named_are_measured(capsys):
    measure(PARTS, ["good"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["good"]


def test_a_part_that_falls_short_ends_in_an_error():
    with pytest.raises(SystemExit, match="These fall short: bad"):
        measure(PARTS, [])


def test_a_part_that_there_is_not_is_no_good_run():
    with pytest.raises(SystemExit, match="There is no godo; there is good, bad"):
        measure(PARTS, ["good", "godo"])
