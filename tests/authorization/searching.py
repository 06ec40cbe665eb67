"""Everything that an answer tells, and what of it comes from another place."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from django.core import mail
from django.http.response import HttpResponseBase

from apps.core import documents
from tests.authorization.canaries import MARK, Canaries

MARKS = re.compile(rf"{MARK}([a-z]+)(\d{{3}})x")
IDS = re.compile(r"\b[a-z]{3,6}_[0-9A-HJKMNP-TV-Z]{26}\b")
CHANGING = re.compile(r'(name="csrfmiddlewaretoken" value="|nonce-|nonce=")[\w+/=]+')
UNSTEADY = {"Set-Cookie", "Content-Length", "Expires"}


@dataclass
class Told:
    """What an answer and its surroundings said."""

    status: int = 0
    headers: str = ""
    body: str = ""
    location: str = ""
    content_type: str = ""
    policy: str = ""
    mails: str = ""
    documents: list[str] = field(default_factory=list)  # what PDFs were made from
    logs: list[str] = field(default_factory=list)

    def parts(self) -> dict[str, str]:
        """Return each part by its name."""
        return {
            "headers": self.headers,
            "body": self.body,
            "document": "\n".join(self.documents),
            "mails": self.mails,
            "logs": "\n".join(self.logs),
        }

    def take(self, response: HttpResponseBase) -> None:
        """Keep what the response says, files included."""
        self.status = response.status_code
        self.location = response.get("Location", "")
        self.content_type = response.get("Content-Type", "")
        self.policy = response.get("Content-Security-Policy", "")
        self.headers = "\n".join(
            f"{name}: {value}" for name, value in sorted(response.items()) if name not in UNSTEADY
        )
        content = b"".join(response) if response.streaming else response.content
        self.body = content.decode("utf-8", "replace")

    def steady(self, sent: dict[str, str]) -> str:
        """Return it without what was sent and what differs each time, to be compared."""
        text = f"{self.status}\n{self.headers}\n{self.body}"
        for name, value in sorted(sent.items(), key=lambda one: -len(one[1])):
            if value.isdigit():  # a number stands in many places; as an id only in an address
                text = text.replace(f"/{value}/", f"/<{name}>/")
            elif value:
                text = text.replace(value, f"<{name}>")
        return CHANGING.sub(r"\1", text)


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.exc_text or ''}")


class Listener:
    """Collects log lines, mails and documents; one for a whole run."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.made: list[str] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take all that is logged, instead of whoever takes it otherwise."""
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        root.handlers, _ = [_Collector(self.lines)], root.setLevel(logging.INFO)
        write = documents.render_to_string

        def written(*args: Any, **kwargs: Any) -> str:
            self.made.append(write(*args, **kwargs))
            return self.made[-1]

        try:
            with mock.patch.object(documents, "render_to_string", written):
                yield
        finally:
            root.handlers = before
            root.setLevel(level)

    @contextmanager
    def hearing(self, told: Told) -> Iterator[None]:
        """Keep what is said during one request."""
        self.lines.clear()
        self.made.clear()
        mail.outbox = []
        yield
        told.logs, told.documents = self.lines[:], self.made[:]
        told.mails = "\n".join(str(one.message()) for one in mail.outbox)


def foreign_things(
    told: Told, *, sees: frozenset[str], sent: str, canaries: Canaries
) -> Iterator[str]:
    """Yield each mark and each id of a place that the asker may not see, and where it stood."""
    for name, text in told.parts().items():
        if MARK in text:
            for found in MARKS.finditer(text):
                if found[1] not in sees and found[0] not in sent:
                    yield f"{name}: {canaries.columns.get(found[0], found[0])} of {found[1]}"
        for found in set(IDS.findall(text)):
            place = canaries.rows.get(found)
            if place is not None and place not in sees and found not in sent:
                yield f"{name}: {found} of {place}"
