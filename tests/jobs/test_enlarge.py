"""The runner that enlarges."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from apps.jobs.runners.enlarge import Enlarge
from tests.jobs.work import picture

ROOT = Path(__file__).parents[2]
STATUS = Path("/proc/self/status")
MEMORY = """
from io import BytesIO
from pathlib import Path
from PIL import Image
from apps.jobs.runners.enlarge import Enlarge

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

file = BytesIO()
Image.new("RGB", (2500, 1000), (9, 99, 199)).save(file, "PNG", compress_level=1)
Enlarge().run(file.getvalue(), Enlarge().check({}), lambda percent: None)
print(most())
"""


def run(content: bytes, **parameters) -> tuple[Image.Image, list[int]]:
    seen: list[int] = []
    runner = Enlarge()
    result = runner.run(content, runner.check(parameters), seen.append)
    image = Image.open(BytesIO(result.content))
    assert image.size == (result.width, result.height)
    return image, seen


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class TestEnlarge:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 24), st.integers(1, 24), st.sampled_from([2, 3, 4]))
    def test_makes_what_it_said_it_would(self, width, height, factor):
        content = picture(size=(width, height))

        image, _ = run(content, factor=factor)

        promised = Enlarge().result_size({"factor": factor}, width, height)
        assert image.size == promised == (width * factor, height * factor)

    def test_gives_the_same_bytes_for_the_same_picture(self):
        first, again = (
            Enlarge().run(picture(), Enlarge().check({}), lambda percent: None) for _ in range(2)
        )
        assert first.content == again.content

    def test_shows_no_seams_between_its_bands(self):
        """In bands or at once: the pixels are the same, those of the edges as well."""
        image, _ = run(picture(size=(40, 170)), factor=3, sharpening=150)

        whole = Image.open(BytesIO(picture(size=(40, 170)))).resize((120, 510), Image.LANCZOS)
        whole = whole.filter(ImageFilter.UnsharpMask(radius=2, percent=150, threshold=2))
        assert image.tobytes() == whole.tobytes()

    def test_sharpens_as_much_as_it_is_told(self):
        none, much = (run(picture(), sharpening=percent)[0] for percent in (0, 200))

        assert (
            none.tobytes()
            == Image.open(BytesIO(picture())).resize((128, 96), Image.LANCZOS).tobytes()
        )
        assert much.tobytes() != none.tobytes()

    def test_keeps_what_is_transparent(self):
        image = Image.new("RGBA", (16, 16), (200, 10, 10, 0))
        image.paste((10, 200, 10, 255), (0, 0, 8, 16))

        large, _ = run(png(image))

        assert large.mode == "RGBA"
        assert (large.getpixel((0, 0))[3], large.getpixel((31, 31))[3]) == (255, 0)

    def test_reports_progress_up_to_the_end(self):
        _, seen = run(picture(size=(16, 64)))

        assert seen == sorted(seen)
        assert len(set(seen)) > 10
        assert seen[-1] == 100

    def test_refuses_a_result_that_is_too_large(self):
        runner = Enlarge()
        assert runner.result_size({"factor": 2}, 5000, 2000) == (10_000, 4_000)
        with pytest.raises(ValueError, match="10,002 × 4,000 pixels; at most 40 mega") as refusal:
            runner.result_size({"factor": 2}, 5001, 2000)
        assert refusal.value.args[0] == "factor"

    @pytest.mark.skipif(not STATUS.exists(), reason="only Linux says how much memory was used")
    def test_needs_little_more_memory_than_its_result(self):
        """10 megapixels of 4 bytes; 40, the most, are held to it by `result_size`."""
        answer = subprocess.run(
            [sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert int(answer.stdout) < 130_000  # kB, of which Python and Pillow have some 35,000

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ({"factor": 1}, "factor"),
            ({"factor": 5}, "factor"),
            ({"factor": 2.0}, "factor"),
            ({"factor": "2"}, "factor"),
            ({"factor": True}, "factor"),
            ({"sharpening": -1}, "sharpening"),
            ({"sharpening": 201}, "sharpening"),
            ({"sharpening": None}, "sharpening"),
            ({"style": "dusk"}, "style"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, parameters, name):
        with pytest.raises(ValueError) as refusal:
            Enlarge().check(parameters)

        assert refusal.value.args[0] == name
