"""Pictures to try things on, painted here so that no file of anybody else is shipped."""

import math
import random
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

SIZE = (960, 640)


def landscape(seed: int = 7) -> bytes:
    """Paint hills under an evening sky; the same PNG for the same seed."""
    rng = random.Random(seed)  # noqa: S311  a painting is no secret
    width, height = SIZE
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        share = y / height
        draw.line(
            [(0, y), (width, y)],
            fill=(int(40 + 200 * share), int(70 + 90 * share), int(140 - 40 * share)),
        )
    sun = (width * 0.7, height * 0.42, 60)
    draw.ellipse(
        [sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], fill=(255, 214, 140)
    )
    for layer in range(5):
        _hills(draw, rng, base=height * (0.5 + 0.11 * layer), shade=110 - 20 * layer)
    return _png(picture.filter(ImageFilter.SMOOTH_MORE))


def blank() -> bytes:
    """Return a sheet of one colour: a picture that no style can do anything with."""
    return _png(Image.new("RGB", (480, 320), (238, 238, 238)))


def _hills(draw: ImageDraw.ImageDraw, rng: random.Random, *, base: float, shade: int) -> None:
    width, height = SIZE
    phase, wave = rng.uniform(0, 6.3), rng.uniform(90, 200)
    ridge = [
        (x, base - 46 * math.sin(x / wave + phase) - 18 * math.sin(x / 41 + 2 * phase))
        for x in range(0, width + 8, 8)
    ]
    draw.polygon([*ridge, (width, height), (0, height)], fill=(shade // 3, shade, shade // 2 + 20))


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
