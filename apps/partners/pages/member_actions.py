"""What is done to members by one press: remind, send again, suspend, lift, remove."""

from abc import abstractmethod
from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from apps.core.errors import DomainError
from apps.partners.models import PartnerMember
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.forms import DeedForm
from apps.partners.pages.members import Member
from apps.partners.selectors.members import member_of
from apps.partners.services import reminders, standing
from apps.partners.services.standing import Cause


class RemindAll(ProgrammePage):
    """A reminder for each who has not claimed."""

    permission = "partners.manage"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Remind them, and say how many."""
        done = reminders.remind_all(partner=self.partner)
        text = f"{done.reminded} reminded."
        if done.too_soon:
            text += f" {done.too_soon} got a mail less than a day ago."
        messages.success(request, text)
        return redirect("partners:members", slug)


class Action(Member):
    """Something that is done to one member, for a reason where one is asked for."""

    permission = "partners.manage"
    http_method_names = ["post"]
    verb: ClassVar[str] = ""  # of DeedForm, where a reason is asked for

    def post(self, request: HttpRequest, slug: str, member_id: str) -> HttpResponse:
        """Do it, and show the member as he is after that; or say on his page why it was not."""
        member, reason = member_of(self.partner, member_id), ""
        if self.verb:
            form = DeedForm(request.POST, verb=self.verb)
            if not form.is_valid():
                return self.draw(member, self.form_of(member), 422, form)
            reason = form.cleaned_data["reason"]
        try:
            messages.success(request, self.act(member, reason))
        except DomainError as error:
            messages.error(request, str(error))  # perhaps no form is there any more to say it
            member = member_of(self.partner, member_id)
            return self.draw(member, self.form_of(member), error.status)
        return redirect("partners:member", slug, member_id)

    @abstractmethod
    def act(self, member: PartnerMember, reason: str) -> str:
        """Do it, and return what to say."""


class Remind(Action):
    """A reminder for one."""

    def act(self, member: PartnerMember, reason: str) -> str:
        """Remind him."""
        return f"A reminder goes to {reminders.remind(member=member).email}."


class Resend(Action):
    """The newest mail once more."""

    def act(self, member: PartnerMember, reason: str) -> str:
        """Send it."""
        return f"A new link goes to {reminders.resend(member=member).email}."


class Suspend(Action):
    """Nothing is spent or awarded, until it is lifted."""

    verb = "suspend"

    def act(self, member: PartnerMember, reason: str) -> str:
        """Suspend him."""
        return f"{standing.suspend(member=member, reason=reason).email} is suspended."


class Lift(Action):
    """The end of a suspension."""

    verb = "lift"

    def act(self, member: PartnerMember, reason: str) -> str:
        """Lift it."""
        return f"{standing.lift(member=member, reason=reason).email} can go on."


class Remove(Action):
    """The end of a membership."""

    verb = "remove"

    def act(self, member: PartnerMember, reason: str) -> str:
        """Let him go; what he has not used goes by the terms."""
        gone = standing.remove_member(member=member, cause=Cause.REMOVED, reason=reason)
        return f"{gone.email} is removed."
