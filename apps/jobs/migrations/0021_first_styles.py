"""The styles that the runner has known until now, each as the first version of a row."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OPERATION = "image.restyle"
PROMPT = "Restyle the picture as “{name}”: {description}. Colours from dark to light: {colours}."
FIRST_STYLES: list[dict[str, Any]] = [
    {
        "code": "dusk",
        "name": "Dusk",
        "description": "Violet shadows and a warm last light",
        "swatches": ["#1b1036", "#7a3b69", "#f3a46b", "#fff1d6"],
        "parameters": {"strength": 0.75, "contrast": 1.15, "grain": 8},
    },
    {
        "code": "blueprint",
        "name": "Blueprint",
        "description": "Deep blue, pale lines, as on tracing paper",
        "swatches": ["#071c3f", "#123f7d", "#5b93c9", "#eaf4ff"],
        "parameters": {"strength": 1.0, "contrast": 1.35, "grain": 4},
    },
    {
        "code": "meadow",
        "name": "Meadow",
        "description": "Fresh greens under a hazy sky",
        "swatches": ["#10281a", "#2f6b3c", "#a8c66c", "#f6fbe4"],
        "parameters": {"strength": 0.65, "contrast": 1.05, "grain": 6},
    },
    {
        "code": "newsprint",
        "name": "Newsprint",
        "description": "Black ink on cream, with a strong grain",
        "swatches": ["#141414", "#4c4a46", "#b3aea2", "#f7f1e3"],
        "parameters": {"strength": 1.0, "contrast": 1.5, "grain": 28},
    },
]


def add(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add each style with its first version."""
    Style, Version = apps.get_model("jobs", "Style"), apps.get_model("jobs", "StyleVersion")
    for position, given in enumerate(FIRST_STYLES):
        named = {field: given[field] for field in ("code", "name", "description")}
        style = Style.objects.create(operation=OPERATION, position=position * 10, **named)
        does = {field: given[field] for field in ("swatches", "parameters")}
        Version.objects.create(style=style, number=1, prompt_template=PROMPT, **does)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0020_styles")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
