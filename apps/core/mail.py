"""Mails: a subject, a text and the same as HTML, from three templates of one name."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from apps.core.db import outside_transaction


@outside_transaction
def send_mail(*, template: str, to: Sequence[str], context: Mapping[str, Any]) -> None:
    """
    Send one mail to all of these addresses, so that it goes to all of them or to none.

    `template` is the beginning of `…_subject.txt`, `…_message.txt` and `…_message.html`.
    Times are written in UTC, because the addresses may be in several zones.

    :raises OSError: if the mail server does not take it.
    """
    site = {"domain": urlsplit(settings.BASE_URL).netloc}
    with timezone.override(timezone.get_default_timezone()):
        subject, text, html = (
            render_to_string(f"{template}_{part}", {"current_site": site, **context})
            for part in ("subject.txt", "message.txt", "message.html")
        )
    mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=list(to))
    mail.attach_alternative(html, "text/html")
    mail.send()
