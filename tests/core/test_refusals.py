"""Where a form shows what a service refused."""

from django import forms

from apps.core.errors import DomainError, NotFound
from apps.core.pages import add_refusal


class Wrong(DomainError):
    code = "wrong"
    message = "{field}: {problem}"


class TooMany(DomainError):
    code = "too_many"
    about = "credits"
    message = "There are {left} left."


class Form(forms.Form):
    credits = forms.IntegerField(required=False)


def refused(error):
    form = Form({})
    assert form.is_valid()
    add_refusal(form, error)
    return dict(form.errors)


class TestAddRefusal:
    def test_stands_on_the_field_that_is_named_without_the_name_that_the_api_has_for_it(self):
        told = refused(Wrong(field="credits", problem="Give a whole number."))
        assert told == {"credits": ["Give a whole number."]}

    def test_stands_on_the_field_that_such_refusals_are_always_about(self):
        assert refused(TooMany(left=3)) == {"credits": ["There are 3 left."]}

    def test_stands_above_the_form_where_that_has_no_such_field(self):
        told = refused(Wrong(field="budget", problem="Give a whole number."))
        assert told == {"__all__": ["budget: Give a whole number."]}
        assert refused(NotFound()) == {"__all__": ["There is no such object."]}
