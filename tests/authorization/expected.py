"""What a cell must answer, from the table, the codes and who asks: nothing else is looked at."""

from dataclasses import dataclass
from enum import Enum

from tests.authorization.codes import SCOPE_OF, codes_of
from tests.authorization.principals import Principal
from tests.authorization.rows import Row, Rule
from tests.authorization.world import HERE, THERE

BY_STATE = "by state"  # as the code of a row: what the person has set up says what comes
GET_IN = "nothing"  # as the code of a row: whoever comes so far finds nothing there


class Verdict(Enum):
    """What an answer says, whatever its words."""

    ALLOWED = "allowed"
    SIGN_IN = "led to sign-in"
    UNKNOWN = "401"
    DENIED = "403"
    ABSENT = "404"
    AWAY = "led away, or 404"  # the back office, for a row that is not there
    UNSPECIFIED = "anything but a failure"


@dataclass(frozen=True)
class Target:
    """Where something is asked for, and what."""

    place: str  # here, there, nowhere
    which: str = ""  # own, other, foreign, missing; empty where the address names nothing

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"{self.which or 'list'} {self.place}"

    @property
    def is_there(self) -> bool:
        """Whether the place has such an object."""
        return self.which in ("", "own", "other", "there")


def expected(row: Row, who: Principal, target: Target) -> Verdict:
    """Return what the cell must answer."""
    return _RULES[row.rule](row, who, target)


def _page(row: Row, who: Principal, target: Target) -> Verdict:
    if who.is_anonymous or who.is_key:
        return Verdict.SIGN_IN
    if target.place not in who.roles:
        return Verdict.ABSENT
    codes = who.codes_in(target.place)
    if row.code not in codes and row.own not in codes and not who.is_superuser:
        return Verdict.DENIED
    return _object(row, who, target)


def _api(row: Row, who: Principal, target: Target) -> Verdict:
    if who.is_anonymous or not who.is_valid:
        return Verdict.UNKNOWN
    if target.place not in who.roles:
        return Verdict.ABSENT
    codes = who.codes_in(target.place)
    if row.code not in codes:
        return Verdict.DENIED
    if who.scopes is not None and (
        not SCOPE_OF[row.code] or SCOPE_OF[row.code] not in who.scopes or row.people_only
    ):
        return Verdict.DENIED
    return _object(row, who, target)


def _object(row: Row, who: Principal, target: Target) -> Verdict:
    """Return what the object answers to whoever has come so far."""
    if row.code == GET_IN:
        return Verdict.ABSENT
    if row.also and row.also not in who.holds_in(target.place):
        return Verdict.UNSPECIFIED  # 403 or 404, as it is looked for before or after
    if not target.is_there and row.absent != 404:
        return Verdict.ALLOWED
    if not target.is_there:
        return Verdict.ABSENT
    roles = who.roles.get(target.place, ())
    if row.parties and not set(row.parties) & set(roles):
        return Verdict.ABSENT
    if row.gives and not codes_of(row.gives) <= who.holds_in(target.place):
        return Verdict.DENIED
    if row.tells and row.tells not in who.codes_in(target.place):
        return Verdict.DENIED
    if row.own and row.code not in who.codes_in(target.place) and target.which != "own":
        return Verdict.ABSENT
    is_anothers = target.which not in ("", "own")
    if row.sees and is_anothers and row.sees not in who.codes_in(target.place):
        return Verdict.ALLOWED if row.absent != 404 else Verdict.ABSENT
    return Verdict.ALLOWED


def _person_api(row: Row, who: Principal, target: Target) -> Verdict:
    if who.is_anonymous or not who.is_valid:
        return Verdict.UNKNOWN
    if who.is_key:
        return Verdict.DENIED
    return Verdict.ABSENT if row.code == GET_IN else Verdict.ALLOWED


def _caller_api(row: Row, who: Principal, target: Target) -> Verdict:
    return Verdict.UNKNOWN if who.is_anonymous or not who.is_valid else Verdict.ALLOWED


def _staff_api(row: Row, who: Principal, target: Target) -> Verdict:
    if who.is_anonymous or not who.is_valid:
        return Verdict.UNKNOWN
    if who.is_key:
        return Verdict.DENIED
    if not (who.is_staff and (who.is_superuser or row.code in who.staff_codes)):
        return Verdict.ABSENT
    return Verdict.ABSENT if target.which == "missing" else Verdict.ALLOWED


def _personal(row: Row, who: Principal, target: Target) -> Verdict:
    if who.is_anonymous or who.is_key:
        return Verdict.SIGN_IN
    if row.code == BY_STATE:
        return Verdict.UNSPECIFIED
    if row.code == GET_IN or target.which not in ("", "own"):
        return Verdict.ABSENT
    return Verdict.ALLOWED


def _shared(row: Row, who: Principal, target: Target) -> Verdict:
    is_api = row.route.startswith("api/")
    if who.is_anonymous or not who.is_valid:
        return Verdict.UNKNOWN if is_api else Verdict.SIGN_IN
    if who.is_key:
        return Verdict.DENIED if is_api else Verdict.SIGN_IN
    if not target.which:
        return Verdict.ALLOWED
    is_shared = who.has_share and target.which == "other"
    return Verdict.ALLOWED if is_shared else Verdict.ABSENT


def _worker(row: Row, who: Principal, target: Target) -> Verdict:
    if not who.is_worker:
        return Verdict.UNKNOWN
    return Verdict.ABSENT if target.which else Verdict.ALLOWED  # it has claimed nothing


def _open(row: Row, who: Principal, target: Target) -> Verdict:
    return Verdict.ABSENT if row.code == GET_IN else Verdict.UNSPECIFIED


def _admin(row: Row, who: Principal, target: Target) -> Verdict:
    needs = set(row.code.split())
    if needs & {"anybody", "open"}:
        return Verdict.UNSPECIFIED
    if not who.is_staff:
        return Verdict.SIGN_IN
    if "missing" in needs:
        return Verdict.ABSENT
    may = bool(
        (who.is_superuser and "nobody" not in needs)
        or (who.looks_everywhere and "view" in needs)
        or needs & who.staff_codes
        or "staff" in needs
    )
    if target.which == "missing":
        return Verdict.AWAY if may else Verdict.UNSPECIFIED
    if not may and "hidden" in needs:
        return Verdict.ABSENT
    return Verdict.ALLOWED if may else Verdict.DENIED


_RULES = {
    Rule.PAGE: _page,
    Rule.API: _api,
    Rule.PERSON_API: _person_api,
    Rule.CALLER_API: _caller_api,
    Rule.STAFF_API: _staff_api,
    Rule.PERSONAL: _personal,
    Rule.OPEN: _open,
    Rule.SHARED: _shared,
    Rule.WORKER: _worker,
    Rule.ADMIN: _admin,
}
PLACES = (HERE, THERE, "nowhere")
