"""
Run the tests that have just failed once more, each in peace, and name them.

Called by CI alone, after pytest has ended with the status in the first argument. What passes
now depended on order or on the machine: it is printed as unsteady, to be mended, and does not
keep back what others made. docs/adr/0015.
"""

import json
import subprocess
import sys
from pathlib import Path

FAILED = Path(".pytest_cache/v/cache/lastfailed")  # where pytest notes them
MOST = 3  # more than these are no accident
TESTS_FAILED = 1  # pytest's exit status; others say that it could not run them


def main(status: int) -> int:
    """Return the exit status that CI ends with."""
    names = sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if status != TESTS_FAILED or not 1 <= len(names) <= MOST:
        return status
    say("Failed, and run once more:", names)
    again = subprocess.run([sys.executable, "-m", "pytest", *names], check=False).returncode
    if again == 0:
        say("UNSTEADY: failed once, passed alone. Mend them:", names)
    return again


def say(what: str, names: list[str]) -> None:
    """Print one line for each test."""
    sys.stdout.write("\n".join([what, *(f"    {name}" for name in names)]) + "\n")
    sys.stdout.flush()  # before what pytest says itself


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
