"""The rivals' packages, in a virtual environment that is none of ours."""

import subprocess
import sys
import venv
from pathlib import Path

import django
import psycopg

from bench.server import HOME

FOLDER = HOME / "rivals"
WANTED = (
    "bursar[postgres]==2.0.4",
    "hf-nostro[postgres]==0.2.0",
    "dj-wallet==0.1.0",
    # The same versions that we have, so that no newer one decides.
    f"django=={django.__version__}",
    f"psycopg[binary,pool]=={psycopg.__version__}",
)


def rivals_python() -> Path:
    """
    Return the Python that has the rivals, installed now if they are missing.

    :raises RuntimeError: if a package cannot be had; pip's last words say why.
    """
    python, done = FOLDER / "bin" / "python", FOLDER / "installed.txt"
    if done.exists() and done.read_text() == "\n".join(WANTED):
        return python
    venv.create(FOLDER, with_pip=True, clear=True)
    installed = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *WANTED],
        check=False,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
    )
    if installed.returncode:
        raise RuntimeError(installed.stderr.strip() or "pip failed")
    done.write_text("\n".join(WANTED))
    return python
