"""What runners refuse alike: each as (parameter, problem)."""

import re
from collections.abc import Mapping
from typing import Any

LARGEST_RESULT = 40_000_000  # pixels: as many as the largest picture that is taken


def no_others(parameters: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """
    Check that every parameter is known.

    :raises ValueError: with (parameter, problem) for the first that is not.
    """
    for name in parameters:
        if name not in known:
            raise ValueError(name, f"This parameter is not known; use {', '.join(known)}.")


def whole_number(parameters: Mapping[str, Any], name: str, least: int, most: int, unit: str) -> int:
    """
    Return a parameter that is a whole number within bounds, both of them allowed.

    :raises ValueError: with (parameter, problem) if it is not.
    """
    value = parameters[name]
    if type(value) is not int or not least <= value <= most:
        raise ValueError(name, f"It must be {least} to {most} {unit}.")
    return value


def within_largest(size: tuple[int, int], parameter: str) -> tuple[int, int]:
    """
    Return the size of a result, if it may be so large.

    :raises ValueError: with (parameter, problem) if it has too many pixels.
    """
    width, height = size
    if width * height > LARGEST_RESULT:
        most = LARGEST_RESULT // 1_000_000
        would = f"The result would be {width:,} × {height:,} pixels"
        raise ValueError(parameter, f"{would}; at most {most} megapixels are made.")
    return size


def is_colour(value: Any) -> bool:
    """Tell whether this is a colour as #rrggbb."""
    return isinstance(value, str) and bool(re.fullmatch("#[0-9a-fA-F]{6}", value))
