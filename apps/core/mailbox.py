"""
The demo's mailbox: the mails that it has written into files instead of sending them.

Whoever reads it could take over accounts, so it exists only where DEMO is on and mails are
files; anywhere else its addresses are as unknown as any other.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

FILES = "django.core.mail.backends.filebased.EmailBackend"
BETWEEN = b"\n" + b"-" * 79 + b"\n"  # Django's backend writes it after each mail
NAME = re.compile(r"[0-9A-Za-z-]+\.log")
MOST_MAILS = 100  # on the list


@dataclass(frozen=True)
class Mail:
    """One mail of the demo."""

    id: str  # file and place in it: 20261121-090000-1.log:0
    to: str
    subject: str
    sent_at: datetime | None
    text: str
    html: str


def folder() -> Path:
    """
    Return where the mails lie.

    :raises Http404: where this is no demo, or mails are sent and not written into files.
    """
    if not settings.DEMO or settings.EMAIL_BACKEND != FILES:
        raise Http404
    return Path(getattr(settings, "EMAIL_FILE_PATH"))  # noqa: B009  not there where mails are sent


def mails_in(place: Path) -> Iterator[Mail]:
    """Yield the mails, newest first."""
    files = [file for file in place.glob("*.log") if NAME.fullmatch(file.name)]
    for file in sorted(files, key=lambda one: (one.stat().st_mtime, one.name), reverse=True):
        parts = file.read_bytes().split(BETWEEN)[:-1]
        for number in range(len(parts) - 1, -1, -1):
            yield read(f"{file.name}:{number}", parts[number])


def read(mail_id: str, content: bytes) -> Mail:
    """Return one mail with its two bodies."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    date = message["Date"].datetime if message["Date"] else None
    return Mail(
        id=mail_id,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=date.replace(tzinfo=date.tzinfo or UTC) if date else None,
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def find(place: Path, mail_id: str) -> Mail:
    """
    Return the mail with this id.

    :raises Http404: if there is none.
    """
    name, _, number = mail_id.partition(":")
    if not NAME.fullmatch(name) or not number.isascii() or not number.isdigit():
        raise Http404
    file = place / name
    parts = file.read_bytes().split(BETWEEN)[:-1] if file.is_file() else []
    if len(number) > 4 or int(number) >= len(parts):
        raise Http404
    return read(mail_id, parts[int(number)])


def forget_mails(addresses: Collection[str]) -> int:
    """Delete the demo's mails that were sent to these or name them; return how many."""
    if not settings.DEMO or settings.EMAIL_BACKEND != FILES:
        return 0
    forgotten = 0
    for file in folder().glob("*.log"):
        parts = file.read_bytes().split(BETWEEN)[:-1]
        kept = [part for part in parts if not _names(read("", part), addresses)]
        if len(kept) < len(parts):
            file.write_bytes(b"".join(part + BETWEEN for part in kept))
            forgotten += len(parts) - len(kept)
    return forgotten


def _names(mail: Mail, addresses: Collection[str]) -> bool:
    text = f"{mail.to} {mail.subject} {mail.text} {mail.html}".lower()
    return any(address.lower() in text for address in addresses)


def mailbox(request: HttpRequest) -> HttpResponse:
    """List the mails, all or those to one address."""
    to = request.GET.get("to", "").strip().lower()
    found = (mail for mail in mails_in(folder()) if to in mail.to.lower())
    return render(
        request, "demo/mailbox.html", {"mails": list(islice(found, MOST_MAILS)), "to": to}
    )


def mail_page(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Show one mail as text, with its links."""
    return render(request, "demo/mail.html", {"mail": find(folder(), mail_id)})


@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "sandbox": True})  # type: ignore[arg-type]  # of views with more arguments
def mail_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Show one mail as a mail program does: its styles are inline, and it loads nothing."""
    return HttpResponse(find(folder(), mail_id).html)


def _body(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if isinstance(body, EmailMessage) else ""
