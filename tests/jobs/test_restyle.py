"""The built-in runner."""

from importlib import import_module
from io import BytesIO

import pytest
from PIL import Image

from apps.jobs.runners import pixels, restyle
from apps.jobs.runners.protocol import RunFailed
from apps.jobs.runners.restyle import Restyle
from tests.jobs.work import picture

FIRST_STYLES = import_module("apps.jobs.migrations.0021_first_styles").FIRST_STYLES
LOOKS = {one["code"]: {**one["parameters"], "swatches": one["swatches"]} for one in FIRST_STYLES}


def run(content: bytes, *, style: str, **parameters) -> tuple[bytes, list[int]]:
    seen: list[int] = []
    runner = Restyle()
    runner.check_look(LOOKS[style])
    asked = {**runner.check(parameters), "look": LOOKS[style]}
    result = runner.run(content, asked, seen.append)
    return result.content, seen


class TestRestyle:
    @pytest.mark.parametrize("style", LOOKS)
    def test_gives_the_same_bytes_for_the_same_picture(self, style):
        assert run(picture(), style=style)[0] == run(picture(), style=style)[0]

    def test_gives_each_style_its_own_look(self):
        assert len({run(picture(), style=style)[0] for style in LOOKS}) == len(LOOKS)

    def test_uses_the_colours_of_a_full_strength_style(self):
        content, _ = run(picture(size=(200, 150)), style="blueprint")

        red, _, blue = Image.open(BytesIO(content)).resize((1, 1)).getpixel((0, 0))
        assert blue > red

    def test_sizes_the_longer_side(self):
        content, _ = run(picture(size=(64, 48)), style="dusk", size=128)

        assert Image.open(BytesIO(content)).size == (128, 96)

    def test_reports_progress_up_to_the_end(self):
        _, seen = run(picture(), style="dusk")

        assert seen == sorted(seen)
        assert seen[-1] == 100

    def test_reports_once_more_when_it_is_encoded(self, monkeypatch):
        seen = []

        def as_png(image):
            seen.append("encoded")
            return pixels.as_png(image)

        monkeypatch.setattr(restyle, "as_png", as_png)
        Restyle().run(picture(), {"look": LOOKS["dusk"]}, seen.append)

        assert seen[-2:] == ["encoded", 100]

    def test_fails_on_a_picture_of_one_colour(self):
        with pytest.raises(RunFailed, match="single colour") as failure:
            run(picture(plain=True), style="dusk")

        assert failure.value.code == "single_colour"

    @pytest.mark.parametrize(
        ("parameters", "name"),
        [
            ({"size": 63}, "size"),
            ({"size": 4097}, "size"),
            ({"size": True}, "size"),
            ({"size": "big"}, "size"),
            ({"colour": 1}, "colour"),
            ({"look": LOOKS["dusk"]}, "look"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, parameters, name):
        with pytest.raises(ValueError) as refusal:
            Restyle().check(parameters)

        assert refusal.value.args[0] == name

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"swatches": ["#000000"]}, "swatches"),
            ({"swatches": ["#000000"] * 9}, "swatches"),
            ({"swatches": ["#000000", "white"]}, "swatches"),
            ({"swatches": "#000000"}, "swatches"),
            ({"swatches": None}, "swatches"),
            ({"strength": 1.01}, "strength"),
            ({"strength": -0.01}, "strength"),
            ({"strength": True}, "strength"),
            ({"strength": float("nan")}, "strength"),
            ({"contrast": 4.1}, "contrast"),
            ({"contrast": None}, "contrast"),
            ({"grain": 65}, "grain"),
            ({"grain": 6.5}, "grain"),
            ({"blur": 1}, "blur"),
        ],
    )
    def test_names_what_is_wrong_with_a_look(self, change, name):
        with pytest.raises(ValueError) as refusal:
            Restyle().check_look({**LOOKS["dusk"], **change})

        assert refusal.value.args[0] == name
