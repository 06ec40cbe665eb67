"""
Search: a subset of Stripe's query language.

    email:'jane@example.com' AND metadata['org']:'42'      -status:'canceled'
    created>1700000000 OR name~'acme'                       metadata['org']:null
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from simulator.core.errors import invalid
from simulator.core.lists import limit_of
from simulator.core.store import Collection
from simulator.core.values import Object

if TYPE_CHECKING:
    from simulator.core.transaction import Transaction

CLAUSE = re.compile(
    r"""\s*(?P<not>-)?
        (?P<field>metadata\[(?P<q>["'])(?P<key>(?:\\.|(?!(?P=q)).)*)(?P=q)\]|\w+(?:\.\w+)*)
        \s*(?P<operator>:|~|>=|<=|>|<)\s*
        (?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|null|-?\d+)\s*""",
    re.VERBOSE,
)
JOINT = re.compile(r"(AND|OR)\b|", re.IGNORECASE)
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
}

type Test = Callable[[Object], bool]


def search(tx: "Transaction", kind: str, params: Object, url: str, fields: Sequence[str]) -> Object:
    """
    Return one page of what fits a query, newest first.

    :raises StripeError: if the query or the page is not understood.
    """
    fits = parse(params["query"], fields)
    collection = tx.world.store.kinds[kind]
    token = params.get("page")
    if token is not None and token not in collection.rows:
        raise invalid("Invalid page token.", param="page")
    limit = limit_of(params)
    edge = collection.place_of(token) if token else None
    listed = _candidates(collection, params["query"])
    rows = collection.newest(token) if listed is None else listed
    wanted = (row for row in rows if fits(row))
    behind = (row for row in wanted if edge is None or collection.place_of(row["id"]) < edge)
    found = list(islice(behind, limit + 1))
    shown = found[:limit]
    more = len(found) > limit
    return {
        "object": "search_result",
        "data": [tx.public(row) for row in shown],
        "has_more": more,
        "next_page": shown[-1]["id"] if more else None,
        "url": url,
    }


def _candidates(collection: Collection, query: str) -> list[Object] | None:
    """Return what can fit a query that begins by saying what metadata must be, or None."""
    first = CLAUSE.match(query)
    if first is None or first["key"] is None or first["operator"] != ":" or first["not"]:
        return None
    value = _literal(first["value"])
    if not isinstance(value, str) or re.search(r"\bOR\b", query, re.IGNORECASE):
        return None
    return collection.with_metadata(first["key"], value)[::-1]


def parse(query: str, fields: Sequence[str]) -> Test:
    """
    Return the test that a query means.

    :raises StripeError: if it does not follow the query language.
    """
    tests: list[Test] = []
    joints: set[str] = set()
    place = 0
    while place < len(query):
        clause = CLAUSE.match(query, place)
        if clause is None:
            raise _not_understood(query)
        tests.append(_test(clause, fields))
        place = clause.end()
        joint = JOINT.match(query, place)
        if joint is not None and place < len(query):
            joints.add((joint[1] or "AND").upper())
            place = joint.end()
    if not tests or len(joints) > 1 or query.rstrip().endswith((" AND", " OR")):
        raise _not_understood(query)
    combine = any if joints == {"OR"} else all
    return lambda row: combine(test(row) for test in tests)


def _test(clause: re.Match[str], fields: Sequence[str]) -> Test:
    field, operator, value = clause["field"], clause["operator"], _literal(clause["value"])
    path = ["metadata", clause["key"]] if clause["key"] is not None else field.split(".")
    if clause["key"] is None and field not in fields:
        raise invalid(
            f"Field `{field}` is an unsupported search field for this resource. "
            f"Supported fields: {', '.join([*fields, 'metadata'])}.",
            param="query",
        )

    def test(row: Object) -> bool:
        found: Any = row
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return _holds(found, operator, value) != bool(clause["not"])

    return test


def _holds(found: Any, operator: str, value: Any) -> bool:
    if value is None or found is None:
        return found is None and value is None
    if operator in ORDER:
        return isinstance(found, int) and isinstance(value, int) and ORDER[operator](found, value)
    if isinstance(found, bool):
        return str(value).lower() == str(found).lower()
    if operator == "~":
        return str(value).lower() in str(found).lower()
    return str(found).lower() == str(value).lower()


def _literal(text: str) -> Any:
    if text == "null":
        return None
    if text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return int(text)


def _not_understood(query: str) -> Exception:
    return invalid(f"We were unable to parse your search query: {query}", param="query")
