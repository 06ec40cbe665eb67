"""CI runs once more what has failed, and says what was unsteady."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNSTEADY = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_passes_the_second_time(number):
    mark = Path(f"mark{{number}}")
    was_here = mark.exists()
    mark.touch()
    assert was_here
"""
FEW, MANY = UNSTEADY.format(count=3), UNSTEADY.format(count=4)
BROKEN = "def test_never_passes():\n    assert False\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a folder that has nothing to do with the project."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "PYTEST"))}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestTheSecondLook:
    @pytest.mark.parametrize(
        ("tests", "status", "said"),
        [
            (FEW, 0, "UNSTEADY"),
            (BROKEN, 1, "run once more"),
            (UNSTEADY.format(count=1) + BROKEN, 1, "run once more"),
            (MANY, 1, ""),
        ],
    )
    def test_forgives_few_and_names_them(self, tmp_path, tests, status, said):
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        (tmp_path / "test_it.py").write_text(tests)
        first = run(tmp_path, "pytest")
        assert first.returncode == 1, first.stdout + first.stderr

        second = run(tmp_path, "scripts.second_look", "1")

        assert second.returncode == status, second.stdout
        assert said in second.stdout
        assert ("UNSTEADY" in second.stdout) is (status == 0)

    def test_forgives_no_run_that_could_not_be_finished(self, tmp_path):
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        (tmp_path / "test_it.py").write_text("import nothing_of_that_name\n")
        first = run(tmp_path, "pytest")
        assert first.returncode == 2, first.stdout

        assert run(tmp_path, "scripts.second_look", "2").returncode == 2
