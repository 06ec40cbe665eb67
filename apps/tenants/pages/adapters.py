"""What allauth asks of us: whom to warn, and how secrets are kept."""

import base64
import hashlib
import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.tenants.models import User
from apps.tenants.pages import devices

logger = logging.getLogger(__name__)
FIRST_TIME = "_is_first_sign_in"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Warns a person of sign-ins from elsewhere."""

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, and remember whether it was the first time."""
        is_first = user.last_login is None
        super().login(request, user)
        setattr(request, FIRST_TIME, is_first)

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """Send a notice where the browser has never signed this person in before."""
        response: HttpResponse = super().post_login(request, user, **options)
        if not devices.is_known(request, user):
            if not getattr(request, FIRST_TIME, False):
                self.send_notification_mail("account/email/new_device", user)
            devices.remember(request, response, user)
        return response

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kw: Any
    ) -> None:
        """Send a notice. One that cannot be sent does not undo what it tells of."""
        try:
            super().send_notification_mail(template_prefix, user, *args, **kw)
        except OSError:
            logger.exception("A notice was not sent: %s", template_prefix)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """Keeps the secrets of second factors encrypted, so that a copy of the tables gives none."""

    def encrypt(self, text: str) -> str:
        """Encrypt with a key that SECRET_KEY makes."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """
        Decrypt with SECRET_KEY, or one that it replaced (SECRET_KEY_FALLBACKS).

        :raises InvalidToken: if none of them has encrypted it.
        """
        return _box().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Suggest a name for a new key."""
        return f"Key {Authenticator.objects.filter(user=user, type=type).count() + 1}"


def _box() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"second factors:" + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
