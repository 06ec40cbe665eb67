"""The cells of a row: who asks, where, for what; and the request that each of them sends."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from apps.rbac.permissions import PROGRAMME_MEMBER
from tests.authorization.codes import SCOPE_OF, SCOPES, STAFF_CODES
from tests.authorization.expected import PLACES, Target, Verdict, expected
from tests.authorization.objects import CONSTANTS, PARAMETERS, Objects
from tests.authorization.principals import Principal
from tests.authorization.rows import Row, Rule
from tests.authorization.world import HERE, THERE, World

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
OF_OFFICE = ("object_id", "id")  # parameters of the back office, whatever the model
IN_PLACES = (Rule.PAGE, Rule.API)
WITH_OBJECT = (
    Target(HERE, "own"),
    Target(HERE, "other"),
    Target(HERE, "foreign"),
    Target(HERE, "missing"),
    Target(THERE, "there"),
    Target("nowhere", "missing"),
)
ANYWHERE = (
    Target(HERE, "own"),
    Target(HERE, "other"),
    Target(THERE, "there"),
    Target("nowhere", "missing"),
)
REFUSED = {Verdict.SIGN_IN, Verdict.UNKNOWN, Verdict.DENIED}  # whatever is asked for
STANDS_FOR_ALL = "other"  # of the objects of a place: every model has one there
NOWHERE_SLUG = "place-nowhere-at-all"
PROGRAM = "key of all scopes there"  # pages know no keys, so that one of them tells for all
OTHER_KEYS = (PROGRAM, "key of a member", "key of a removed member")
STAFF = (
    "staff without a role",
    "staff who may look",
    "superuser",
    "credit clerk",
    "credit approver",
    "account manager",
    "support",
)
OUTSIDER = "person with a share"
FEW = ("anonymous", "owner here", "member there", "removed member", OUTSIDER, PROGRAM, "superuser")
# Where roles in organizations and scopes make no difference, not all of them are asked.
BY_NAME = {
    Rule.OPEN: FEW,
    Rule.PERSONAL: FEW,
    Rule.SHARED: FEW,
    Rule.ADMIN: ("anonymous", "owner here", PROGRAM, *STAFF),
    Rule.STAFF_API: ("anonymous", "owner here", "owner there", PROGRAM, "expired key", *STAFF),
}


@dataclass
class Asked:
    """One request."""

    path: str
    query: str = ""
    body: str | dict[str, Any] = ""
    headers: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)  # by name, what an answer may repeat


def parameters_of(row: Row) -> list[str]:
    """Return the parameters of a row's address that name something."""
    names = [one or other for one, other in PARAMETER.findall(row.route)]
    return [name for name in names if name not in row.fixed]


def varied(row: Row) -> str:
    """Return the parameter whose object is varied; empty where there is none."""
    named = [one for one in parameters_of(row) if one in PARAMETERS]
    if row.names:
        return row.names
    if row.rule is Rule.ADMIN:
        return next((one for one in OF_OFFICE if one in parameters_of(row)), "")
    return next((one for one in named if PARAMETERS[one]), "")


def targets_of(row: Row, who: Principal, *, quickly: bool) -> list[Target]:
    """
    Return what is asked for by a row.

    Quickly, where each object of a place must be refused alike before anybody looks for it, one
    of them is asked for.
    """
    every = _every_target(row)
    if not quickly:
        return [*every]
    shut = {place for place in PLACES if _is_shut(row, who, place, every)}
    return [one for one in every if one.place not in shut or one.which in ("", STANDS_FOR_ALL)]


def _is_shut(row: Row, who: Principal, place: str, every: tuple[Target, ...]) -> bool:
    """Tell whether several objects of a place must be refused alike, before one is looked for."""
    verdicts = [expected(row, who, one) for one in every if one.place == place]
    refused = REFUSED if place in who.roles else {*REFUSED, Verdict.ABSENT}
    return len(verdicts) > 1 and len(set(verdicts)) == 1 and verdicts[0] in refused


def _every_target(row: Row) -> tuple[Target, ...]:
    parameter = varied(row)
    if row.rule in IN_PLACES and (not parameter or parameter == "organization"):
        return tuple(Target(place) for place in PLACES)
    if row.rule in IN_PLACES:
        return WITH_OBJECT
    return ANYWHERE if parameter else (Target(HERE),)


def principals_of(row: Row, everyone: list[Principal], *, quickly: bool) -> Iterator[Principal]:
    """
    Yield who is asked about a row.

    Quickly, of those elsewhere only the most and the least, of keys those that differ for this
    row: one with nothing but its scope, and one with every other; and a member of a programme
    where he may do something, or sees less than others.
    """
    for who in everyone:
        if row.rule in BY_NAME:
            if who.name in BY_NAME[row.rule] and not (quickly and tells_nothing(row, who)):
                yield who
        elif row.rule is Rule.PAGE and who.is_key:
            if who.name == PROGRAM:
                yield who
        elif not quickly or tells(row, who):
            yield who


def tells(row: Row, who: Principal) -> bool:
    """Tell whether nobody else that is asked tells the same about the row."""
    if who.name.startswith("key ") and who.name not in OTHER_KEYS:
        scope = SCOPE_OF.get(row.code) or SCOPES[0]
        return who.name in (f"key {scope}", f"key of all scopes but {scope}")
    if list(who.roles) == [THERE]:
        return who.name in ("owner there", "member there", PROGRAM)
    if who.name == "programme member here" and row.rule in IN_PLACES:
        return row.code in PROGRAMME_MEMBER.codes or bool(row.own or row.sees)
    return who.name not in ("credit clerk", "credit approver") or row.rule is Rule.STAFF_API


def tells_nothing(row: Row, who: Principal) -> bool:
    """Tell whether somebody else stands for this one in the back office."""
    if row.rule is not Rule.ADMIN or not (who.is_key or who.staff_codes):
        return False
    return who.is_key or (
        who.name != "account manager" and not set(row.code.split()) & STAFF_CODES.keys()
    )


class Asking:
    """Makes requests of cells."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.objects = Objects(world)

    def request(self, row: Row, who: Principal, target: Target) -> Asked | None:
        """Return the request of a cell; None where the person has no such object."""
        parameter = varied(row)
        values = {**CONSTANTS, **self.surroundings(target), **row.fixed}
        for name in {*parameters_of(row), parameter} - {"", "slug"}:
            if not (model := self.model_of(row, name)):
                continue
            which = target.which if name == parameter and target.which else "other"
            if name == "organization" and row.rule is Rule.API:
                values[name] = values["organization_here"]
                continue
            found = self.objects.id_of(model, which, who.person, is_raw=row.rule is Rule.ADMIN)
            if found is None:
                return None
            values[name] = found
        return self.written(row, values, target)

    def model_of(self, row: Row, name: str) -> str:
        """Return the model that a parameter of the row names; the back office has its own."""
        if row.rule is Rule.ADMIN and name in OF_OFFICE:
            _, app, model, *_ = row.route.split("/")
            return f"{app}.{model}"
        return PARAMETERS.get(name, "")

    def surroundings(self, target: Target) -> dict[str, str]:
        """Return slug and id of the place, and what bodies name besides."""
        place = self.world.place(target.place)
        known = {
            "slug": place.organization.slug,
            "organization_here": place.organization.public_id,
            "charge": f"{place.name}:owner",  # as world.py spent it
        }
        if target.place == "nowhere":
            missing = self.objects.id_of("tenants.Organization", "missing", None)
            known |= {"slug": NOWHERE_SLUG, "organization_here": str(missing)}
        return known

    def written(self, row: Row, values: dict[str, str], target: Target) -> Asked:
        """Write the address, the query and the body."""
        path = "/" + PARAMETER.sub(lambda one: values.get(one[1] or one[2], ""), row.route)
        asked = Asked(re.sub(r"/\^|\$$|\(\?P<.*$", self._plain, path))
        asked.sent = {name: value for name, value in values.items() if name not in CONSTANTS}
        asked.query = urlencode(_filled(row.query, values))
        asked.headers = {"X-Request-ID": "matrix-request-1", "Idempotency-Key": "matrix-key"}
        body = _filled(row.body, values)
        if row.route.startswith("api/"):
            asked.body = json.dumps(body)
            if row.rule is Rule.API and "<str:organization>" not in row.route:
                asked.headers["Coffer-Organization"] = values["organization_here"]
        else:
            asked.body = body
        return asked

    @staticmethod
    def _plain(one: re.Match[str]) -> str:
        return "/" if one[0] == "/^" else ""


def _filled(values: Any, known: dict[str, str]) -> Any:
    if isinstance(values, dict):
        return {name: _filled(value, known) for name, value in values.items()}
    if isinstance(values, list):
        return [_filled(value, known) for value in values]
    if isinstance(values, str) and values.startswith("{"):
        return known[values.strip("{}")]
    return values
