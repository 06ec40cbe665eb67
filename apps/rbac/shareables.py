"""What can be shared object by object with somebody outside: apps register their models here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from apps.core.models import PublicId
from apps.tenants.models import User


@dataclass(frozen=True)
class Shareable:
    """A model whose rows belong to an organization and can be shared one by one, to be seen."""

    model: type[Model]
    needs: str  # what a person must be allowed to do to share one: jobs.view
    noun: str  # as pages call it: job
    page: str  # name of its address inside the organization; takes slug and public id
    shared_page: str  # name of its address for who it is shared with; takes the public id
    is_seen_by: Callable[[Any, User], bool]  # who may see what `needs` opens may still not see one

    @property
    def permission(self) -> str:
        """The permission of django-guardian that a share is kept as."""
        return f"view_{self.model._meta.model_name}"

    @property
    def prefix(self) -> str:
        """How public ids of its rows begin."""
        assert issubclass(self.model, PublicId)
        return self.model.PREFIX


_registered: dict[str, Shareable] = {}  # by prefix


def register(shareable: Shareable) -> None:
    """Let rows of a model be shared; called when its app starts."""
    _registered[shareable.prefix] = shareable


def registered() -> Iterable[Shareable]:
    """Return everything that can be shared."""
    return _registered.values()


def shareable_by_id(public_id: str) -> Shareable | None:
    """Return what an id like `job_…` names, if such things can be shared."""
    return _registered.get(public_id.partition("_")[0])


def shareable_of(model: type[Model]) -> Shareable | None:
    """Return how rows of this model are shared, if they can be."""
    return next((one for one in _registered.values() if one.model is model), None)
