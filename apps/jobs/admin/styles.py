"""Staff pages of styles: what they are called and whether they are offered, and their versions."""

import json
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.jobs import selectors
from apps.jobs.models import Style, StyleVersion
from apps.jobs.runners.registry import STYLED
from apps.jobs.services import styles

TERMS = ["swatches", "parameters", "prompt_template"]
HELP = {
    "swatches": 'From dark to light, like ["#1b1036", "#7a3b69", "#fff1d6"].',
    "parameters": "What the operation's runner takes beside the swatches: begin with those of the"
    " version before.",
    "prompt_template": "For workers of your own. It may name {name}, {description}, {colours} and"
    " each parameter.",
}


class StyleForm(forms.ModelForm[Style]):
    """How a style is called, and where it stands."""

    class Meta:
        model = Style
        fields = ["operation", "code", "name", "description", "position", "is_active"]
        widgets: ClassVar[dict[str, Any]] = {
            "operation": forms.Select(choices=[(code, code) for code in STYLED])
        }


class VersionForm(forms.ModelForm[StyleVersion]):
    """What a new version does, shown before it is published, and refused where it cannot be."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)  # a digest of the look

    class Meta:
        model = StyleVersion
        fields = ["style", *TERMS]
        help_texts = HELP

    def clean(self) -> dict[str, Any]:
        """Ask the service what it would refuse, and show what is to be published once."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        try:
            styles.check_version(*(given[name] for name in ("style", *TERMS)))
        except DomainError as refusal:
            add_refusal(self, refusal)
        else:
            self._show_once(StyleVersion(**{name: given[name] for name in ("style", *TERMS)}))
        return given

    def _show_once(self, version: StyleVersion) -> None:
        """Refuse what was not seen, with its picture, so that saving again publishes it."""
        digest = sha256(preview_url(version).encode()).hexdigest()
        if self.cleaned_data["seen"] == digest:
            return
        self.data = {**self.data.dict(), "seen": digest}  # type: ignore[attr-defined]  # a QueryDict
        told = "Nothing is published yet. This is what it does: save again to publish it."
        self.add_error(None, format_html("{}{}", told, picture_of(version)))


class VersionInline(TabularInline):  # type: ignore[misc]  # Unfold is untyped
    """The versions, to be looked at: one is added on a page of its own, and none is changed."""

    model = StyleVersion
    extra = 0
    show_change_link = True
    ordering = ["-number"]
    fields = ["number", "preview", "created_at"]
    readonly_fields = ["number", "preview", "created_at"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a version is published on a page of its own."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: versions never change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: jobs name the version that they were submitted with."""
        return False

    @display(description="Preview")  # type: ignore[untyped-decorator]  # of Unfold
    def preview(self, version: StyleVersion) -> str:
        """Show what it does."""
        return picture_of(version)


@admin.register(Style)
class StyleAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Styles: added, renamed, offered or not, and never deleted."""

    form = StyleForm
    inlines = [VersionInline]
    actions_detail = ["new_version"]
    list_display = ["name", "code", "operation", "is_active", "position"]
    list_filter = ["operation", "is_active"]
    search_fields = ["name", "code"]
    ordering = ["operation", "position", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Style | None = None) -> list[str]:
        """Keep operation and code of what there is: jobs name them."""
        return ["operation", "code"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Style | None = None) -> bool:
        """Refuse: a style is no longer offered, and stays."""
        return False

    def has_new_version_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those publish who may add versions."""
        return request.user.has_perm("jobs.add_styleversion")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="New version", url_path="new-version", icon="add", permissions=["new_version"]
    )
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the form of a new version, which begins with what the last one does."""
        if self.get_object(request, object_id) is None:
            raise Http404
        return redirect(f"{reverse('admin:jobs_styleversion_add')}?style={object_id}")

    def save_model(self, request: HttpRequest, obj: Style, form: Any, change: bool) -> None:
        """Write through the services, which write the audit rows."""
        given = form.cleaned_data
        if change:
            styles.change_style(
                obj, **{name: given[name] for name in StyleForm.Meta.fields if name in given}
            )
            return
        is_active = given.pop("is_active")
        saved = styles.create_style(**given)
        if not is_active:
            named = {name: given[name] for name in ("name", "description", "position")}
            styles.change_style(saved, **named, is_active=False)
        obj.pk, obj._state.adding = saved.pk, False


@admin.register(StyleVersion)
class StyleVersionAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Versions of styles: published with a preview, looked at, and never changed."""

    form = VersionForm
    list_display = ["style", "number", "preview", "created_at"]
    list_filter = ["style"]
    list_select_related = ["style"]
    search_fields = ["style__code", "style__name"]
    ordering = ["style__position", "style__code", "-number"]

    def get_urls(self) -> list[URLPattern]:
        """Add the picture of what a look does."""
        preview = path(
            "preview/",
            self.admin_site.admin_view(require_GET(self.preview_picture)),
            name="jobs_styleversion_preview",
        )
        return [preview, *super().get_urls()]

    def preview_picture(self, request: HttpRequest) -> HttpResponse:
        """Show what a look does, whether it is published or not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            look = json.loads(request.GET.get("look", ""))
            picture = selectors.preview_of_look(request.GET.get("operation", ""), look)
        except ValueError as error:  # no JSON, or no look
            raise Http404 from error
        return HttpResponse(picture, content_type="image/webp")

    def get_fields(self, request: HttpRequest, obj: StyleVersion | None = None) -> list[str]:
        """Show of a version that there is its picture, too."""
        return (
            ["style", "number", "preview", *TERMS, "created_at"]
            if obj
            else ["style", *TERMS, "seen"]
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: StyleVersion | None = None
    ) -> list[str]:
        """Keep a version as it is."""
        return ["preview", "created_at"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what the last version does of the style that the address names."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        try:
            rows = StyleVersion.objects.filter(style=initial.get("style"))
            last = rows.order_by("-number").first()
        except (ValidationError, ValueError):
            return initial
        if last:
            initial.update({name: getattr(last, name) for name in TERMS})
        return initial

    def has_change_permission(self, request: HttpRequest, obj: StyleVersion | None = None) -> bool:
        """Refuse: a style is changed by one more version."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StyleVersion | None = None) -> bool:
        """Refuse: jobs name the version that they were submitted with."""
        return False

    def save_model(self, request: HttpRequest, obj: StyleVersion, form: Any, change: bool) -> None:
        """Publish through the service, which writes the audit row."""
        given = {name: form.cleaned_data[name] for name in ("style", *TERMS)}
        saved = styles.publish_style_version(**given)
        obj.pk, obj._state.adding = saved.pk, False

    @display(description="Preview")  # type: ignore[untyped-decorator]  # of Unfold
    def preview(self, version: StyleVersion) -> str:
        """Show what it does."""
        return picture_of(version)


def preview_url(version: StyleVersion) -> str:
    """Return where a picture is of what a version does, published or not."""
    look = json.dumps({**version.parameters, "swatches": version.swatches}, sort_keys=True)
    query = urlencode({"operation": version.style.operation, "look": look})
    return f"{reverse('admin:jobs_styleversion_preview')}?{query}"


def picture_of(version: StyleVersion) -> str:
    """Write the picture of what a version does."""
    image = '<img src="{}" alt="What {} does to a sample" width="240" height="160">'
    return format_html(image, preview_url(version), version.style.name)
