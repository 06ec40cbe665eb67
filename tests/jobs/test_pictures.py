"""What is taken for a picture, and what is not."""

from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from apps.jobs.errors import PictureRefused, PictureTooLarge
from apps.jobs.services.pictures import LARGEST_FILE, inspect
from tests.jobs import hostile
from tests.jobs.hostile import SECRET, coloured, png, saved
from tests.jobs.work import picture


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
            (png(40_001, 1_000), "too many pixels"),
            (png(60_000, 60_000), "too many pixels"),
            (b"\0" * (LARGEST_FILE + 1), "larger than 10 MB"),
        ],
    )
    def test_refuses_everything_else_and_says_why(self, content, problem):
        with pytest.raises(PictureRefused, match=problem):
            inspect(content)

    @pytest.mark.parametrize("content", [png(40_001, 1_000), b"\0" * (LARGEST_FILE + 1)])
    def test_tells_what_is_too_large_from_what_is_wrong(self, content):
        with pytest.raises(PictureTooLarge):
            inspect(content)

    @pytest.mark.parametrize("name", hostile.lying())
    def test_refuses_what_lies(self, name):
        with pytest.raises(PictureRefused):
            inspect(hostile.lying()[name])

    @pytest.mark.parametrize("name", hostile.telling())
    def test_keeps_nothing_but_the_pixels_of_the_first_frame(self, name):
        content = hostile.telling()[name]
        with Image.open(BytesIO(content)) as told:
            packed = repr([*told.info.values(), *getattr(told, "text", {}).values()])
        assert SECRET in content or SECRET.decode() in packed, "there is something to strip"

        found = inspect(content)

        assert SECRET not in found.content
        with Image.open(BytesIO(found.content)) as kept:
            assert getattr(kept, "n_frames", 1) == 1
            assert not kept.getexif()
            assert kept.size == hostile.SIZE
            kept.load()
            assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"} | {
                "loop",
                "background",
                "timestamp",
                "duration",  # of every WebP
            }

    @pytest.mark.parametrize("name", hostile.plain())
    def test_takes_every_kind_of_pixel(self, name):
        found = inspect(hostile.plain()[name])

        assert found.content_type == f"image/{name.split()[0].lower()}"
        assert sorted((found.width, found.height)) == sorted(hostile.SIZE)
        assert inspect(found.content).width == found.width

    def test_keeps_what_is_clear_and_the_upper_half_of_sixteen_bits(self):
        deep = Image.new("I;16", (2, 1))
        deep.putpixel((0, 0), 65_535)
        deep.putpixel((1, 0), 10 * 256)

        clear = inspect(saved(coloured("P"), "PNG", transparency=3))
        shallow = inspect(saved(deep, "PNG"))

        assert Image.open(BytesIO(clear.content)).mode == "RGBA"
        with Image.open(BytesIO(shallow.content)) as kept:
            assert [kept.getpixel((x, 0)) for x in (0, 1)] == [255, 10]

    def test_turns_a_picture_whose_metadata_cannot_be_written_again(self):
        content = saved(coloured(), "JPEG", exif=hostile.exif(6))
        maker = content.index(b"\x01\x0f\x00\x02")  # of an ASCII text: now one of a kind unknown

        found = inspect(content[: maker + 3] + b"\x07" + content[maker + 4 :])

        assert (found.width, found.height) == hostile.SIZE[::-1]

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

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.randoms(use_true_random=False), st.sampled_from(sorted(hostile.telling())))
    def test_never_breaks_on_a_damaged_file(self, by, name):
        content = hostile.damaged(hostile.telling()[name], by)

        with suppress(PictureRefused):
            inspect(content[: by.randint(1, len(content))] if by.random() < 0.3 else content)
