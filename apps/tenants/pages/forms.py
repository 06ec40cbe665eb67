"""Forms of people and organizations."""

from functools import partial

from allauth.account.forms import SignupForm
from django import forms
from django.http import HttpRequest, HttpResponse

from apps.tenants.errors import EmailTaken
from apps.tenants.models import Organization, User
from apps.tenants.selectors import time_zones
from apps.tenants.services import people


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth is untyped
    """Asks for the person, and for the name of his organization: without, it is personal."""

    full_name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    organization_name = forms.CharField(
        label="Organization",
        max_length=100,
        required=False,
        help_text="Leave it empty to work for yourself. You can change the name later.",
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    field_order = ["full_name", "organization_name", "email", "password1"]

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Sign up; one whose address was taken a moment ago gets the answer of any taken one."""
        try:
            user, response = super().try_save(request)
        except EmailTaken:
            self.account_already_exists = True
            user, response = super().try_save(request)
        return user, response

    def save(self, request: HttpRequest) -> User:
        """
        Save person, address and organization in one transaction.

        :raises EmailTaken: if the address was taken since the form was checked.
        """
        return people.sign_up(
            create_user=partial(super().save, request),
            organization_name=self.cleaned_data["organization_name"],
        )

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """Keep the name, which allauth knows nothing of."""
        user.full_name = self.cleaned_data["full_name"]
        user.save(update_fields=["full_name"])


class ProfileForm(forms.ModelForm[User]):
    """What a person tells about himself."""

    full_name = forms.CharField(label="Your name", max_length=150)
    avatar_url = forms.URLField(
        label="Address of a picture",
        help_text="It begins with https://.",
        assume_scheme="https",
        required=False,
    )
    time_zone = forms.ChoiceField(choices=time_zones, help_text="Dates are shown in this zone.")

    class Meta:
        model = User
        fields = ["full_name", "avatar_url", "time_zone"]

    def clean_avatar_url(self) -> str:
        """Refuse a picture that would be fetched in the clear."""
        address: str = self.cleaned_data["avatar_url"]
        if address and not address.startswith("https://"):
            raise forms.ValidationError("The address must begin with https://.", "not_https")
        return address


class OrganizationForm(forms.ModelForm[Organization]):
    """What an organization tells about itself."""

    website = forms.URLField(assume_scheme="https", max_length=500, required=False)
    slug = forms.CharField(
        label="Address",
        max_length=100,
        validators=Organization._meta.get_field("slug").validators,
        help_text="Small letters, digits and single dashes. The former address leads here.",
    )
    billing_email = forms.EmailField(
        label="E-mail for invoices", required=False, help_text="Empty: to those who manage billing."
    )
    time_zone = forms.ChoiceField(
        choices=time_zones, help_text="In which its days and months begin."
    )

    class Meta:
        model = Organization
        fields = ["name", "slug", "description", "website", "billing_email", "time_zone"]
        widgets = {"description": forms.Textarea({"rows": 4})}

    def validate_unique(self) -> None:
        """Leave it to the service, which knows former slugs as well."""


class NewOrganizationForm(forms.Form):
    """What one more organization is called."""

    name = forms.CharField(max_length=100, label="Name")
    slug = forms.CharField(
        label="Address",
        max_length=100,
        required=False,
        validators=Organization._meta.get_field("slug").validators,
        help_text="Small letters, digits and single dashes. Empty: made from the name.",
    )
