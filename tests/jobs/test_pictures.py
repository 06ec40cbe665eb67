"""What is taken for a picture, and what is not."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from apps.jobs.errors import PictureRefused
from apps.jobs.services.pictures import LARGEST_FILE, inspect
from tests.jobs.work import picture


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_that_claims(width: int, height: int) -> bytes:
    """Return a small file that says it is a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


class TestInspect:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_takes_what_it_says_it_takes(self, kind):
        found = inspect(picture(kind))

        assert (found.content_type, found.width, found.height) == (f"image/{kind.lower()}", 64, 48)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "empty"),
            (b"hello", "no picture"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
            (picture("GIF"), "no picture"),
            (picture()[:120], "damaged"),
            (picture("JPEG")[:300], "damaged"),
            (png_that_claims(40_001, 1_000), "too many pixels"),
            (png_that_claims(60_000, 60_000), "too many pixels"),
            (b"\0" * (LARGEST_FILE + 1), "larger than 10 MB"),
        ],
    )
    def test_refuses_everything_else_and_says_why(self, content, problem):
        with pytest.raises(PictureRefused, match=problem):
            inspect(content)

    def test_strips_metadata_and_turns_the_picture_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by 90 degrees
        exif[0x010F] = "a camera with a name"
        file = BytesIO()
        Image.open(BytesIO(picture("JPEG"))).save(file, "JPEG", exif=exif)

        found = inspect(file.getvalue())

        assert (found.width, found.height) == (48, 64)
        assert b"camera" not in found.content

    def test_keeps_the_colours_of_a_palette(self):
        file = BytesIO()
        Image.open(BytesIO(picture())).convert("P").save(file, "PNG")

        found = inspect(file.getvalue())

        assert len(Image.open(BytesIO(found.content)).convert("RGB").getcolors(100_000)) > 50

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_never_breaks_on_a_damaged_file(self, data):
        content = bytearray(picture(data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))))
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

        with suppress(PictureRefused):
            inspect(bytes(content[: data.draw(st.integers(1, len(content)))]))
