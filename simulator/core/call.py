"""What a resource's function is given: one request that is already checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.core import lists, searching
from simulator.core.http import Request
from simulator.core.transaction import Transaction
from simulator.core.values import Object


class Given(dict[str, Any]):
    """Parameters that remember which of them somebody has looked at."""

    def __init__(self, values: Object) -> None:
        super().__init__(values)
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter, which is then used."""
        self.used.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.used.add(str(name))
        return super().__contains__(name)

    def ignored(self) -> list[str]:
        """Return the names of those that nobody has looked at."""
        return sorted(self.keys() - self.used)


@dataclass
class Call:
    """
    One request.

    `path` has the placeholders of the address, `params` the parameters with their types
    (None where the caller unsets a field), `tx` everything else.
    """

    tx: Transaction
    request: Request
    path: dict[str, str]
    params: Given = field(default_factory=lambda: Given({}))

    def __getitem__(self, name: str) -> Any:
        """Return a parameter that the description requires."""
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter, or the default if it is not given or was unset."""
        value = self.params.get(name)
        return default if value is None else value

    def only(self, *names: str) -> Object:
        """Return those of the named parameters that were given."""
        return {name: self.params[name] for name in names if name in self.params}

    def page(
        self,
        kind: str,
        *,
        match: Sequence[str] = (),
        where: Object | None = None,
        keep: Callable[[Object], bool] | None = None,
    ) -> Object:
        """
        Answer a list request: newest first, a page at a time.

        `match` names parameters that must equal the field of the same name, `where` has
        values that must hold anyway, and `keep` may leave objects out.
        """
        equals = {**self.only(*match), **(where or {})}
        return lists.page(self.tx, kind, self.params, self.request.path, equals, keep)

    def search(self, kind: str, fields: Sequence[str]) -> Object:
        """Answer a search request over these fields, and metadata."""
        return searching.search(self.tx, kind, self.params, self.request.path, fields)


def merged_metadata(old: Object | None, new: Object | None) -> Object:
    """Return metadata after an update: an empty text takes a key away, unset takes all away."""
    if new is None:
        return {}
    return {key: value for key, value in {**(old or {}), **new}.items() if value != ""}
