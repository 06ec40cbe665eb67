#!/usr/bin/env bash
# Make the virtual environment of Coffer: Python 3.12 or later and the pinned packages.
# With uv if it is there, otherwise with nothing but Python.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}

if [ ! -x "$venv/bin/python" ]; then
    if python=$(scripts/find_python.sh); then
        echo "Making $venv with $("$python" --version)"
        "$python" -m venv "$venv"
    elif command -v uv >/dev/null; then
        echo "Making $venv with a Python that uv finds"
        uv venv --quiet --seed --python '>=3.12' "$venv"
    else
        echo "Coffer needs Python 3.12 or later, and found $(python3 --version 2>&1 || echo none)." >&2
        echo "Install one (apt install python3.13, brew install python@3.13, pyenv install 3.13)," >&2
        echo "or say where it is: PYTHON_COMMAND=/path/to/python3.13 make demo" >&2
        exit 1
    fi
fi

echo "Installing the pinned packages"
if command -v uv >/dev/null; then
    uv pip sync --quiet --require-hashes --python "$venv/bin/python" requirements.lock
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement requirements.lock
fi
touch "$venv/.ready"
