"""Django's deployment checks find nothing in the settings of production."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def check(*changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.check_deployment", *changes],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestTheDeployment:
    def test_is_clean(self):
        done = check()

        assert done.returncode == 0, done.stderr
        assert "no issues" in done.stdout

    @pytest.mark.parametrize(
        ("change", "warning"),
        [
            ("BASE_URL=http://coffer.example", "security.W004"),
            ("DEBUG=1", "security.W018"),
            ("STORAGE=s3", "S3_BUCKET: Environment variable not set"),
            ("STORAGE=ftp", "STORAGE: Must be one of: filesystem, s3"),
            ("MOVABLE_CLOCK=1", "MOVABLE_CLOCK lets time be moved, and STRIPE_LIVE_MODE takes"),
            ("STRIPE_LIVE_MODE=0", "STRIPE_SECRET_KEY and STRIPE_LIVE_MODE do not match"),
            ("SECRET_KEY=short", "SECRET_KEY: Shorter than minimum length 32"),
        ],
    )
    def test_is_not_where_a_setting_is_wrong(self, change, warning):
        done = check(change)

        assert done.returncode != 0
        assert warning in done.stderr
