"""Contact sheet: one picture many times on one sheet, to print, compare and cut."""

import math
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar

from PIL import Image, ImageColor, ImageDraw, ImageEnhance, ImageFont

from apps.jobs.runners.checking import is_colour, no_others, whole_number, within_largest
from apps.jobs.runners.pixels import as_png, scaled
from apps.jobs.runners.protocol import ReportProgress, Result

VARIATIONS = ("none", "brightness")
LONGEST_CAPTION = 80
CAPTION_HEIGHT = 48  # pixels of the strip below the pictures
LARGEST_LETTERS, SMALLEST_LETTERS = 28, 8  # pixels
DARKEST, LIGHTEST = 0.5, 1.5  # times the brightness of the picture
DEFAULTS = {
    "columns": 3,
    "rows": 4,
    "cell": 400,
    "margin": 24,
    "caption": "",
    "background": "#ffffff",
    "vary": "none",
}


class ContactSheet:
    """Rows and columns of the same picture: all alike, or from dark to light."""

    operation: ClassVar[str] = "image.contact_sheet"
    name: ClassVar[str] = "Contact sheet"
    description: ClassVar[str] = "One picture many times on a sheet, alike or from dark to light"

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return what the sheet is like, by default 3 columns and 4 rows of 400 pixels.

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        no_others(parameters, tuple(DEFAULTS))
        given = {**DEFAULTS, **parameters}
        whole_number(given, "columns", 1, 10, "columns")
        whole_number(given, "rows", 1, 10, "rows")
        whole_number(given, "cell", 64, 1024, "pixels")
        whole_number(given, "margin", 0, 200, "pixels")
        _check_caption(given["caption"])
        if not is_colour(given["background"]):
            raise ValueError("background", "Write a colour as #rrggbb, like #ffffff.")
        if given["vary"] not in VARIATIONS:
            raise ValueError("vary", f"Choose one of: {', '.join(VARIATIONS)}.")
        return given

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """
        Return the size of the sheet.

        :raises ValueError: with (parameter, problem) if that is more than is made.
        """
        cell_width, cell_height = scaled((width, height), parameters["cell"])
        columns, rows, margin = (parameters[name] for name in ("columns", "rows", "margin"))
        size = (
            columns * cell_width + (columns + 1) * margin,
            rows * cell_height + (rows + 1) * margin,
        )
        if parameters["caption"]:
            if _length(parameters["caption"], SMALLEST_LETTERS) > size[0]:
                raise ValueError("caption", f"It is too long for a sheet of {size[0]:,} pixels.")
            size = (size[0], size[1] + CAPTION_HEIGHT)
        return within_largest(size, "cell")

    def label(self, parameters: Mapping[str, Any]) -> str:
        """Name columns and rows."""
        return f"{parameters['columns']} × {parameters['rows']}"

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """Return the sheet as PNG; what is transparent shows the background."""
        background = ImageColor.getrgb(parameters["background"])
        with Image.open(BytesIO(picture)) as opened:
            size = opened.size
            image = opened.convert("RGBA").resize(
                scaled(size, parameters["cell"]), Image.Resampling.LANCZOS
            )
        cell = Image.new("RGB", image.size, background)
        cell.paste(image, mask=image)
        sheet = Image.new("RGB", self.result_size(parameters, *size), background)
        _fill(sheet, cell, parameters, report_progress)
        if parameters["caption"]:
            _write(sheet, parameters["caption"], background)
        finished = as_png(sheet)
        report_progress(100)
        return finished


def _check_caption(caption: Any) -> None:
    if not isinstance(caption, str) or len(caption) > LONGEST_CAPTION:
        raise ValueError("caption", f"It must be a text of at most {LONGEST_CAPTION} characters.")
    strange = re.search(r"[^ -~]", caption)
    if strange:  # of the font that Pillow brings along
        problem = f"The sheet's font has no “{strange[0]}”: use letters without accents and digits."
        raise ValueError("caption", problem)


def _fill(
    sheet: Image.Image,
    cell: Image.Image,
    parameters: Mapping[str, Any],
    report_progress: ReportProgress,
) -> None:
    """Paste the picture into every cell, row by row."""
    columns, rows, margin = (parameters[name] for name in ("columns", "rows", "margin"))
    count = columns * rows
    for number in range(count):
        row, column = divmod(number, columns)
        place = (
            margin + column * (cell.width + margin),
            margin + row * (cell.height + margin),
        )
        sheet.paste(_varied(cell, number, count, parameters["vary"]), place)
        report_progress(min((number + 1) * 100 // count, 99))


def _varied(cell: Image.Image, number: int, count: int, vary: str) -> Image.Image:
    """Return the picture of one cell; one alone is as it is."""
    if vary == "none" or count == 1:
        return cell
    brightness = DARKEST + (LIGHTEST - DARKEST) * number / (count - 1)
    return ImageEnhance.Brightness(cell).enhance(brightness)


def _write(sheet: Image.Image, caption: str, background: tuple[int, ...]) -> None:
    """Write the caption below the pictures, in black or white, as large as there is room."""
    letters = LARGEST_LETTERS
    while letters > SMALLEST_LETTERS and _length(caption, letters) > sheet.width:
        letters -= 1
    ink = "black" if sum(background) > 3 * 127 else "white"
    middle = (sheet.width // 2, sheet.height - CAPTION_HEIGHT // 2)
    font = ImageFont.load_default(letters)
    ImageDraw.Draw(sheet).text(middle, caption, ink, font, anchor="mm")


def _length(caption: str, letters: int) -> int:
    """Return the pixels that a caption takes, in letters of this size."""
    return math.ceil(ImageFont.load_default(letters).getlength(caption))
