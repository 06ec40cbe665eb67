"""What runners do to pictures alike."""

from io import BytesIO

from PIL import Image

from apps.jobs.runners.protocol import Result


def scaled(size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """Return a size of the same shape whose longer side has so many pixels."""
    share = longer_side / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def as_png(image: Image.Image) -> Result:
    """Return a finished picture as PNG; the same bytes for the same pixels."""
    file = BytesIO()
    image.save(file, "PNG")
    return Result(file.getvalue(), "image/png", image.width, image.height)
