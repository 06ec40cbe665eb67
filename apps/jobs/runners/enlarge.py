"""Enlarge: a picture with two, three or four times as many pixels each way."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar

from PIL import Image, ImageFilter

from apps.jobs.runners.checking import no_others, whole_number, within_largest
from apps.jobs.runners.pixels import as_png
from apps.jobs.runners.protocol import ReportProgress, Result

BANDS = 16  # worked on one by one, so that progress is true and memory little
SEAM = 8  # rows of the picture beyond a band that its filters look at, or more
FACTORS = (2, 3, 4)


class Enlarge:
    """Lanczos, then a sharpening that takes back some of its softness."""

    operation: ClassVar[str] = "image.enlarge"
    name: ClassVar[str] = "Enlarge"
    description: ClassVar[str] = "Two, three or four times as wide and as high, and sharpened"

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return factor and sharpening; without them 2, and 60 percent.

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        no_others(parameters, ("factor", "sharpening"))
        given = {"factor": 2, "sharpening": 60, **parameters}
        if type(given["factor"]) is not int or given["factor"] not in FACTORS:
            raise ValueError("factor", "Choose 2, 3 or 4.")
        whole_number(given, "sharpening", 0, 200, "percent")
        return given

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """
        Return the size of the picture times the factor.

        :raises ValueError: with (parameter, problem) if that is more than is made.
        """
        factor = parameters["factor"]
        return within_largest((width * factor, height * factor), "factor")

    def label(self, parameters: Mapping[str, Any]) -> str:
        """Name the factor."""
        return f"{parameters['factor']} times"

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """Return the enlarged picture as PNG, with its transparency if it has any."""
        image = _read(picture)
        factor = parameters["factor"]
        result = Image.new(image.mode, self.result_size(parameters, *image.size))
        height = -(-image.height // BANDS)
        for number, top in enumerate(range(0, image.height, height)):
            bottom = min(top + height, image.height)
            band = _enlarged(image, top, bottom, factor, parameters["sharpening"])
            result.paste(band, (0, top * factor))
            report_progress(min((number + 1) * 100 // BANDS, 99))
        finished = as_png(result)
        report_progress(100)
        return finished


def _read(picture: bytes) -> Image.Image:
    with Image.open(BytesIO(picture)) as opened:
        return opened.convert("RGBA" if opened.has_transparency_data else "RGB")


def _enlarged(
    image: Image.Image, top: int, bottom: int, factor: int, sharpening: int
) -> Image.Image:
    """Return some rows of the picture, enlarged as if the whole of it were."""
    first, last = max(0, top - SEAM), min(image.height, bottom + SEAM)
    rows = image.crop((0, first, image.width, last))
    large = rows.resize((rows.width * factor, rows.height * factor), Image.Resampling.LANCZOS)
    sharp = _sharpened(large, sharpening)
    return sharp.crop((0, (top - first) * factor, sharp.width, (bottom - first) * factor))


def _sharpened(image: Image.Image, percent: int) -> Image.Image:
    """Sharpen the colours; an outline of transparency stays as it is."""
    mask = ImageFilter.UnsharpMask(radius=2, percent=percent, threshold=2)
    if image.mode == "RGB":
        return image.filter(mask)
    sharp = image.convert("RGB").filter(mask)
    sharp.putalpha(image.getchannel("A"))
    return sharp
