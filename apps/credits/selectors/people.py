"""Who moved credits, by name."""

from collections.abc import Iterable
from uuid import UUID

from apps.rbac.models import ApiKey
from apps.rbac.selectors import members_of
from apps.tenants.models import Organization, User

NOBODY = "Coffer"  # what is done by a task of ours


def names_of_actors(organization: Organization, actors: Iterable[str]) -> dict[str, str]:
    """Return how each actor is called on pages; those of other organizations stay unnamed."""
    actors = set(actors)
    people = _ids(actors, "user:", User)
    keys = _ids(actors, "key:", ApiKey)
    names: dict[str, str] = {}
    if people:
        # Those who left still have a name, and only who moved credits here is asked for.
        for user in User.objects.filter(pk__in=people):
            name = "Support" if user.is_staff else user.full_name or user.email
            names[f"user:{user.public_id}"] = name
    if keys:
        for key in ApiKey.objects.filter(pk__in=keys, organization=organization):
            names[f"key:{key.public_id}"] = f"{key.name} (API key)"
    return {actor: names.get(actor) or _name_of_other(actor) for actor in actors}


def possible_actors(organization: Organization, *, limit: int = 200) -> list[tuple[str, str]]:
    """Return the members and keys that may have moved credits, with their names, for a choice."""
    people = [
        (f"user:{user.public_id}", user.full_name or user.email)
        for user in members_of(organization)[:limit]
    ]
    keys = ApiKey.objects.filter(organization=organization).order_by("name", "id")[:limit]
    return [*people, *((f"key:{key.public_id}", f"{key.name} (API key)") for key in keys)]


def _ids(actors: Iterable[str], prefix: str, model: type[User] | type[ApiKey]) -> list[UUID]:
    found = (
        model.read_id(actor.removeprefix(prefix)) for actor in actors if actor.startswith(prefix)
    )
    return [one for one in found if one is not None]


def _name_of_other(actor: str) -> str:
    return NOBODY if actor.startswith("system") else actor
