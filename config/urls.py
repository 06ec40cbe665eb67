"""Every address of the instance."""

from importlib import import_module
from importlib.util import find_spec

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from apps.billing.webhooks import StripeWebhook
from apps.core import health, mailbox, pages
from apps.partners.pages import claiming
from apps.rbac.pages import entrance, impersonating, joining, organizations, privacy
from config.policies import DOCUMENTATION

APPS = ("credits", "jobs", "rbac", "billing", "capacity", "partners")
Addresses = list[URLPattern | URLResolver]

documentation = csp_update(DOCUMENTATION)


def urls_of(surface: str) -> Addresses:
    """Return the addresses of every app that has this surface: `pages` or `api`."""
    modules = (f"apps.{app}.{surface}.urls" for app in APPS if find_spec(f"apps.{app}.{surface}"))
    return [path("", include(import_module(name))) for name in modules if find_spec(name)]


urlpatterns: Addresses = [
    path("", entrance.Home.as_view(), name="home"),
    path("admin/", admin.site.urls),
    path("accounts/sessions/", RedirectView.as_view(pattern_name="tenants:sessions")),
    path("accounts/", include("allauth.urls")),
    path("account/privacy/", privacy.Privacy.as_view(), name="privacy"),
    path("account/privacy/export/", privacy.Export.as_view(), name="privacy_export"),
    path(
        "account/privacy/export/<str:export_id>/",
        privacy.Download.as_view(),
        name="privacy_download",
    ),
    path("account/privacy/undo/", privacy.Undo.as_view(), name="privacy_undo"),
    path("account/", include("apps.tenants.pages.urls")),
    path("impersonation/", impersonating.InPlace.as_view(), name="impersonation"),
    path("organizations/", entrance.Organizations.as_view(), name="organizations"),
    path("invitations/<str:token>/", joining.Join.as_view(), name="invitation"),
    path("claims/<str:token>/", claiming.Claim.as_view(), name="claim"),
    path("organizations/new/", organizations.New.as_view(), name="new_organization"),
    path(
        "organizations/<str:organization>/reopen/",
        organizations.Reopen.as_view(),
        name="reopen_organization",
    ),
    path("shared/", include("apps.rbac.pages.shared_urls")),
    path("shared/", include("apps.jobs.pages.shared_urls")),
    path("programmes/", include("apps.partners.pages.programme_urls")),
    path("demo/mailbox/", mailbox.mailbox, name="demo_mailbox"),
    path("demo/mailbox/<str:mail_id>/", mailbox.mail_page, name="demo_mail"),
    path("demo/mailbox/<str:mail_id>/html/", mailbox.mail_html, name="demo_mail_html"),
    path("demo/login", entrance.DemoLogin.as_view(), name="demo_login"),
    path("o/<slug:slug>/start/", entrance.Start.as_view(), name="organization"),
    path("o/<slug:slug>/", include(urls_of("pages"))),
    path("api/v1/", include((urls_of("api"), "api"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        documentation(
            SpectacularRedocView.as_view(url_name="schema", template_name="problems/redoc.html")
        ),
        name="docs",
    ),
    path(
        "api/try/",
        documentation(
            SpectacularSwaggerSplitView.as_view(
                url_name="schema", template_name="problems/swagger.html"
            )
        ),
        name="try",
    ),
    path("webhooks/stripe/", StripeWebhook.as_view(), name="stripe_webhook"),
    path("problems/", pages.problem_list, name="problems"),
    path("problems/<slug:code>", pages.problem_page, name="problem"),
    path("livez", health.livez),
    path("readyz", health.readyz),
]

handler400 = pages.bad_request
handler403 = pages.permission_denied
handler404 = pages.page_not_found
handler500 = pages.server_error
