"""Parts of a figure that run beside each other, each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from figures.lines import Report


@contextmanager
def beside(report: Report, module: str, part: str) -> Iterator[None]:
    """
    Run a part of `python -m module` during the block, and print what it prints after that.

    Most parts wait for the database half of the time, so that two of them share two cores well.
    """
    command = [sys.executable, "-m", module, part]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
            printed, _ = process.communicate()
        finally:
            process.kill()
    print(printed, end="", flush=True)
    if process.returncode:
        report.shortcomings.append(part)
