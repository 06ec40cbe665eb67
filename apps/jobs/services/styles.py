"""
Keep styles: make them, rename them, offer them or not, and publish versions of them.

A version is written once. What was submitted before keeps the one that it was submitted with.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from apps.core.db import inside_transaction
from apps.jobs.errors import StyleRefused
from apps.jobs.models import Style, StyleVersion
from apps.jobs.runners.registry import STYLED
from apps.jobs.services.looks import check_template
from apps.tenants.services import audit


@transaction.atomic
def create_style(
    *, operation: str, code: str, name: str, description: str = "", position: int = 0
) -> Style:
    """
    Make a style; nobody can choose it before it has a version.

    :raises StyleRefused: if the operation has no styles, or another one has the code or name.
    """
    style = Style(
        operation=operation, code=code, name=name, description=description, position=position
    )
    if operation not in STYLED:
        reason = f"This operation has no styles. Choose one of: {', '.join(STYLED)}."
        raise StyleRefused(field="operation", reason=reason)
    _check_names(style, code=code, name=name)
    style.save(force_insert=True)
    audit.record(
        action="style.created",
        object_id=style.public_id,
        after={"operation": operation, "code": code, "name": name},
    )
    return style


@transaction.atomic
def change_style(
    style: Style, *, name: str, description: str, position: int, is_active: bool
) -> Style:
    """
    Change how a style is called, where it stands and whether it can be chosen; its code stays.

    :raises StyleRefused: if another style of the operation has the name.
    """
    style = _lock(style)
    _check_names(style, name=name)
    given = {
        "name": name,
        "description": description,
        "position": position,
        "is_active": is_active,
    }
    changed = {field: value for field, value in given.items() if getattr(style, field) != value}
    if not changed:
        return style
    before = {field: getattr(style, field) for field in changed}
    for field, value in changed.items():
        setattr(style, field, value)
    style.save(update_fields=list(changed))
    audit.record(action="style.changed", object_id=style.public_id, before=before, after=changed)
    return style


@transaction.atomic
def publish_style_version(
    style: Style,
    *,
    swatches: Sequence[str],
    parameters: Mapping[str, Any],
    prompt_template: str = "",
) -> StyleVersion:
    """
    Add a version, which is in force from now on.

    :raises StyleRefused: if the operation cannot work by this look, or the template is wrong.
    """
    style = _lock(style)
    check_version(style, swatches, parameters, prompt_template)
    last = style.versions.order_by("-number").first()
    version = StyleVersion(
        style=style,
        number=last.number + 1 if last else 1,
        swatches=list(swatches),
        parameters=dict(parameters),
        prompt_template=prompt_template,
    )
    version.save(force_insert=True)
    audit.record(
        action="style.version_published",
        object_id=version.public_id,
        after={
            "style": style.code,
            "number": version.number,
            "swatches": version.swatches,
            "parameters": version.parameters,
            "prompt_template": prompt_template,
        },
    )
    return version


def check_version(
    style: Style, swatches: Sequence[str], parameters: Mapping[str, Any], prompt_template: str
) -> None:
    """
    Refuse what a version cannot be.

    :raises StyleRefused: for the first thing that is wrong.
    """
    try:
        STYLED[style.operation].check_look({**parameters, "swatches": swatches})
        check_template(prompt_template, parameters)
    except ValueError as error:
        name, problem = error.args
        if name in ("swatches", "prompt_template"):
            raise StyleRefused(field=name, reason=problem) from error
        raise StyleRefused(field="parameters", reason=f"{name}: {problem}") from error


@inside_transaction
def _lock(style: Style) -> Style:
    """Return the row as it is now, so that two who change it follow one another."""
    return Style.objects.select_for_update(no_key=True).get(pk=style.pk)


def _check_names(style: Style, **wanted: str) -> None:
    others = Style.objects.filter(operation=style.operation).exclude(pk=style.pk)
    for field, value in wanted.items():
        if others.filter(**{field: value}).exists():
            reason = f"Another style of this operation has the {field} {value}."
            raise StyleRefused(field=field, reason=reason)
