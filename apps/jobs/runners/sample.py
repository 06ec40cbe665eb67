"""A picture to try things on, painted here so that no file of anybody else is shipped."""

import json
import math
import random
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

from apps.jobs.runners.pixels import as_png
from apps.jobs.runners.registry import RUNNERS

SIZE = (960, 640)  # pixels
PREVIEW_SIZE = (480, 320)


def landscape(seed: int = 7) -> Image.Image:
    """Paint hills under an evening sky; the same for the same seed."""
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
    return picture.filter(ImageFilter.SMOOTH_MORE)


def _hills(draw: ImageDraw.ImageDraw, rng: random.Random, *, base: float, shade: int) -> None:
    width, height = SIZE
    phase, wave = rng.uniform(0, 6.3), rng.uniform(90, 200)
    ridge = [
        (x, base - 46 * math.sin(x / wave + phase) - 18 * math.sin(x / 41 + 2 * phase))
        for x in range(0, width + 8, 8)
    ]
    draw.polygon([*ridge, (width, height), (0, height)], fill=(shade // 3, shade, shade // 2 + 20))


@lru_cache(maxsize=64)
def preview(operation: str, look: str) -> bytes:
    """Return what a look, as JSON, makes of the painted picture: a small WebP."""
    small = as_png(landscape().resize(PREVIEW_SIZE, Image.Resampling.LANCZOS))
    parameters = {"look": json.loads(look)}
    result = RUNNERS[operation].run(small.content, parameters, lambda percent: None)
    file = BytesIO()
    with Image.open(BytesIO(result.content)) as image:
        image.save(file, "WEBP", quality=80)
    return file.getvalue()
