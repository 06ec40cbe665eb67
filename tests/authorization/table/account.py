"""Rows of signing in and of a person's own account."""

from tests.authorization.expected import BY_STATE
from tests.authorization.rows import everybody, personal

FORM = "GET POST PUT"
KEYS = {"uidb36": "0", "key": "unknown-key"}

ROWS = [
    everybody("GET POST PUT PATCH DELETE", "accounts/sessions/"),
    everybody(FORM, "accounts/login/"),
    everybody("GET POST", "accounts/logout/"),
    everybody("GET", "accounts/inactive/"),
    everybody(FORM, "accounts/signup/"),
    personal(FORM, "accounts/reauthenticate/", code=BY_STATE),
    personal(FORM, "accounts/email/"),
    everybody("GET POST", "accounts/confirm-email/"),
    personal(FORM, "accounts/password/change/"),
    personal(FORM, "accounts/password/set/"),
    everybody(FORM, "accounts/password/reset/"),
    everybody(FORM, "accounts/login/code/confirm/"),
    everybody("GET POST", r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", fixed=KEYS),
    everybody("GET", "accounts/password/reset/key/done/"),
    everybody(
        FORM, r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", fixed=KEYS
    ),
    everybody("GET", "accounts/password/reset/done/"),
    personal("GET", "accounts/2fa/"),
    everybody("GET POST", "accounts/2fa/authenticate/"),
    personal(FORM, "accounts/2fa/reauthenticate/", code=BY_STATE),
    personal(FORM, "accounts/2fa/totp/activate/"),
    personal(FORM, "accounts/2fa/totp/deactivate/", code=BY_STATE),
    personal("GET", "accounts/2fa/recovery-codes/", code=BY_STATE),
    personal(FORM, "accounts/2fa/recovery-codes/generate/", code=BY_STATE),
    personal("GET", "accounts/2fa/recovery-codes/download/", code=BY_STATE),
    personal("GET", "accounts/2fa/webauthn/"),
    personal(FORM, "accounts/2fa/webauthn/add/"),
    personal(FORM, "accounts/2fa/webauthn/reauthenticate/", code=BY_STATE),
    personal("GET POST DELETE", "accounts/2fa/webauthn/keys/<int:pk>/remove/"),
    personal(FORM, "accounts/2fa/webauthn/keys/<int:pk>/edit/"),
    everybody(FORM, "accounts/2fa/webauthn/login/"),
    personal("GET POST", "account/profile/"),
    personal("GET", "account/second-factor/"),
    personal("GET POST", "account/privacy/"),
    personal("POST", "account/privacy/undo/"),
    personal("POST", "account/privacy/export/"),
    # His own, which is not made yet, is 410; that another's is 404: test_personal_export.py.
    personal("GET", "account/privacy/export/<str:export_id>/", code=BY_STATE),
    personal("GET POST", "account/sessions/"),
    personal("POST", "account/sessions/<int:session_id>/end/"),
    personal("GET POST", "impersonation/", code=BY_STATE),
]
