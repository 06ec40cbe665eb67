"""
The fields in which a form asks for an operation's parameters, by operation.

What may stand in them is the runner's to say: here is only how they are asked for.
"""

from collections.abc import Callable, Mapping
from functools import partial

from django import forms

from apps.jobs.runners.contact_sheet import DEFAULTS, LONGEST_CAPTION
from apps.jobs.runners.enlarge import FACTORS


def _number(label: str, initial: object, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(required=False, label=label, initial=initial, help_text=help_text)


OPTIONS: Mapping[str, Mapping[str, Callable[[], forms.Field]]] = {
    "image.enlarge": {
        "factor": partial(
            forms.TypedChoiceField,
            required=False,
            coerce=int,
            choices=[(factor, f"{factor} times as wide and as high") for factor in FACTORS],
            initial=FACTORS[0],
            label="Factor",
            help_text="The result has at most 40 megapixels.",
        ),
    },
    "image.contact_sheet": {
        "columns": partial(_number, "Columns", DEFAULTS["columns"], "1 to 10"),
        "rows": partial(_number, "Rows", DEFAULTS["rows"], "1 to 10"),
        "cell": partial(_number, "Longer side of each", DEFAULTS["cell"], "64 to 1,024 pixels"),
        "margin": partial(_number, "Margin", DEFAULTS["margin"], "0 to 200 pixels"),
        "vary": partial(
            forms.ChoiceField,
            required=False,
            choices=[("none", "All alike"), ("brightness", "From dark to light")],
            label="Pictures",
        ),
        "caption": partial(
            forms.CharField,
            required=False,
            max_length=LONGEST_CAPTION,
            label="Caption",
            help_text="Below the pictures, in letters without accents.",
        ),
    },
}
