"""Operations that workers outside do: how they are described, sold, asked for and changed."""

import pytest

from apps.credits.errors import UnknownCreditEvent
from apps.jobs import selectors
from apps.jobs.errors import (
    InvalidParameters,
    OperationBuiltIn,
    OperationsRequired,
    ParametersNotDescribed,
    UnknownOperation,
)
from apps.jobs.models import ExternalOperation, GenerationArea
from apps.jobs.runners.schemas import LONGEST_TEXT, MOST_PARAMETERS, check_description, fitted
from apps.jobs.services import external_operations, quotes, running, submission, worker_keys
from apps.jobs.services.changing import retry_job
from apps.jobs.services.submission import AreaRequest
from apps.rbac.errors import ExpiryInThePast
from apps.tenants.models import AuditLog
from tests.jobs.outside import (
    OUTLINE,
    PARAMETERS,
    make_external,
    make_worker,
    make_worker_key,
    post,
    submit_outside,
    take,
)
from tests.jobs.work import OPERATION, available, make_upload, set_price
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)

LIST = "/admin/jobs/workerkey/"
DESCRIBED = {
    "type": "object",
    "required": ["mood"],
    "properties": {
        "mood": {"type": "string", "enum": ["calm", "wild"]},
        "strength": {"type": "integer", "minimum": 1, "maximum": 3, "default": 2},
        "share": {"type": "number", "minimum": 0},
        "is_inverted": {"type": "boolean"},
        "text": {"type": "string"},
    },
}


class TestADescription:
    def test_that_says_what_there_is_is_taken(self):
        check_description(DESCRIBED)
        check_description({})

    @pytest.mark.parametrize(
        "schema",
        [
            [],
            {"type": "array"},
            {"$ref": "https://elsewhere.example/schema"},
            {"properties": {"mood": {}}},
            {"properties": {"mood": {"type": "object"}}},
            {"properties": {"mood": {"type": "string", "pattern": "(a+)+$"}}},
            {"properties": {"Mood": {"type": "string"}}},
            {"properties": {"mood": {"type": "string", "enum": []}}},
            {"properties": {"mood": {"type": "string", "default": 1}}},
            {"properties": {"n": {"type": "integer", "maximum": 3, "default": 4}}},
            {"properties": {"n": {"type": "integer", "maximum": "3"}}},
            {"required": ["mood"]},
            {"properties": {"look": {"type": "string"}}},
            {"properties": {"style": {"type": "string"}}},
            {"properties": {"style_version": {"type": "integer"}}},
            {"properties": {"mood": {"type": "string", "default": "a\0b"}}},
            {"properties": {"mood": {"type": "string", "enum": ["a\ud800b"]}}},
            {"properties": {"n": {"type": "number", "maximum": float("inf")}}},
            {"properties": {f"n{i}": {"type": "string"} for i in range(MOST_PARAMETERS + 1)}},
        ],
    )
    def test_that_says_anything_else_is_refused(self, schema):
        with pytest.raises(ValueError):
            check_description(schema)


class TestParameters:
    def test_get_their_defaults(self):
        assert fitted(DESCRIBED, {"mood": "calm"}) == {"mood": "calm", "strength": 2}
        assert fitted({}, {}) == {}

    @pytest.mark.parametrize("strength", [2, 2.0])
    def test_that_are_whole_are_kept_as_such(self, strength):
        schema = {"properties": {"strength": {"type": "integer", "default": 2.0}}}

        for asked in ({"strength": strength}, {}):
            assert type(fitted(schema, asked)["strength"]) is int

    @pytest.mark.parametrize(
        ("parameters", "which"),
        [
            ({}, "mood"),
            ({"mood": "sad"}, "mood"),
            ({"mood": 1}, "mood"),
            ({"mood": "calm", "strength": 0}, "strength"),
            ({"mood": "calm", "strength": 4}, "strength"),
            ({"mood": "calm", "strength": True}, "strength"),
            ({"mood": "calm", "strength": 1.5}, "strength"),
            ({"mood": "calm", "share": -1}, "share"),
            ({"mood": "calm", "is_inverted": "yes"}, "is_inverted"),
            ({"mood": "calm", "text": "x" * (LONGEST_TEXT + 1)}, "text"),
            ({"mood": "calm", "other": 1}, "other"),
            # What PostgreSQL does not keep as JSON.
            ({"mood": "calm", "text": "a\0b"}, "text"),
            ({"mood": "calm", "text": "a\ud800b"}, "text"),
            ({"mood": "calm", "share": float("inf")}, "share"),
        ],
    )
    def test_that_do_not_fit_are_refused_by_name(self, parameters, which):
        with pytest.raises(ValueError) as refused:
            fitted(DESCRIBED, parameters)

        assert refused.value.args[0] == which
        assert refused.value.args[1].endswith(".")


@pytest.mark.django_db
class TestAnOperation:
    def test_is_not_sold_without_a_price(self):
        with pytest.raises(UnknownCreditEvent):
            external_operations.make_operation(
                code="image.free", name="Free", most_pixels=1, is_active=True
            )

        made = external_operations.make_operation(code="image.free", name="Free", most_pixels=1)
        fields = {"name": "Free", "description": "", "parameters": {}}
        with pytest.raises(UnknownCreditEvent):
            external_operations.change_operation(operation=made, is_active=True, **fields)

    def test_is_of_one_kind(self):
        with pytest.raises(OperationBuiltIn):
            external_operations.make_operation(code=OPERATION, name="Mine", most_pixels=1)

    def test_must_say_what_it_takes(self):
        with pytest.raises(ParametersNotDescribed):
            make_external(parameters={"type": "array"})

    def test_leaves_a_trace(self):
        operation = make_external()

        external_operations.change_operation(
            operation=operation, name="Lines", description="", parameters={}, is_active=False
        )

        change = AuditLog.objects.get(action="external_operation.change")
        assert (change.before["name"], change.after["name"]) == ("Outline", "Lines")
        assert AuditLog.objects.filter(action="external_operation.create").count() == 1


@pytest.mark.django_db
class TestAskingForOne:
    def test_pays_for_it_and_leaves_it_to_workers_outside(self):
        make_external()
        organization = make_organization()

        job = submit_outside(organization, areas=2)

        assert [area.parameters for area in job.areas.all()] == [{"strength": 1}] * 2
        assert (job.cost, available(organization)) == (16, 84)
        assert not running.work()
        assert GenerationArea.objects.filter(status="pending").count() == 2

    def test_with_parameters_that_do_not_fit_is_refused(self):
        make_external()
        organization = make_organization()
        user = make_member(organization, "developer")
        area = AreaRequest(make_upload(organization, user), {"strength": 9})

        with pytest.raises(InvalidParameters, match="strength"):
            submission.submit_job(
                organization=organization, user=user, operation=OUTLINE, areas=[area]
            )
        assert available(organization) == 100

    def test_that_is_not_active_is_refused(self):
        make_external(is_active=False)
        organization = make_organization()

        with pytest.raises(UnknownOperation):
            submit_outside(organization)
        with pytest.raises(UnknownOperation, match=OPERATION):
            quotes.quote_job(organization=organization, operation=OUTLINE)

    def test_has_a_quote(self):
        make_external(metadata={"metered": "megapixel"}, most_pixels=3_000_000)
        organization = make_organization()
        upload = make_upload(organization, make_member(organization, "developer"))

        quote = quotes.quote_job(
            organization=organization, operation=OUTLINE, areas=[AreaRequest(upload)]
        )

        assert (quote.cost, quote.is_metered) == (24, True)

    def test_again_is_refused_once_nobody_does_it_any_more(self):
        make_external()
        organization = make_organization()
        job = submit_outside(organization)
        worker = make_worker()
        post(worker, take(worker), "fail", {"code": "no", "message": "No."})
        ExternalOperation.objects.update(is_active=False)
        job.refresh_from_db()

        with pytest.raises(UnknownOperation):
            retry_job(job=job, by=job.user)
        assert available(organization) == 100

    def test_is_listed_with_what_it_takes(self):
        set_price()
        make_external()
        organization = make_organization()
        _, token = make_key(organization, make_member(organization, "developer"), "jobs:read")

        listed = with_key(token).get("/api/v1/operations").json()["data"]

        takes = {one["operation"]: one["parameters"] for one in listed}
        assert takes == {OPERATION: None, OUTLINE: PARAMETERS}

    def test_shows_its_name_on_pages(self):
        make_external()
        organization = make_organization()
        submit_outside(organization)

        (job,) = selectors.jobs_of(organization)

        assert job.operation_name == "Outline"
        client = signed_in(make_member(organization, "owner"))
        assert b"Outline" in client.get(f"/o/{organization.slug}/jobs/").content
        new = client.get(f"/o/{organization.slug}/jobs/new/").content
        assert b"Outline" not in new  # its parameters are asked for by API


@pytest.mark.django_db
class TestAWorkersKey:
    def test_is_for_operations_of_workers_alone(self):
        make_external()
        staff = make_person(is_staff=True)

        with pytest.raises(OperationsRequired):
            worker_keys.create_worker_key(name="x", operations=[], created_by=staff)
        for other in ("image.unknown", OPERATION):
            with pytest.raises(UnknownOperation):
                make_worker_key(other)

    def test_does_not_begin_after_its_end(self):
        operation = make_external()

        with pytest.raises(ExpiryInThePast):
            worker_keys.create_worker_key(
                name="x",
                operations=[OUTLINE],
                created_by=make_person(is_staff=True),
                expires_at=operation.created_at,
            )

    def test_is_kept_as_a_digest(self):
        make_external()

        key, secret = make_worker_key()

        assert secret.startswith("cof_work_")
        assert secret not in str(vars(key))
        assert worker_keys.find_worker_key(secret) == key
        assert worker_keys.find_worker_key(secret[:-1] + "~") is None

    def test_stays_revoked(self):
        make_external()
        key, secret = make_worker_key()

        first = worker_keys.revoke_worker_key(key=key).revoked_at

        assert worker_keys.revoke_worker_key(key=key).revoked_at == first
        assert worker_keys.find_worker_key(secret) is None
        assert AuditLog.objects.filter(action="worker_key.revoke").count() == 1


@pytest.mark.django_db
class TestTheBackOffice:
    @pytest.fixture
    def staff(self):
        make_external()
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def test_shows_a_secret_once(self, staff):
        answer = staff.post(f"{LIST}add/", {"name": "Studio", "operations": [OUTLINE]})

        secret = answer.content.decode().partition("cof_work_")[2][:46]
        key = worker_keys.find_worker_key(f"cof_work_{secret}")
        assert (key.name, key.operations) == ("Studio", [OUTLINE])
        assert "no-store" in answer["Cache-Control"]
        for address in (LIST, f"{LIST}{key.pk}/change/"):
            assert secret not in staff.get(address).content.decode()

    def test_revokes_keys(self, staff):
        key, secret = make_worker_key()

        staff.post(LIST, {"action": "revoke", "_selected_action": [str(key.pk)]})

        assert worker_keys.find_worker_key(secret) is None

    def test_makes_and_changes_operations(self, staff):
        address = "/admin/jobs/externaloperation/"
        fields = {"name": "Halo", "description": "Light", "parameters": "{}"}
        staff.post(f"{address}add/", {**fields, "code": "image.halo", "most_pixels": 1000})
        made = ExternalOperation.objects.get(code="image.halo")

        one = f"{address}{made.pk}/change/"
        refused = staff.post(one, {**fields, "is_active": "on"}, follow=True)
        staff.post(one, {**fields, "name": "Glow", "code": "image.other", "most_pixels": 9})

        made.refresh_from_db()
        assert "image.halo" in refused.content.decode()
        assert (made.name, made.code, made.most_pixels, made.is_active) == (
            "Glow",
            "image.halo",
            1000,
            False,
        )

    def test_is_closed_to_staff_without_the_permission(self):
        make_external()
        staff = signed_in(make_person(is_staff=True))

        assert staff.get(LIST).status_code == 403
        assert staff.get("/admin/jobs/externaloperation/add/").status_code == 403
