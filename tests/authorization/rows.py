"""A line of the table: which route, by which rule, with what in it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Rule(Enum):
    """Who gets in, in general; the code of a row says it in particular."""

    OPEN = "everybody"
    PERSONAL = "whoever is signed in, and only to what is his own"
    PAGE = "a page below /o/<slug>/: members with the permission"
    API = "members with the permission, and keys with its scope besides"
    PERSON_API = "signed-in people alone, whatever their organization"
    CALLER_API = "people and keys, whatever their organization and scope"
    STAFF_API = "staff with a global role; to others it does not exist"
    WORKER = "workers outside, each to its own claims; neither people nor API keys"
    SHARED = "whoever it is shared with, and nobody else"
    ADMIN = "the back office"


@dataclass(frozen=True)
class Row:
    """What is declared of one route and some methods."""

    methods: tuple[str, ...]
    route: str
    rule: Rule
    code: str = ""  # the permission; in the back office what is needed: see expected.py
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    names: str = ""  # a parameter in body or query whose object is varied, not one of the address
    absent: int = 404  # what an object answers that is not there
    own: str = ""  # the permission that shows a person's own objects to him
    sees: str = ""  # the permission without which only one's own objects are there
    parties: tuple[str, ...] = ()  # roles whose person is party to the object; others get 404
    also: str = ""  # a second permission that it takes, of the key's scopes as well
    gives: str = ""  # a role that is given, taken or changed: nobody does so beyond what he holds
    tells: str = ""  # the permission in the secret that it tells: only to whom has that himself
    people_only: bool = False  # a scope opens the address, and still no key does this
    reveals: bool = False  # whoever has the link may see what it leads to
    fixed: dict[str, str] = field(default_factory=dict)  # parameters that are no ids

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"{'/'.join(self.methods)} {self.route}"


def api(methods: str, address: str, code: str, **more: Any) -> Row:
    """Return a row of the API of organizations."""
    return Row(tuple(methods.split()), f"api/v1/{address}", Rule.API, code, **more)


def staff(methods: str, address: str, code: str, **more: Any) -> Row:
    """Return a row of the API for staff."""
    return Row(tuple(methods.split()), f"api/v1/staff/{address}", Rule.STAFF_API, code, **more)


def page(methods: str, address: str, code: str, **more: Any) -> Row:
    """Return a row of the pages of an organization."""
    return Row(tuple(methods.split()), f"o/<slug:slug>/{address}", Rule.PAGE, code, **more)


def personal(methods: str, route: str, **more: Any) -> Row:
    """Return a row of what a person does for himself."""
    return Row(tuple(methods.split()), route, Rule.PERSONAL, **more)


def shared(methods: str, route: str, **more: Any) -> Row:
    """Return a row of what is shown to a person outside."""
    return Row(tuple(methods.split()), route, Rule.SHARED, **more)


def worker(methods: str, address: str, **more: Any) -> Row:
    """Return a row of the API for workers outside."""
    return Row(tuple(methods.split()), f"api/v1/worker/{address}", Rule.WORKER, **more)


def everybody(methods: str, route: str, **more: Any) -> Row:
    """Return a row of what needs no permission."""
    return Row(tuple(methods.split()), route, Rule.OPEN, **more)


def admin(methods: str, address: str, needs: str, **more: Any) -> Row:
    """Return a row of the back office; `needs` as expected.py reads it."""
    return Row(tuple(methods.split()), f"admin/{address}", Rule.ADMIN, needs, **more)


def managed(name: str, code: str, *, may_change: bool = False) -> list[Row]:
    """Return the rows of a model of the back office that one permission opens, and nothing else."""
    one = f"{name}/<path:object_id>"
    return [
        admin("GET POST", f"{name}/", code),
        admin("GET POST", f"{name}/add/", code),
        admin("GET POST", f"{name}/<path:object_id>/history/", code),
        admin("GET POST", f"{one}/delete/", "nobody"),
        admin("GET", f"{one}/change/", code),
        admin("POST", f"{one}/change/", code if may_change else "nobody"),
        admin("GET POST PUT PATCH DELETE", f"{one}/", "open"),
    ]


def model(
    name: str,
    may: str,
    *,
    roles: tuple[str, ...] = (),
    changes: str = "change",
    everything: str = "",
) -> list[Row]:
    """
    Return the rows of a model of the back office: `credits/wallet`.

    `may` are the initials of what a superuser can do: View, Add, Change, Delete. `roles` are
    the codes of staff roles that let look as well, `changes` the one that lets change;
    `everything` is the one that all of it asks for, instead of Django's.
    """
    looks = " ".join(("view", *roles))
    verbs = {"V": looks, "A": "add", "C": changes, "D": "delete"}
    if everything:
        verbs = dict.fromkeys(verbs, everything)
    needs = {letter: verb if letter in may else "nobody" for letter, verb in verbs.items()}
    one = f"{name}/<path:object_id>"
    return [
        admin("GET POST", f"{name}/", needs["V"]),
        admin("GET POST", f"{name}/add/", needs["A"]),
        admin("GET POST", f"{name}/<path:object_id>/history/", needs["V"]),
        admin("GET POST", f"{one}/delete/", needs["D"]),
        admin("GET", f"{one}/change/", needs["V"]),
        admin("POST", f"{one}/change/", needs["C"]),
        admin("GET POST PUT PATCH DELETE", f"{one}/", "open"),
    ]
