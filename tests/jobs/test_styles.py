"""Styles: kept with versions, resolved when a job is submitted, and kept by that job."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.jobs import selectors
from apps.jobs.errors import InvalidParameters, StyleRefused
from apps.jobs.models import GenerationArea, Style, StyleVersion
from apps.jobs.services import styles
from apps.jobs.services.changing import retry_job
from apps.jobs.services.ending import fail_area
from apps.jobs.services.quotes import quote_job
from apps.jobs.services.submission import AreaRequest, submit_job
from apps.tenants.models import AuditLog
from tests.jobs.work import OPERATION, available, claim, make_job, make_upload, set_price, work_off
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
LOOK = {"strength": 1, "contrast": 1.2, "grain": 3}
SWATCHES = ["#000000", "#3366cc", "#ffffff"]


@pytest.fixture
def organization():
    set_price()
    return make_organization()


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


def make_style(code: str = "ink", **fields) -> Style:
    return styles.create_style(
        **{"operation": OPERATION, "code": code, "name": code.title(), **fields}
    )


def publish(style: Style, **terms) -> StyleVersion:
    return styles.publish_style_version(
        style, **{"swatches": SWATCHES, "parameters": LOOK, **terms}
    )


def dusk() -> Style:
    return Style.objects.get(operation=OPERATION, code="dusk")


def ask(organization, developer, **parameters) -> AreaRequest:
    return AreaRequest(make_upload(organization, developer), parameters)


def submit(organization, developer, **parameters) -> GenerationArea:
    job = submit_job(
        organization=organization,
        user=developer,
        operation=OPERATION,
        areas=[ask(organization, developer, **parameters)],
    )
    return job.areas.get()


def result_of(area: GenerationArea) -> bytes:
    area.refresh_from_db()
    with area.result.open() as file:
        return file.read()


class TestKeepingStyles:
    def test_offers_a_style_once_it_has_a_version(self):
        style = make_style(position=1)
        assert "ink" not in selectors.styles_by_code(OPERATION)

        publish(style)
        second = publish(style, swatches=["#111111", "#eeeeee"])

        assert list(selectors.styles_by_code(OPERATION))[:2] == ["dusk", "ink"]
        assert selectors.styles_by_code(OPERATION)["ink"] == second
        assert second.number == 2

    def test_offers_it_no_more_when_it_is_not_active(self):
        style = make_style()
        publish(style)
        named = {"name": "Ink", "description": "", "position": 0}

        styles.change_style(style, **named, is_active=False)
        assert "ink" not in selectors.styles_by_code(OPERATION)

        styles.change_style(style, **named, is_active=True)
        assert "ink" in selectors.styles_by_code(OPERATION)

    def test_writes_down_who_did_what(self):
        style = make_style()
        version = publish(style, prompt_template="In {name}")
        kept = {"description": "", "position": 0, "is_active": True}
        styles.change_style(style, name="Blue ink", **kept)
        styles.change_style(style, name="Blue ink", **kept)  # changes nothing

        rows = AuditLog.objects.filter(object_id__in=[style.public_id, version.public_id])
        assert sorted(rows.values_list("action", flat=True)) == [
            "style.changed",
            "style.created",
            "style.version_published",
        ]
        assert rows.get(action="style.changed").after == {"name": "Blue ink"}
        assert rows.get(action="style.version_published").after["parameters"] == LOOK

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"code": "dusk", "name": "Other"}, "code"),
            ({"code": "other", "name": "Dusk"}, "name"),
            ({"code": "other", "operation": "image.enlarge"}, "operation"),
            ({"code": "other", "operation": "image.erase"}, "operation"),
        ],
    )
    def test_refuses_a_style_that_cannot_be(self, fields, field):
        with pytest.raises(StyleRefused) as refusal:
            make_style(**fields)

        assert refusal.value.details["field"] == field

    def test_refuses_the_name_of_another(self):
        style = make_style()
        with pytest.raises(StyleRefused, match="name: Another style"):
            styles.change_style(style, name="Dusk", description="", position=0, is_active=True)

    @pytest.mark.parametrize(
        ("terms", "words"),
        [
            ({"swatches": ["black"]}, "swatches: Give 2 to 8 colours"),
            ({"parameters": {**LOOK, "grain": 999}}, "parameters: grain: Give a whole number"),
            ({"parameters": {"strength": 1}}, "parameters: contrast: Give a number from 0 to 4"),
            ({"prompt_template": "In {nme}"}, "prompt_template: There is no {nme}. Use: {name}, "),
            ({"prompt_template": "{}"}, "prompt_template: There is no {}."),
            ({"prompt_template": "{name.__class__}"}, "There is no {name.__class__}."),
            ({"prompt_template": "{name!r}"}, "There is no {name!r}."),
            ({"prompt_template": "{grain:>9999}"}, "There is no {grain:>9999}."),
            ({"prompt_template": "{name"}, "The braces do not fit together"),
            ({"prompt_template": "name}"}, "The braces do not fit together"),
        ],
    )
    def test_refuses_a_version_that_cannot_be(self, terms, words):
        style = make_style()
        with pytest.raises(StyleRefused) as refusal:
            publish(style, **terms)

        assert words in str(refusal.value)
        assert not style.versions.exists()

    @pytest.mark.parametrize(
        "change",
        [
            lambda: StyleVersion.objects.update(swatches=[]),
            lambda: StyleVersion.objects.all()._raw_delete("default"),
            lambda: Style.objects.update(code="other"),
            lambda: Style.objects.update(operation="other"),
            lambda: Style.objects.all()._raw_delete("default"),
        ],
    )
    def test_are_kept_by_the_database(self, change):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


class TestResolving:
    def test_puts_the_look_into_the_area(self, organization, developer):
        style = make_style(description="As drawn with a pen")
        version = publish(style, prompt_template="{name}: {description}; {colours}; {{{grain}}}")

        area = submit(organization, developer, style="ink", size=128)

        assert area.asked == {"style": "ink", "style_version": 1, "size": 128}
        assert area.parameters["look"] == {
            "version_id": version.public_id,
            "name": "Ink",
            "prompt": "Ink: As drawn with a pen; #000000, #3366cc, #ffffff; {3}",
            "swatches": SWATCHES,
            **LOOK,
        }

    def test_asks_once_for_many_areas(self, organization, developer):
        area = ask(organization, developer, style="dusk")

        def asked(count):
            with CaptureQueriesContext(connection) as queries:
                quote_job(organization=organization, operation=OPERATION, areas=[area] * count)
            return len(queries)

        asked(1)
        assert asked(1) == asked(20)

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [
            ({}, "style: Choose one of: dusk, blueprint, meadow."),
            ({"style": "neon"}, "style: Choose one of: dusk, blueprint, meadow."),
            ({"style": "newsprint"}, "style: Choose one of: dusk, blueprint, meadow."),
            ({"style": ["dusk"]}, "style: Choose one of: dusk, blueprint, meadow."),
            ({"style": "dusk", "style_version": 2}, "style_version: Version 1 of dusk is in force"),
            ({"style": "dusk", "look": LOOK}, "look: This parameter is not known; use size."),
        ],
    )
    def test_refuses_what_is_not_offered(self, organization, developer, parameters, words):
        Style.objects.filter(code="newsprint").update(is_active=False)

        with pytest.raises(InvalidParameters) as refusal:
            submit(organization, developer, **parameters)

        assert words in str(refusal.value)
        assert available(organization) == 100

    def test_says_so_where_none_is_offered(self, organization, developer):
        Style.objects.update(is_active=False)

        with pytest.raises(InvalidParameters, match="none is offered now"):
            submit(organization, developer, style="dusk")


class TestANewVersion:
    def test_changes_neither_price_nor_what_is_told(self, organization, developer):
        area = ask(organization, developer, style="dusk")
        quote = quote_job(organization=organization, operation=OPERATION, areas=[area])
        publish(dusk())

        job = submit_job(
            organization=organization, user=developer, operation=OPERATION, areas=[area]
        )

        assert job.cost == quote.cost == 5
        assert available(organization) == 95
        assert job.areas.get().asked["style_version"] == 2

    def test_is_not_given_to_who_asked_for_the_one_before(self, organization, developer):
        publish(dusk())

        with pytest.raises(InvalidParameters, match="style_version: Version 2 of dusk is in force"):
            submit(organization, developer, style="dusk", style_version=1)
        assert submit(organization, developer, style="dusk", style_version=2).asked == {
            "style": "dusk",
            "style_version": 2,
            "size": None,
        }

    def test_leaves_what_waits_as_it_was(self, organization, developer):
        before = submit(organization, developer, style="dusk")
        publish(dusk())
        after = submit(organization, developer, style="dusk")
        Style.objects.filter(code="dusk").update(is_active=False)
        work_off()

        assert result_of(before) == result_of(self.of_before(organization, developer))
        assert result_of(before) != result_of(after)

    def of_before(self, organization, developer) -> GenerationArea:
        """An area as it was submitted before styles had versions: its look is the first one."""
        Style.objects.filter(code="dusk").update(is_active=True)
        area = submit(organization, developer, style="dusk")
        area.parameters = {"style": "dusk", "size": None}
        area.save(update_fields=["parameters"])
        work_off()
        return area

    def test_is_not_that_of_a_retry(self, organization, developer):
        area = submit(organization, developer, style="dusk")
        taken = claim()
        fail_area(area=taken, claim=taken.claim, code="broke", message="It broke.")
        publish(dusk())

        retry_job(job=area.job, by=area.job.user)

        area.refresh_from_db()
        assert (area.attempt_number, area.asked["style_version"]) == (2, 1)
        assert area.parameters["look"]["swatches"] != SWATCHES

    def test_is_named_on_the_page_of_its_job(self, organization, developer):
        publish(dusk())
        job = make_job(organization, developer)
        kept = {"description": "", "position": 0, "is_active": False}
        styles.change_style(dusk(), name="Evening", **kept)

        page = signed_in(developer).get(f"/o/{organization.slug}/jobs/{job.public_id}/")

        assert "Dusk v2" in page.content.decode()


class TestTheApi:
    @pytest.fixture
    def client(self, organization, developer):
        return with_key(make_key(organization, developer, "jobs:read")[1])

    def test_lists_what_can_be_chosen(self, client):
        version = publish(make_style(description="Pen"))
        Style.objects.filter(code="meadow").update(is_active=False)

        answer = client.get("/api/v1/styles", {"operation": OPERATION}).json()

        assert {one["code"] for one in answer["data"]} == {"ink", "dusk", "blueprint", "newsprint"}
        first = answer["data"][0]
        assert first["code"] == "ink"
        assert (first["version"], first["version_id"]) == (1, version.public_id)
        assert (first["name"], first["description"]) == ("Ink", "Pen")
        assert first["preview_url"] == f"/api/v1/styles/{OPERATION}/ink/1/preview"
        assert "parameters" not in first

    def test_lists_them_in_pages(self, client):
        first = client.get("/api/v1/styles", {"limit": 3}).json()
        rest = client.get("/api/v1/styles", {"limit": 3, "cursor": first["next_cursor"]}).json()

        codes = [one["code"] for one in (*first["data"], *rest["data"])]
        assert (len(codes), rest["has_more"]) == (4, False)
        assert set(codes) == {"dusk", "blueprint", "meadow", "newsprint"}

    @pytest.mark.parametrize("query", [{"operation": "image.enlarge"}, {"colour": "red"}])
    def test_refuses_what_it_does_not_know(self, client, query):
        assert client.get("/api/v1/styles", query).status_code == 400

    def test_shows_what_a_version_does(self, client):
        style = make_style()
        publish(style)
        publish(style, swatches=["#330000", "#ffdddd"])

        old, new = (
            client.get(f"/api/v1/styles/{OPERATION}/ink/{number}/preview") for number in (1, 2)
        )

        assert old["Content-Type"] == new["Content-Type"] == "image/webp"
        assert old["Cache-Control"] == "private, max-age=86400"
        assert old.content[8:12] == b"WEBP"
        assert old.content != new.content

    @pytest.mark.parametrize("place", ["ink/1", "dusk/9"])
    def test_knows_nothing_of_others(self, client, place):
        assert client.get(f"/api/v1/styles/{OPERATION}/{place}/preview").status_code == 404

    def test_tells_of_a_job_which_version_it_has_and_no_more(self, client, organization, developer):
        job = make_job(organization, developer)

        (area,) = client.get(f"/api/v1/jobs/{job.public_id}").json()["areas"]

        assert area["parameters"] == {"style": "dusk", "style_version": 1, "size": None}


class TestTheBackOffice:
    ADD = "/admin/jobs/styleversion/add/"
    GIVEN = {
        "swatches": '["#000000", "#ffffff"]',
        "parameters": '{"strength": 1, "contrast": 1, "grain": 0}',
        "prompt_template": "In {name}",
    }
    NO_VERSIONS = {"versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}

    @pytest.fixture
    def staff(self):
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def test_makes_and_changes_styles_by_the_services(self, staff):
        given = {"operation": OPERATION, "code": "ink", "name": "Ink", "position": "1"}
        staff.post("/admin/jobs/style/add/", given | self.NO_VERSIONS)
        style = Style.objects.get(code="ink")
        assert not style.is_active

        changed = given | {"name": "Blue", "code": "other", "is_active": "on"}
        staff.post(f"/admin/jobs/style/{style.pk}/change/", changed | self.NO_VERSIONS)

        style.refresh_from_db()
        assert (style.code, style.name, style.is_active) == ("ink", "Blue", True)
        actions = AuditLog.objects.filter(object_id=style.public_id).values_list("action")
        assert {action for (action,) in actions} == {"style.created", "style.changed"}

    def test_publishes_a_version_once_it_was_seen(self, staff):
        style = make_style()
        given = self.GIVEN | {"style": str(style.pk)}

        shown = staff.post(self.ADD, given)
        page = shown.content.decode()
        assert "Nothing is published yet" in page
        assert not style.versions.exists()
        seen = shown.context["adminform"].form["seen"].value()
        picture = page.split('<img src="')[1].split('"')[0].replace("&amp;", "&")
        assert staff.get(picture)["Content-Type"] == "image/webp"

        other = given | {"swatches": '["#000000", "#eeeeee"]', "seen": seen}
        assert "Nothing is published yet" in staff.post(self.ADD, other).content.decode()
        assert not style.versions.exists()

        staff.post(self.ADD, given | {"seen": seen})
        assert style.versions.get().parameters == {"strength": 1, "contrast": 1, "grain": 0}
        listed = staff.get(f"/admin/jobs/style/{style.pk}/change/").content.decode()
        assert "What Ink does to a sample" in listed

    def test_says_at_the_field_what_is_wrong(self, staff):
        given = self.GIVEN | {"style": str(make_style().pk), "prompt_template": "{nme}"}

        answer = staff.post(self.ADD, given)

        assert "There is no {nme}" in answer.context["adminform"].form.errors["prompt_template"][0]

    def test_begins_a_version_with_the_last_one(self, staff):
        address = staff.get(f"/admin/jobs/style/{dusk().pk}/new-version/")["Location"]

        assert "#1b1036" in staff.get(address).content.decode()

    @pytest.mark.parametrize("look", ["", "{}", "[]", '{"swatches": 1}'])
    def test_has_no_picture_of_what_is_no_look(self, staff, look):
        asked = {"operation": OPERATION, "look": look}

        assert staff.get("/admin/jobs/styleversion/preview/", asked).status_code == 404

    def test_never_changes_or_deletes_a_version(self, staff):
        version = dusk().versions.get()
        at = f"/admin/jobs/styleversion/{version.pk}"

        assert staff.post(f"{at}/change/", self.GIVEN).status_code == 403
        assert staff.post(f"{at}/delete/", {"post": "yes"}).status_code == 403
        assert staff.post(f"/admin/jobs/style/{version.style_id}/delete/").status_code == 403
