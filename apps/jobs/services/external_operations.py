"""Keep the list of what workers outside can do."""

from typing import Any

from django.db import transaction

from apps.credits import selectors as credits_selectors
from apps.jobs.errors import OperationBuiltIn, ParametersNotDescribed
from apps.jobs.models import ExternalOperation
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.runners.schemas import check_description
from apps.tenants.services import audit

CHANGING = ("name", "description", "parameters", "is_active")


@transaction.atomic
def make_operation(
    *,
    code: str,
    name: str,
    most_pixels: int,
    description: str = "",
    parameters: dict[str, Any] | None = None,
    is_active: bool = False,
) -> ExternalOperation:
    """
    Add an operation whose results have `most_pixels` at most.

    Code and size are for good: jobs and holds go by them.

    :raises OperationBuiltIn: if a runner of ours does it.
    :raises ParametersNotDescribed: if the parameters are not described as they must be.
    :raises UnknownCreditEvent: if it is to be active and has no price.
    """
    if code in RUNNERS:
        raise OperationBuiltIn(operation=code)
    operation = ExternalOperation(
        code=code,
        name=name,
        description=description,
        parameters=parameters or {},
        most_pixels=most_pixels,
        is_active=is_active,
    )
    _check(operation)
    operation.save(force_insert=True)
    audit.record(
        action="external_operation.create",
        object_id=operation.public_id,
        after={"code": code, "most_pixels": most_pixels, **_shown(operation)},
    )
    return operation


@transaction.atomic
def change_operation(
    *,
    operation: ExternalOperation,
    name: str,
    description: str,
    parameters: dict[str, Any],
    is_active: bool,
) -> ExternalOperation:
    """
    Change what may change. What waits is still worked on, with the parameters that it has.

    :raises ParametersNotDescribed: if the parameters are not described as they must be.
    :raises UnknownCreditEvent: if it is to be active and has no price.
    """
    locked = ExternalOperation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    before = _shown(locked)
    locked.name, locked.description = name, description
    locked.parameters, locked.is_active = parameters, is_active
    _check(locked)
    locked.save(update_fields=[*CHANGING, "updated_at"])
    audit.record(
        action="external_operation.change",
        object_id=locked.public_id,
        before=before,
        after=_shown(locked),
    )
    return locked


def _check(operation: ExternalOperation) -> None:
    try:
        check_description(operation.parameters)
    except ValueError as error:
        place, problem = error.args
        raise ParametersNotDescribed(place=place, problem=problem) from error
    if operation.is_active:
        credits_selectors.price_of(operation.code)


def _shown(operation: ExternalOperation) -> dict[str, Any]:
    return {name: getattr(operation, name) for name in CHANGING}
