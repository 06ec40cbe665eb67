#!/usr/bin/env bash
# Print a Python of 3.12 or later; shims of version managers may exist and not run.
for name in ${PYTHON_COMMAND:-} python3.13 python3.12 python3.14 python3 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
done
exit 1
