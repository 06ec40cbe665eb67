"""
Resolve styles: what a customer chose by its code becomes the look that a worker works by.

That happens once, when a job is submitted. The look is kept in the area's parameters, so that
a version which is published later changes nothing of what was submitted before.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from apps.jobs.models import GenerationArea, StyleVersion
from apps.jobs.runners.registry import STYLED

BESIDE_PARAMETERS = ("name", "description", "colours")  # what a template may name, too


def choose_style(
    parameters: Mapping[str, Any], offered: Mapping[str, StyleVersion]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return style, version and look of what was asked for, and the parameters that are left.

    Whoever names a `style_version` gets that one or is refused: he has seen what it does.

    :raises ValueError: with (parameter, problem) if there is no such style now.
    """
    rest = dict(parameters)
    code, number = rest.pop("style", None), rest.pop("style_version", None)
    version = offered.get(code) if isinstance(code, str) else None
    if version is None:
        raise ValueError("style", f"Choose one of: {', '.join(offered) or 'none is offered now'}.")
    if number is not None and number != version.number:
        problem = f"Version {version.number} of {code} is in force, and no other. Ask for that."
        raise ValueError("style_version", problem)
    look = look_of(version)
    return {"style": version.style.code, "style_version": version.number, "look": look}, rest


def look_of(version: StyleVersion) -> dict[str, Any]:
    """Return all that a worker needs to know of a version, as plain JSON."""
    return {
        "version_id": version.public_id,
        "name": version.style.name,
        "prompt": _prompt(version),
        "swatches": version.swatches,
        **version.parameters,
    }


def parameters_of(area: GenerationArea) -> dict[str, Any]:
    """
    Return what a runner gets: the parameters of the area, with the look of its style.

    What was submitted before styles had versions knows the first ones alone.
    """
    if area.operation_type not in STYLED or "look" in area.parameters:
        return dict(area.parameters)
    first = StyleVersion.objects.select_related("style").get(
        style__operation=area.operation_type, style__code=area.parameters["style"], number=1
    )
    return {**area.parameters, "style_version": 1, "look": look_of(first)}


def check_template(template: str, parameters: Mapping[str, Any]) -> None:
    """
    Check that a prompt template names nothing but what a version has.

    :raises ValueError: with (field, problem) if it does, or is not well-formed.
    """
    known = [*BESIDE_PARAMETERS, *parameters]
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        problem = f"The braces do not fit together ({error}). Write {{{{ and }}}} for braces."
        raise ValueError("prompt_template", problem) from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in known or form or conversion):
            names = ", ".join(f"{{{one}}}" for one in known)
            written = (
                f"{{{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
            )
            raise ValueError("prompt_template", f"There is no {written}. Use: {names}.")


def _prompt(version: StyleVersion) -> str:
    """Return the template with what its placeholders stand for."""
    values = {
        **version.parameters,
        "name": version.style.name,
        "description": version.style.description,
        "colours": ", ".join(version.swatches),
    }
    parts = Formatter().parse(version.prompt_template)
    return "".join(
        literal + ("" if name is None else str(values[name])) for literal, name, _, _ in parts
    )
