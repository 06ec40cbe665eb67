"""Look at a file before it is kept: whether it is a picture that we take, and nothing else."""

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image, UnidentifiedImageError

from apps.jobs.errors import PictureRefused, PictureTooLarge
from apps.jobs.runners.checking import LARGEST_RESULT

MEGABYTE = 1024 * 1024  # bytes
LARGEST_FILE = 10 * MEGABYTE  # of an upload
LARGEST_RESULT_FILE = 100 * MEGABYTE  # of a worker outside; a PNG of 40 megapixels can need it
LARGEST_PICTURE = LARGEST_RESULT  # pixels: a result can be worked on again
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
TURNS = {  # by the orientation in the metadata: 1 is upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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


def accepted(most: int = LARGEST_FILE) -> str:
    """Say what is taken, up to so many bytes."""
    return f"PNG, JPEG or WebP, up to {most // MEGABYTE} MB and 40 megapixels"


def check_length(length: int, most: int = LARGEST_FILE) -> None:
    """
    Check that a file has no more than so many bytes.

    :raises PictureTooLarge: if it has.
    """
    if length > most:
        problem = f"The file is larger than {most // MEGABYTE} MB. We take {accepted(most)}."
        raise PictureTooLarge(problem=problem)


def inspect(content: bytes, most: int = LARGEST_FILE) -> Picture:
    """
    Return the picture that the bytes, no more than `most`, hold, whatever they claim to be.

    :raises PictureTooLarge: if it has too many bytes or pixels.
    :raises PictureRefused: saying what is wrong and what is taken.
    """
    if not content:
        raise PictureRefused(problem="The file is empty.")
    check_length(len(content), most)
    try:
        return _read(content)
    except UnidentifiedImageError as error:
        raise PictureRefused(problem=f"This is no picture. We take {accepted(most)}.") from error
    except Image.DecompressionBombError as error:
        problem = f"It has too many pixels. We take {accepted(most)}."
        raise PictureTooLarge(problem=problem) from error
    except Exception as error:  # whatever a decoder breaks on, the file is to blame
        message = "The picture is damaged or incomplete. Save it again and upload that."
        raise PictureRefused(problem=message) from error


def _read(content: bytes) -> Picture:
    with Image.open(BytesIO(content), formats=tuple(FORMATS)) as opened:
        # Asked before a pixel is unpacked.
        if opened.width * opened.height > LARGEST_PICTURE:
            raise Image.DecompressionBombError
        # Cameras write JPEG with a second picture behind the first, which is left out.
        kind = "JPEG" if opened.format == "MPO" else str(opened.format)
        opened.load()
        plain = _without_metadata(_upright(opened), kind)
    file = BytesIO()
    quality = {"quality": 95} if kind != "PNG" else {}
    plain.save(file, kind, **quality)
    return Picture(file.getvalue(), FORMATS[kind], kind.lower(), plain.width, plain.height)


def _upright(picture: Image.Image) -> Image.Image:
    """
    Turn a picture as its metadata say; what they cannot say clearly, they do not say.

    Not by ImageOps.exif_transpose, which writes the metadata anew and breaks on damaged ones.
    """
    turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture.transpose(turn) if turn is not None else picture


def _without_metadata(picture: Image.Image, kind: str) -> Image.Image:
    """Return the pixels of the first frame on a new picture, which knows nothing else."""
    mode = _plain_mode(picture, kind)
    if picture.mode.startswith("I"):  # sixteen bits, of which the upper eight are kept
        picture = picture.convert("I").point(lambda value: value / 256)
    if mode != picture.mode:
        picture = picture.convert(mode)
    plain = Image.new(mode, picture.size)
    plain.paste(picture)
    if mode == "P":
        plain.putpalette(picture.getpalette() or [])
    return plain


def _plain_mode(picture: Image.Image, kind: str) -> str:
    """Return how pixels are kept: in eight bits, and clear ones as part of their pixel."""
    if kind == "JPEG":
        return picture.mode if picture.mode in ("L", "RGB") else "RGB"
    if picture.mode.startswith("I"):
        return "L"
    return "RGBA" if picture.has_transparency_data and picture.mode != "LA" else picture.mode
