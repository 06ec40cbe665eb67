"""The pages of a person."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from apps.tenants.models import User
from apps.tenants.pages.forms import ProfileForm
from apps.tenants.services import people


class Profile(LoginRequiredMixin, View):
    """A person's name, picture and time zone."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return self.show(request, ProfileForm(instance=the_person(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save what changed."""
        # A copy of its own: a ModelForm writes into its instance even when it is not valid,
        # and the frame of the page shows the person's name.
        person = the_person(request)
        form = ProfileForm(request.POST, instance=User.objects.get(pk=person.pk))
        if not form.is_valid():
            return self.show(request, form)
        people.update_profile(user=person, **form.cleaned_data)
        messages.success(request, "Your profile is saved.")
        return redirect("tenants:profile")

    def show(self, request: HttpRequest, form: ProfileForm) -> HttpResponse:
        """Show the form with its errors, if it has any."""
        return render(request, "tenants/profile.html", {"form": form})


def the_person(request: HttpRequest) -> User:
    """Return the person who is signed in; views that call this ask for sign-in first."""
    assert isinstance(request.user, User)
    return request.user
