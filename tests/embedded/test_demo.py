"""The demo from its first start to its end, as a newcomer meets it."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from embedded.account import elsewhere
from tests.stack import ROOT, Stack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo")
    yield home
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--reset"],
        cwd=ROOT,
        env={**os.environ, "COFFER_HOME": str(home)},
        check=True,
    )
    assert not home.exists()
    assert not elsewhere(home).exists()


def billing_of(home):
    """Return the ids of what the demo has bought, by table."""
    lines = (home / "env").read_text().splitlines()
    address = dict(line.split("=", 1) for line in lines)["DATABASE_OWNER_URL"]
    with psycopg.connect(address) as database:
        return {
            table: {row[0] for row in database.execute(f"SELECT id FROM billing_{table}")}
            for table in ("payment", "refund", "dispute", "autoreload", "reconciliationcase")
        }


class TestTheDemo:
    """One after the other, on the same data."""

    def test_lives_dies_and_lives_again(self, home):
        stack = Stack(home)
        stack.start()
        assert "owner@acme.test" in stack.said()
        assert stack.api_key() in stack.said()
        bought = billing_of(home)
        assert all(bought.values())

        second = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env={**os.environ, "COFFER_HOME": str(home)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 1
        assert stack.url in second.stderr

        stack.stop(signal.SIGKILL)
        assert stack.wait_until_gone() == []

        stack.start()
        assert "Sample data are there" in stack.said()
        assert "Tables are up to date" in stack.said()
        assert billing_of(home) == bought

        assert stack.stop(signal.SIGINT) == 0
        assert stack.wait_until_gone() == []
