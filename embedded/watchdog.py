"""
A process that outlives the supervisor by a moment, and takes its children with it.

It reads process groups from its input, one a line. When the input ends without the word
`done`, the supervisor was killed: every group is asked to end, and then made to. This
reaches grandchildren as well, which a signal at a parent's death does not.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

GRACE_SECONDS = 8
DONE = "done"


def main() -> None:
    """Wait for the end of the input, and clean up unless told that all is done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    lines = [line.strip() for line in sys.stdin]
    if DONE not in lines:
        end([int(line) for line in lines])


def end(groups: Iterable[int], reap: Callable[[], object] = lambda: None) -> None:
    """
    Ask the groups to end, and kill what is left of them after the grace.

    `reap` collects children of ours that have ended: until then they count as there.
    """
    left = [group for group in groups if send(group, signal.SIGTERM)]
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        reap()
        left = [group for group in left if send(group, 0)]
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a group, and tell whether there was anybody in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
