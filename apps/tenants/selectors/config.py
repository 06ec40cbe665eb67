"""
Values that staff set while the instance runs: declared where they are used, with their type.

Each is read where a decision depends on it, in the transaction of the decision: what is kept
in a process would be wrong in the others. Only the notice of maintenance is read to be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.tenants.errors import InvalidSetting, UnknownSetting
from apps.tenants.models import AdminConfig

Value = int | bool | str


@dataclass(frozen=True)
class Setting[T: Value]:
    """A value that can be set: its type is that of its default."""

    key: str  # app.what_it_is
    default: T
    description: str  # with its unit
    minimum: int | None = None  # of a number
    maximum: int | None = None  # of a number; of letters where it is a text
    requires_admin: bool = True  # only superusers change it

    @property
    def kind(self) -> str:
        """What type of value it takes."""
        return {int: "integer", bool: "boolean", str: "text"}[type(self.default)]

    def check(self, value: object) -> T:
        """
        Return the value if it is one that can be set here.

        :raises InvalidSetting: if its type or size is another.
        """
        is_sized = True
        if isinstance(value, str):
            is_sized = len(value) <= (self.maximum or 1000)
        elif isinstance(value, int) and not isinstance(value, bool):
            is_sized = (self.minimum is None or value >= self.minimum) and (
                self.maximum is None or value <= self.maximum
            )
        # A bool is an int in Python, and 1 is not yes.
        if type(value) is not type(self.default) or not is_sized:
            raise InvalidSetting(key=self.key, rule=self.rule, field="value")
        return value

    @property
    def rule(self) -> str:
        """Say in words what it takes."""
        match self.kind:
            case "integer":
                return f"a whole number from {self.minimum} to {self.maximum}"
            case "boolean":
                return "true or false"
        return f"a text of {self.maximum or 1000} letters at most"


_known: dict[str, Setting[int] | Setting[bool] | Setting[str]] = {}


def declare[T: Setting[int] | Setting[bool] | Setting[str]](setting: T) -> T:
    """Add a value to those that staff can set; once, whoever imports it."""
    _known[setting.key] = setting
    return setting


def known_settings() -> list[Setting[int] | Setting[bool] | Setting[str]]:
    """Return all that can be set, by key."""
    return [_known[key] for key in sorted(_known)]


def setting_named(key: str) -> Setting[int] | Setting[bool] | Setting[str]:
    """
    Return what is declared under this key.

    :raises UnknownSetting: if nothing is.
    """
    if key not in _known:
        raise UnknownSetting(key=key)
    return _known[key]


def value_of[T: Value](setting: Setting[T], among: Mapping[str, object] | None = None) -> T:
    """
    Return what staff have set, or the default; what is of another type counts as not set.

    `among` is what `values` said, where several values decide together.
    """
    if among is None:
        found = AdminConfig.objects.filter(key=setting.key).values_list("value", flat=True).first()
    else:
        found = among.get(setting.key)
    if isinstance(found, int) and not isinstance(found, bool):  # never looser than its bounds
        found = max(found, setting.minimum if setting.minimum is not None else found)
        found = min(found, setting.maximum if setting.maximum is not None else found)
    try:
        return setting.check(found)
    except InvalidSetting:
        return setting.default


def values() -> Mapping[str, object]:
    """Return what staff have set, by key, as it stands in the table: one query for all."""
    return dict(AdminConfig.objects.values_list("key", "value"))
