"""A pass over the matrix: each cell in a transaction of its own that is never committed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from unittest import mock

from allauth.core.context import request_context
from django.core.files.storage import FileSystemStorage
from django.db import connection, transaction
from django.http import SimpleCookie
from django.test import override_settings

from apps.core import queue
from tests.authorization.canaries import Canaries, set_marks
from tests.authorization.cells import Asked, Asking, principals_of, targets_of
from tests.authorization.expected import Target, Verdict, expected
from tests.authorization.principals import Principal, make_principals
from tests.authorization.rows import Row, Rule
from tests.authorization.searching import Listener, Told, foreign_things
from tests.authorization.table import ROWS
from tests.authorization.touching import touched, watch_writes
from tests.authorization.world import HERE, World, make_world
from tests.markup import inline_parts

SAFE = ("GET", "HEAD", "OPTIONS")
SIGN_IN = ("/accounts/login/", "/admin/login/")
OFF = "billing_not_configured"  # the code of what asks Stripe, where there is none
SETTINGS = {
    "ACCOUNT_REAUTHENTICATION_TIMEOUT": 24 * 3600,  # a slow pass asks nobody once more
    "ACCOUNT_RATE_LIMITS": False,  # other tests look at those
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
}


@dataclass
class Findings:
    """What a pass saw."""

    cells: int = 0
    wrong: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    searched: int = 0  # answers in which marks and ids of others were looked for
    pairs: int = 0  # answers about another's id and about nobody's that were compared
    pages: int = 0  # whose HTML was read


@contextmanager
def matrix() -> Iterator["Matrix"]:
    """Make the world with its marks, and forget it afterwards."""
    with override_settings(**SETTINGS), rolled_back():
        world = make_world()
        canaries = set_marks(world.here, world.there)
        world.read_again()
        principals = make_principals(world)
        watch_writes(world)
        yield Matrix(world, canaries, principals)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Open a transaction that services take for none, and undo it."""
    block = transaction.atomic()
    block._from_testcase = True  # as TestCase does: see apps.core.db
    with block:
        yield
        connection.run_on_commit = []
        transaction.set_rollback(True)


class Matrix:
    """Sends the requests of cells and judges the answers."""

    def __init__(self, world: World, canaries: Canaries, principals: list[Principal]) -> None:
        self.world, self.canaries, self.principals = world, canaries, principals
        self.asking, self.listener = Asking(world), Listener()
        self.findings = Findings()
        self.looked_at: set[tuple[str, int]] = set()

    def run(self, rows: Iterable[Row] = ROWS, *, quickly: bool = False) -> Findings:
        """Go through all cells of the rows; quickly, through those that tell something new."""
        with self.listener.listening():
            for row in rows:
                for method in row.methods:
                    for who in principals_of(row, self.principals, quickly=quickly):
                        self.ask(row, method, who, quickly=quickly)
        return self.findings

    def ask(self, row: Row, method: str, who: Principal, *, quickly: bool = False) -> None:
        """Ask for each object, and compare the answers that must be the same."""
        answers: dict[Target, tuple[Verdict, str]] = {}
        for target in targets_of(row, who, quickly=quickly):
            asked = self.asking.request(row, who, target)
            if asked is None:
                continue
            told, wrote = self.send(method, who, asked)
            verdict = expected(row, who, target)
            cell = f"{method} {asked.path} ({row.route}) as {who.name}, {target.name}"
            self.judge(cell, verdict, told)
            self.search(cell, row, who, verdict, told, asked, wrote)
            answers[target] = (verdict, told.steady(asked.sent))
        self.compare(f"{method} {row.route} as {who.name}", who, answers)

    def send(self, method: str, who: Principal, asked: Asked) -> tuple[Told, list[str]]:
        """Send one request, do what it asked for after its commit, and undo it all."""
        told, client = Told(), who.client
        client.raise_request_exception = False
        cookies = client.cookies.output(header="", sep=";")
        is_json = isinstance(asked.body, str)
        with self.listener.hearing(told), rolled_back():
            arguments = {"headers": asked.headers, "query_params": asked.query or None}
            if method in SAFE:
                path = f"{asked.path}?{asked.query}" if asked.query else asked.path
                response = client.get(path, headers=asked.headers)
            else:
                arguments = {"content_type": "application/json"} if is_json else {}
                if not is_json and method != "POST":
                    arguments = {"content_type": "application/x-www-form-urlencoded"}
                send = getattr(client, method.lower())
                data = asked.body if is_json or method == "POST" else ""
                response = send(asked.path, data, headers=asked.headers, **arguments)
            told.take(response)
            wrote = []
            if method not in SAFE:
                with request_context(response.wsgi_request):
                    do_what_was_asked_for()
                wrote = touched()
        client.cookies = SimpleCookie(cookies)
        return told, wrote

    def judge(self, cell: str, verdict: Verdict, told: Told) -> None:
        """Hold the answer against what it had to be."""
        self.findings.cells += 1
        if not fits(verdict, told):
            said = f"{told.status} {told.location}".strip()
            if told.status >= 500:
                said += f" ({max(told.logs, key=len)[-1200:]})"
            self.findings.wrong.append(f"{cell}: {said}, expected {verdict.value}")

    def search(
        self,
        cell: str,
        row: Row,
        who: Principal,
        verdict: Verdict,
        told: Told,
        asked: Asked,
        wrote: list[str],
    ) -> None:
        """Look for what belongs to another place, and for what a policy forbids."""
        is_for_all = row.rule in (Rule.ADMIN, Rule.STAFF_API) and who.is_staff
        if not (is_for_all and verdict in (Verdict.ALLOWED, Verdict.AWAY)) and not row.reveals:
            self.findings.searched += 1
            sent = f"{asked.path}?{asked.query} {asked.body} {asked.headers}"
            is_shown = row.rule is Rule.SHARED and who.has_share
            sees = who.sees | {HERE} if is_shown else who.sees
            for found in foreign_things(told, sees=sees, sent=sent, canaries=self.canaries):
                self.findings.leaks.append(f"{cell}: {found}")
            self.findings.leaks += [
                f"{cell}: wrote into {place}" for place in wrote if place not in who.sees
            ]
        self.look_at_page(cell, row, told)

    def look_at_page(self, cell: str, row: Row, told: Told) -> None:
        """Look once at each page, with each status, for anything inline."""
        seen = (row.name, told.status)
        is_page = "text/html" in told.content_type and row.rule is not Rule.ADMIN
        if not is_page or seen in self.looked_at:
            return
        self.looked_at.add(seen)
        self.findings.pages += 1
        self.findings.inline += [f"{cell}: {found}" for found in inline_parts(told.body)]
        if "unsafe" in told.policy or not told.policy:
            self.findings.inline.append(f"{cell}: its policy is {told.policy!r}")

    def compare(
        self, asked: str, who: Principal, answers: dict[Target, tuple[Verdict, str]]
    ) -> None:
        """Check that what is another's answers exactly as what is nobody's."""
        groups = (
            [one for one in answers if one.place in who.roles and one.which == name]
            for name in ("foreign", "missing")
        )
        pairs = [*zip(*groups, strict=False)]
        nowhere = next((one for one in answers if one.place == "nowhere"), None)
        if nowhere and answers[nowhere][0] is Verdict.ABSENT:
            outside = (one for one in answers if one.place not in (*who.roles, "nowhere"))
            pairs += [(one, nowhere) for one in outside if answers[one][0] is Verdict.ABSENT]
        self.findings.pairs += len(pairs)
        for one, other in pairs:
            if answers[one][1] != answers[other][1]:
                difference = first_difference(answers[one][1], answers[other][1])
                self.findings.unequal.append(f"{asked}: {one.name} ≠ {other.name}: {difference}")


def fits(verdict: Verdict, told: Told) -> bool:
    """Tell whether an answer is what it had to be."""
    status = told.status
    is_sign_in = status == 302 and told.location.startswith(SIGN_IN)
    if status == 503 and OFF in told.body:  # whoever hears that there is no Stripe was let in
        return verdict in (Verdict.ALLOWED, Verdict.UNSPECIFIED)
    if status >= 500:
        return False
    if verdict is Verdict.SIGN_IN:
        return is_sign_in
    if verdict is Verdict.ALLOWED:
        return status not in (401, 403, 404) and not is_sign_in
    if verdict is Verdict.AWAY:
        return status == 404 or (status == 302 and not is_sign_in) or status == 403
    if verdict is Verdict.UNSPECIFIED:
        return True
    return status == int(verdict.value)


def first_difference(one: str, other: str) -> str:
    """Return the places where two texts part."""
    position = next(
        (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    start = max(0, position - 40)
    return f"{one[start : position + 60]!r} / {other[start : position + 60]!r}"


def do_what_was_asked_for() -> None:
    """Run what waits for the commit: mails above all; tasks run at once, files stay as rows do."""
    waiting, connection.run_on_commit = connection.run_on_commit, []
    keeps_files = mock.patch.object(FileSystemStorage, "delete")
    with mock.patch.object(queue, "_ring", _run_task), keeps_files:
        for _, work, _ in waiting:
            if isinstance(work, partial) and work.func.__name__ == "_ring":
                _run_task(*work.args)
            else:
                work()


def _run_task(task: object, kwargs: dict[str, object]) -> None:
    with suppress(Exception), transaction.atomic():
        task.run(**kwargs)
