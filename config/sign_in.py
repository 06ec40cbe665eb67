"""How people sign in, as allauth is told. What differs by instance stays in settings.py."""

ACCOUNT_ADAPTER = "apps.tenants.pages.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_FORMS = {"signup": "apps.tenants.pages.forms.SignUpForm"}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""  # the mail's foot says where it comes from
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds for which showing the password again counts

# Second factors. Wrong codes and passwords are counted in the cache, which is Redis and so one
# for all web processes; without it nobody signs in.
MFA_ADAPTER = "apps.tenants.pages.adapters.SecondFactorAdapter"
MFA_FORMS = {"add_webauthn": "apps.tenants.pages.second_factor.AddKeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # the device asks for a finger, a face or a PIN
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Coffer"
