"""The pages of what is shared: by an organization with people outside, and with oneself."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import paging
from apps.core.clock import database_now
from apps.core.errors import DomainError, NotFound
from apps.core.pages import add_refusal
from apps.rbac import selectors
from apps.rbac.models import Share
from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.person import PersonPage
from apps.rbac.services import sharing
from apps.rbac.shareables import shareable_of

PAGE_SIZE = 25
LIFETIMES = {"7": "7 days", "30": "30 days", "90": "90 days", "": "Until it is taken back"}  # days


class ShareForm(forms.Form):
    """What to show, to whom, and for how long."""

    object_id = forms.CharField(
        max_length=40, label="Id of what you share", help_text="As its page shows it: job_…"
    )
    email = forms.EmailField(
        label="E-mail address", help_text="Of a person outside who has an account here."
    )
    lifetime = forms.ChoiceField(
        choices=list(LIFETIMES.items()), required=False, label="Until", initial="30"
    )

    @property
    def expires_at(self) -> datetime | None:
        """When the share ends, UTC; None for never."""
        days = self.cleaned_data["lifetime"]
        return database_now() + timedelta(days=int(days)) if days else None


class Shares(TenantPage):
    """What the organization shares with people outside, and a form to share more."""

    permission = "shares.view"
    permission_to_change = "shares.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the list; the object that the person comes from stands in the form."""
        return self.show(ShareForm(initial={"object_id": request.GET.get("object", "")[:40]}))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Share one object."""
        form = ShareForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            share = sharing.share_object(
                by=self.user,
                organization=self.organization,
                object_id=form.cleaned_data["object_id"].strip(),
                email=form.cleaned_data["email"],
                expires_at=form.expires_at,
            )
        except NotFound:
            form.add_error("object_id", "There is nothing with this id that can be shared.")
            return self.show(form, status=404)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(form, status=error.status)
        messages.success(request, f"{share.user.email} can see it now, under Shared with me.")
        return redirect("rbac:shares", slug=slug)

    def show(self, form: ShareForm, *, status: int = 200) -> HttpResponse:
        """Show what is shared, newest first; those who may not share see no form."""
        may_change = self.user.has_perm(self.permission_to_change, self.organization)
        slug = self.organization.slug
        rows = selectors.shares_of(self.organization)
        page = {
            **page_of(rows, self.request, slug=slug),
            "form": form if may_change else None,
        }
        return render(self.request, "rbac/shares.html", page, status=status)


class RevokeShare(TenantPage):
    """The end of a share."""

    permission = "shares.manage"

    def post(self, request: HttpRequest, slug: str, share_id: str) -> HttpResponse:
        """
        Take it back.

        :raises NotFound: if the organization has no such share.
        """
        row_id = Share.read_id(share_id)
        shares = selectors.shares_of(self.organization)
        share = shares.filter(pk=row_id).first() if row_id else None
        if share is None:
            raise NotFound
        sharing.revoke_share(by=self.user, share=share)
        messages.success(request, f"{share.user.email} can no longer see it.")
        return redirect("rbac:shares", slug=slug)


class SharedWithMe(PersonPage):
    """What organizations elsewhere show to the person."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show each with the organization it is of."""
        page = page_of(selectors.shares_with(self.user), request)
        return render(request, "rbac/shared_with_me.html", page)


def page_of(rows: QuerySet[Share], request: HttpRequest, *, slug: str = "") -> dict[str, Any]:
    """Return one page of shares, newest first, and the addresses of the others."""
    after, here = request.GET.get("after", ""), request.path
    last_id = Share.read_id(after)
    last = rows.filter(pk=last_id).first() if last_id else None
    shown, end = paging.page_of(paging.after(rows, last), size=PAGE_SIZE)
    return {
        "shares": [line(share, slug=slug) for share in shown],
        "next_url": f"{here}?{urlencode({'after': end.public_id})}" if end else None,
        "first_url": here if last else None,
    }


def line(share: Share, *, slug: str = "") -> dict[str, Any]:
    """Return one share for a list; inside the organization that the slug names, or outside."""
    shareable = shareable_of(share.content_type.model_class() or Share)
    public_id = getattr(share.shared, "public_id", "")
    url = ""
    if shareable is not None and public_id:
        name, place = (
            (shareable.page, [slug, public_id]) if slug else (shareable.shared_page, [public_id])
        )
        url = reverse(name, args=place)
    return {
        "share": share,
        "label": shareable.noun.capitalize() if shareable and public_id else "Gone",
        "object_id": public_id,
        "url": url,
    }
