"""The form of a job, for every operation."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.credits.services import prices
from apps.jobs.models import GenerationArea, GenerationJob
from tests.jobs.test_pages import address, form
from tests.jobs.work import OPERATION, available, picture, set_price
from tests.people import make_member, make_organization, signed_in


@pytest.fixture
def organization(transactional_db):
    set_price()
    prices.set_price(name="image.contact_sheet", credit_cost=3, category="compute")
    metered = {"metered": "megapixel"}
    prices.set_price(name="image.enlarge", credit_cost=2, category="compute", metadata=metered)
    return make_organization()


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "developer"))


class TestTheForm:
    def test_shows_styles_with_what_they_do(self, client, organization):
        page = client.get(address(organization, "new/")).content.decode()

        preview = address(organization, f"styles/{OPERATION}/dusk/1/preview/")
        assert f'src="{preview}"' in page
        assert client.get(preview)["Content-Type"] == "image/webp"
        assert client.get(preview.replace("dusk", "neon")).status_code == 404

    def test_makes_a_sheet(self, client, organization):
        sheet = {"columns": "2", "rows": "1", "cell": "64", "caption": "Two", "vary": "brightness"}

        answer = client.post(
            address(organization, "new/"),
            form(operation="image.contact_sheet", seen_cost="3", **sheet),
        )

        assert answer.status_code == 302
        asked = GenerationArea.objects.get().parameters
        assert (asked["columns"], asked["rows"], asked["cell"], asked["margin"]) == (2, 1, 64, 24)
        assert (asked["caption"], asked["vary"]) == ("Two", "brightness")
        assert "2 × 1" in client.get(answer["Location"]).content.decode()

    def test_shows_what_a_metered_price_comes_to_before_it_is_held(self, client, organization):
        shown = client.post(
            address(organization, "new/"), form(operation="image.enlarge", factor="3")
        )

        page = shown.content.decode()
        assert shown.status_code == 200
        assert "This will use at most" in page
        assert available(organization) == 100

        answer = client.post(
            address(organization, "new/"),
            form(operation="image.enlarge", factor="3", **self.shown_in(page)),
        )
        assert answer.status_code == 302
        assert GenerationArea.objects.get().parameters["factor"] == 3
        assert available(organization) == 98

    def test_submits_no_other_choice_at_a_price_that_was_not_seen(self, client, organization):
        place, enlarge = address(organization, "new/"), {"operation": "image.enlarge"}
        large = SimpleUploadedFile("a.png", picture(size=(600, 400)))
        first = client.post(place, form(**enlarge, factor="2", picture=large)).content.decode()
        seen = self.shown_in(first)

        second = client.post(place, form(**enlarge, factor="4", **seen))

        assert second.status_code == 200
        assert not GenerationJob.objects.exists()
        now_seen = self.shown_in(second.content.decode())
        assert (seen["seen_cost"], now_seen["seen_cost"]) == ("2", "8")
        assert seen["upload_id"] == now_seen["upload_id"]
        assert client.post(place, form(**enlarge, factor="4", **now_seen)).status_code == 302
        assert available(organization) == 92

    def shown_in(self, page):
        """Return what the shown form sends along: the picture that is kept, and its price."""
        hidden = dict(re.findall(r'name="(upload_id|seen_cost)" value="([^"]+)"', page))
        return {"picture": "", **hidden}

    @pytest.mark.parametrize(
        ("changes", "status", "text"),
        [
            ({"operation": "image.contact_sheet", "columns": "11"}, 422, "1 to 10 columns"),
            ({"operation": "image.contact_sheet", "rows": "few"}, 422, "Enter a whole number"),
            ({"operation": "image.contact_sheet", "caption": "Grüße"}, 422, "has no “ü”"),
            ({"operation": "image.enlarge", "factor": "9"}, 422, "Select a valid choice"),
            ({"style": ""}, 422, "Choose a style."),
            (
                {"operation": "image.contact_sheet", "columns": "9", "rows": "9", "cell": "1000"},
                400,
                "at most 40 megapixels",
            ),
        ],
    )
    def test_says_what_is_wrong_and_charges_nothing(
        self, client, organization, changes, status, text
    ):
        answer = client.post(address(organization, "new/"), form(**changes))

        assert answer.status_code == status
        assert text in answer.content.decode()
        assert not GenerationJob.objects.exists()
        assert available(organization) == 100

    def test_quotes_what_is_chosen(self, client, organization):
        place = address(organization, "quote/?operation=image.contact_sheet&columns=3")

        assert b">97<" in client.get(place).content

    def test_names_no_price_where_that_depends_on_the_picture(self, client, organization):
        page = client.get(address(organization, "quote/?operation=image.enlarge&factor=3"))

        assert b"It depends on the size of the pictures" in page.content
        assert b"credits" not in page.content
