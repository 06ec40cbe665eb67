"""The runner that lays one picture out on a sheet."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from apps.jobs.runners.contact_sheet import CAPTION_HEIGHT, ContactSheet
from tests.jobs.work import picture

SMALL = {"columns": 2, "rows": 2, "cell": 64, "margin": 8}


def run(content: bytes, **parameters) -> tuple[Image.Image, list[int]]:
    seen: list[int] = []
    runner = ContactSheet()
    result = runner.run(content, runner.check(parameters), seen.append)
    image = Image.open(BytesIO(result.content))
    assert image.size == (result.width, result.height)
    return image, seen


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in image.getcolors(image.width * image.height)}


class TestAContactSheet:
    @settings(max_examples=20, deadline=None)
    @given(
        st.integers(1, 40),
        st.integers(1, 40),
        st.fixed_dictionaries(
            {
                "columns": st.integers(1, 3),
                "rows": st.integers(1, 3),
                "cell": st.integers(64, 90),
                "margin": st.integers(0, 9),
                "caption": st.sampled_from(["", "A"]),
            }
        ),
    )
    def test_is_as_large_as_it_said_it_would_be(self, width, height, parameters):
        runner = ContactSheet()
        checked = runner.check(parameters)
        if parameters["caption"]:
            checked["margin"] += 20  # room for a letter, however narrow the picture is
        result = runner.run(picture(size=(width, height)), checked, lambda percent: None)

        assert (result.width, result.height) == runner.result_size(checked, width, height)

    def test_has_margins_around_each_picture(self):
        sheet, _ = run(picture(), **SMALL, background="#102030")

        assert sheet.size == (2 * 64 + 3 * 8, 2 * 48 + 3 * 8)
        edges = [(0, 0), (7, 30), (8 + 64, 30), (151, 119), (30, 8 + 48)]
        assert {sheet.getpixel(place) for place in edges} == {(0x10, 0x20, 0x30)}
        first = sheet.crop((8, 8, 72, 56))
        assert first.tobytes() == Image.open(BytesIO(picture())).tobytes()
        assert first.tobytes() == sheet.crop((80, 64, 144, 112)).tobytes()

    def test_goes_from_dark_to_light(self):
        sheet, _ = run(picture(plain=True), columns=3, rows=1, cell=64, margin=0, vary="brightness")

        tones = [sheet.getpixel((32 + 64 * place, 24))[0] for place in range(3)]
        assert tones == [60, 120, 180]

    def test_shows_one_alone_as_it_is(self):
        sheet, _ = run(picture(plain=True), columns=1, rows=1, vary="brightness")

        assert sheet.getpixel((200, 150)) == (120, 120, 120)

    @pytest.mark.parametrize(("background", "ink"), [("#ffffff", 0), ("#000000", 255)])
    def test_writes_a_caption_that_can_be_read(self, background, ink):
        sheet, _ = run(picture(), **SMALL, caption="Evening", background=background)

        strip = sheet.crop((0, sheet.height - CAPTION_HEIGHT, *sheet.size))
        assert sheet.height == 120 + CAPTION_HEIGHT
        assert (ink,) * 3 in colours(strip)

    def test_writes_a_long_caption_smaller(self):
        caption = "A caption of thirty letters!!!"
        sheet, _ = run(picture(), **SMALL, caption=caption)

        sides = [sheet.crop((x, 128, x + 1, sheet.height)) for x in (0, sheet.width - 1)]
        assert all(colours(side) == {(255, 255, 255)} for side in sides)

    def test_puts_the_background_behind_what_is_transparent(self):
        file = BytesIO()
        Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(file, "PNG")

        sheet, _ = run(file.getvalue(), **SMALL, background="#aabbcc")

        assert colours(sheet) == {(0xAA, 0xBB, 0xCC)}

    def test_gives_the_same_bytes_for_the_same_picture(self):
        assert run(picture(), caption="A")[0].tobytes() == run(picture(), caption="A")[0].tobytes()

    def test_reports_progress_up_to_the_end(self):
        _, seen = run(picture(), **SMALL)

        assert seen == [25, 50, 75, 99, 100]

    @pytest.mark.parametrize(
        ("parameters", "size", "name"),
        [
            ({"columns": 10, "rows": 10, "cell": 700}, (64, 64), "cell"),
            ({"columns": 1, "cell": 64, "margin": 0, "caption": "x" * 80}, (64, 64), "caption"),
        ],
    )
    def test_refuses_what_does_not_fit(self, parameters, size, name):
        runner = ContactSheet()
        with pytest.raises(ValueError) as refusal:
            runner.result_size(runner.check(parameters), *size)

        assert refusal.value.args[0] == name

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ({"columns": 0}, "columns"),
            ({"columns": 11}, "columns"),
            ({"rows": 0}, "rows"),
            ({"rows": "4"}, "rows"),
            ({"cell": 63}, "cell"),
            ({"cell": 1025}, "cell"),
            ({"margin": -1}, "margin"),
            ({"margin": 201}, "margin"),
            ({"caption": "x" * 81}, "caption"),
            ({"caption": "Grüße"}, "caption"),
            ({"caption": 7}, "caption"),
            ({"background": "white"}, "background"),
            ({"background": None}, "background"),
            ({"vary": "colour"}, "vary"),
            ({"vary": ["none"]}, "vary"),
            ({"style": "dusk"}, "style"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, parameters, name):
        with pytest.raises(ValueError) as refusal:
            ContactSheet().check(parameters)

        assert refusal.value.args[0] == name
