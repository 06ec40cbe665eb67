"""Look at a file before it is kept: whether it is a picture that we take, and nothing else."""

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from apps.jobs.errors import PictureRefused

LARGEST_FILE = 10 * 1024 * 1024  # bytes
LARGEST_PICTURE = 40_000_000  # pixels
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
ACCEPTED = "PNG, JPEG or WebP, up to 10 MB and 40 megapixels"


@dataclass(frozen=True)
class Picture:
    """A picture whose every pixel was read, turned upright, without its metadata."""

    content: bytes
    content_type: str
    extension: str
    width: int  # pixels
    height: int  # pixels

    @property
    def sha256(self) -> bytes:
        """What tells it from every other."""
        return hashlib.sha256(self.content).digest()


def inspect(content: bytes) -> Picture:
    """
    Return the picture that the bytes hold, whatever they claim to be.

    :raises PictureRefused: saying what is wrong and what is taken.
    """
    if not content:
        raise PictureRefused(problem="The file is empty.")
    if len(content) > LARGEST_FILE:
        raise PictureRefused(problem=f"The file is larger than 10 MB. We take {ACCEPTED}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(content)
    except UnidentifiedImageError as error:
        raise PictureRefused(problem=f"This is no picture. We take {ACCEPTED}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(problem=f"It has too many pixels. We take {ACCEPTED}.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # What Pillow raises for a file that begins as a picture and does not go on as one.
        message = "The picture is damaged or incomplete. Save it again and upload that."
        raise PictureRefused(problem=message) from error


def _read(content: bytes) -> Picture:
    with Image.open(BytesIO(content), formats=tuple(FORMATS)) as opened:
        kind = str(opened.format)
        if opened.width * opened.height > LARGEST_PICTURE:  # asked before a pixel is unpacked
            raise Image.DecompressionBombError
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        if kind == "JPEG" and upright.mode not in ("L", "RGB"):
            upright = upright.convert("RGB")
        plain = Image.new(upright.mode, upright.size)
        plain.paste(upright)
        if upright.mode == "P":
            plain.putpalette(upright.getpalette() or [])
        file = BytesIO()
        quality = {"quality": 95} if kind != "PNG" else {}
        plain.save(file, kind, **quality)
    return Picture(file.getvalue(), FORMATS[kind], kind.lower(), plain.width, plain.height)
