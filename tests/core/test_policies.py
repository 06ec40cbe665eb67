"""The policies that browsers get, and what they forbid."""

import pytest
from django.test import Client

from tests.markup import inline_parts
from tests.people import make_organization, make_person, signed_in

LOOSE = ("unsafe-inline", "unsafe-eval", "*", "http:", "https: ")


def policy_of(answer) -> dict[str, list[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts}


@pytest.mark.django_db
class TestThePolicy:
    @pytest.mark.parametrize(
        "address",
        ["/", "/accounts/login/", "/nowhere/", "/problems/", "/api/docs/", "/api/try/", "/livez"],
    )
    def test_allows_nothing_inline_to_customers(self, address):
        answer = Client().get(address)

        assert not [word for word in LOOSE if word in answer["Content-Security-Policy"].split()]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert policy_of(answer)["default-src"] == ["'self'"]
        assert policy_of(answer)["frame-ancestors"] == ["'none'"]

    def test_is_the_same_on_the_pages_of_an_organization(self):
        owner = make_person()
        place = make_organization(owner=owner)

        answer = signed_in(owner).get(f"/o/{place.slug}/")

        assert answer.status_code == 200
        assert "unsafe" not in answer["Content-Security-Policy"]

    @pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/admin/nowhere/"])
    def test_of_the_back_office_runs_no_script_that_stands_in_a_page(self, address):
        root = make_person(is_staff=True, is_superuser=True)

        policy = policy_of(signed_in(root).get(address))

        assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
        assert policy["default-src"] == ["'self'"]
        assert policy["form-action"] == ["'self'"]

    def test_names_a_new_nonce_each_time(self):
        policies = [policy_of(Client().get("/api/docs/"))["style-src"] for _ in range(2)]

        assert all(words[1].startswith("'nonce-") for words in policies)
        assert policies[0] != policies[1]

    @pytest.mark.parametrize("address", ["/api/docs/", "/api/try/"])
    def test_is_kept_by_the_pages_about_the_api(self, address):
        assert inline_parts(Client().get(address).content.decode()) == []


class TestInlineParts:
    @pytest.mark.parametrize(
        "html",
        [
            "<style>a{}</style>",
            "<script>run()</script>",
            "<script type='text/javascript'>run()</script>",
            "<p style='color:red'>",
            "<p onclick='run()'>",
            "<p hx-on:click='run()'>",
            "<a href=' JavaScript:run()'>",
        ],
    )
    def test_are_found(self, html):
        assert len(inline_parts(f"<main>{html}</main>")) == 1

    @pytest.mark.parametrize(
        "html",
        [
            "<script src='/a.js'></script>",
            "<script type='application/json'>{}</script>",
            "<p>style=1 onclick=2 &lt;script&gt;</p>",
            "<a href='/o/acme/' data-on='1'>",
        ],
    )
    def test_are_not_seen_where_none_are(self, html):
        assert inline_parts(html) == []
