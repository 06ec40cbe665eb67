"""What sweeps share: one thing after the other, each for itself."""

from collections.abc import Callable, Iterable


def each_for_itself[R](deed: Callable[[R], int], rows: Iterable[R]) -> int:
    """
    Do it with each row, and return the sum; what breaks one does not keep the others.

    :raises ExceptionGroup: of what broke them, once all have had their turn.
    """
    done = 0
    broken: list[Exception] = []
    for row in rows:
        try:
            done += deed(row)
        except Exception as error:  # told at the end: the task fails, and the others were done
            error.add_note(f"Of {row}")
            broken.append(error)
    if broken:
        raise ExceptionGroup("not all could be swept", broken)
    return done
