"""Restyle: a picture in other colours, with other contrast, grain and size."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, ClassVar

from PIL import Image, ImageChops, ImageColor, ImageEnhance, ImageOps

from apps.jobs.runners.checking import is_colour, no_others, whole_number
from apps.jobs.runners.pixels import as_png, scaled
from apps.jobs.runners.protocol import ReportProgress, Result, RunFailed

BANDS = 8  # the picture is worked on in bands, so that progress is true
SMALLEST_SIZE, LARGEST_SIZE = 64, 4096  # pixels of the longer side
MOST_SWATCHES = 8
# What a look says beside its swatches: from, to.
MEASURES = {
    "strength": (0, 1),  # 0: the picture as it is, 1: only the style's colours
    "contrast": (0, 4),  # 1: as it is
    "grain": (0, 64),  # largest change of a pixel's brightness, of 255
}


class Restyle:
    """Maps tones to a palette, then contrast and grain, then the size."""

    operation: ClassVar[str] = "image.restyle"
    name: ClassVar[str] = "Restyle"
    description: ClassVar[str] = "Other colours, contrast and grain for a picture"

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the size in pixels of the longer side (None: as it is).

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        no_others(parameters, ("size",))
        if parameters.get("size") is not None:
            whole_number(parameters, "size", SMALLEST_SIZE, LARGEST_SIZE, "pixels")
        return {"size": parameters.get("size")}

    def check_look(self, look: Mapping[str, Any]) -> None:
        """
        Check swatches, strength, contrast and grain.

        :raises ValueError: with (parameter, problem) if one is missing, unknown or wrong.
        """
        no_others(look, ("swatches", *MEASURES))
        swatches = look.get("swatches")
        if (
            not isinstance(swatches, list)
            or not 2 <= len(swatches) <= MOST_SWATCHES
            or not all(is_colour(one) for one in swatches)
        ):
            problem = f"Give 2 to {MOST_SWATCHES} colours from dark to light, each as #rrggbb."
            raise ValueError("swatches", problem)
        for name, (least, most) in MEASURES.items():
            value: Any = look.get(name)
            is_number = type(value) is int or (type(value) is float and name != "grain")
            if not is_number or not least <= value <= most:
                kind = "a whole number" if name == "grain" else "a number"
                raise ValueError(name, f"Give {kind} from {least} to {most}.")

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """Return the size that was asked for, or that of the picture."""
        longer_side = parameters.get("size")
        return scaled((width, height), longer_side) if longer_side else (width, height)

    def label(self, parameters: Mapping[str, Any]) -> str:
        """Name the style and its version; of jobs from before there were versions, the style."""
        style = str(parameters.get("style", "")).capitalize()
        look = parameters.get("look")
        return f"{look['name']} v{parameters['style_version']}" if look else style

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """
        Return the restyled picture as PNG.

        :raises RunFailed: if it has but one colour, so that there is nothing to restyle.
        """
        look = parameters["look"]
        with Image.open(BytesIO(picture)) as opened:
            image = opened.convert("RGB")
        tones = ImageOps.grayscale(image)
        darkest, lightest = tones.getextrema()
        if darkest == lightest:
            raise RunFailed(
                "single_colour", "The picture has a single colour: there is nothing to restyle."
            )
        wanted = self.result_size(parameters, *image.size)
        if wanted != image.size:
            image = image.resize(wanted, Image.Resampling.LANCZOS)
        seed = int.from_bytes(hashlib.sha256(picture).digest()[:8], "big")
        styled = _in_bands(image, look, random.Random(seed), report_progress)  # noqa: S311
        finished = as_png(styled)
        report_progress(100)
        return finished


def _in_bands(
    image: Image.Image, look: Mapping[str, Any], rng: random.Random, report_progress: ReportProgress
) -> Image.Image:
    contrasted = ImageEnhance.Contrast(image).enhance(look["contrast"])
    palette = _palette(look["swatches"])
    result = Image.new("RGB", image.size)
    height = -(-image.height // BANDS)
    for number in range(BANDS):
        top, bottom = number * height, min((number + 1) * height, image.height)
        if top >= bottom:
            break
        band = contrasted.crop((0, top, image.width, bottom))
        toned = Image.merge("RGB", [ImageOps.grayscale(band).point(row) for row in palette])
        styled = _grained(Image.blend(band, toned, look["strength"]), look["grain"], rng)
        result.paste(styled, (0, top))
        report_progress(min((number + 1) * 100 // BANDS, 99))
    return result


def _palette(swatches: Sequence[str]) -> list[list[int]]:
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
