"""Restyle: a picture in other colours, with other contrast, grain and size."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

from PIL import Image, ImageChops, ImageColor, ImageEnhance, ImageOps

from apps.jobs.runners.protocol import ReportProgress, Result, RunFailed, Style

BANDS = 8  # the picture is worked on in bands, so that progress is true
SMALLEST_SIZE, LARGEST_SIZE = 64, 4096  # pixels of the longer side


@dataclass(frozen=True)
class Look:
    """What a style does: tones from dark to light, how much of them, and the rest."""

    style: Style
    strength: float  # 0: the picture as it is, 1: only the style's colours
    contrast: float  # 1: as it is
    grain: int  # largest change of a pixel's brightness, of 255


LOOKS = {
    look.style.code: look
    for look in (
        Look(
            Style(
                "dusk",
                "Dusk",
                "Violet shadows and a warm last light",
                ("#1b1036", "#7a3b69", "#f3a46b", "#fff1d6"),
            ),
            strength=0.75,
            contrast=1.15,
            grain=8,
        ),
        Look(
            Style(
                "blueprint",
                "Blueprint",
                "Deep blue, pale lines, as on tracing paper",
                ("#071c3f", "#123f7d", "#5b93c9", "#eaf4ff"),
            ),
            strength=1.0,
            contrast=1.35,
            grain=4,
        ),
        Look(
            Style(
                "meadow",
                "Meadow",
                "Fresh greens under a hazy sky",
                ("#10281a", "#2f6b3c", "#a8c66c", "#f6fbe4"),
            ),
            strength=0.65,
            contrast=1.05,
            grain=6,
        ),
        Look(
            Style(
                "newsprint",
                "Newsprint",
                "Black ink on cream, with a strong grain",
                ("#141414", "#4c4a46", "#b3aea2", "#f7f1e3"),
            ),
            strength=1.0,
            contrast=1.5,
            grain=28,
        ),
    )
}


class Restyle:
    """Maps tones to a palette, then contrast and grain, then the size."""

    operation: ClassVar[str] = "image.restyle"
    name: ClassVar[str] = "Restyle"
    description: ClassVar[str] = "Other colours, contrast and grain for a picture"
    styles: ClassVar[tuple[Style, ...]] = tuple(look.style for look in LOOKS.values())

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the style and the size in pixels of the longer side (None: as it is).

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        for name in parameters:
            if name not in ("style", "size"):
                raise ValueError(name, "This parameter is not known; use style and size.")
        style, size = parameters.get("style"), parameters.get("size")
        if style not in LOOKS:
            raise ValueError("style", f"Choose one of: {', '.join(LOOKS)}.")
        if size is not None and (
            type(size) is not int or not SMALLEST_SIZE <= size <= LARGEST_SIZE
        ):
            raise ValueError("size", f"It must be {SMALLEST_SIZE} to {LARGEST_SIZE} pixels.")
        return {"style": style, "size": size}

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """Return the size that was asked for, or that of the picture."""
        return _scaled((width, height), parameters.get("size"))

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """
        Return the restyled picture as PNG.

        :raises RunFailed: if it has but one colour, so that there is nothing to restyle.
        """
        look = LOOKS[parameters["style"]]
        with Image.open(BytesIO(picture)) as opened:
            image = opened.convert("RGB")
        tones = ImageOps.grayscale(image)
        darkest, lightest = tones.getextrema()
        if darkest == lightest:
            raise RunFailed(
                "single_colour", "The picture has a single colour: there is nothing to restyle."
            )
        image = _resized(image, parameters.get("size"))
        seed = int.from_bytes(hashlib.sha256(picture).digest()[:8], "big")
        restyled = _in_bands(image, look, random.Random(seed), report_progress)  # noqa: S311
        file = BytesIO()
        restyled.save(file, "PNG")
        return Result(file.getvalue(), "image/png", restyled.width, restyled.height)


def _resized(image: Image.Image, size: int | None) -> Image.Image:
    wanted = _scaled(image.size, size)
    return image if wanted == image.size else image.resize(wanted, Image.Resampling.LANCZOS)


def _scaled(size: tuple[int, int], longer_side: int | None) -> tuple[int, int]:
    if longer_side is None:
        return size
    share = longer_side / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _in_bands(
    image: Image.Image, look: Look, rng: random.Random, report_progress: ReportProgress
) -> Image.Image:
    contrasted = ImageEnhance.Contrast(image).enhance(look.contrast)
    palette = _palette(look.style.swatches)
    result = Image.new("RGB", image.size)
    height = -(-image.height // BANDS)
    for number in range(BANDS):
        top, bottom = number * height, min((number + 1) * height, image.height)
        if top >= bottom:
            break
        band = contrasted.crop((0, top, image.width, bottom))
        toned = Image.merge("RGB", [ImageOps.grayscale(band).point(row) for row in palette])
        styled = _grained(Image.blend(band, toned, look.strength), look.grain, rng)
        result.paste(styled, (0, top))
        report_progress((number + 1) * 100 // BANDS)
    return result


def _palette(swatches: tuple[str, ...]) -> list[list[int]]:
    """Return what each of 256 tones becomes, for red, green and blue."""
    colours = [ImageColor.getrgb(swatch) for swatch in swatches]
    rows: list[list[int]] = [[], [], []]
    for tone in range(256):
        place = tone / 255 * (len(colours) - 1)
        left = min(int(place), len(colours) - 2)
        share = place - left
        for row, before, after in zip(rows, colours[left], colours[left + 1], strict=False):
            row.append(round(before + (after - before) * share))
    return rows


def _grained(image: Image.Image, grain: int, rng: random.Random) -> Image.Image:
    noise = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    speckle = noise.point([round((value / 255) * grain) for value in range(256)])
    lighter = Image.merge("RGB", [speckle] * 3)
    half = Image.new("RGB", image.size, (grain // 2,) * 3)
    return ImageChops.subtract(ImageChops.add(image, lighter), half)
