"""The demo's mailbox, and that it exists nowhere else."""

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from apps.core.mailbox import forget_mails
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db

FILES = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def demo(settings, tmp_path):
    """A demo whose mails are files."""
    settings.DEMO = True
    settings.EMAIL_BACKEND = FILES
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return settings


def send(to: str, subject: str = "Hello", text: str = "Look at http://testserver/there") -> None:
    message = EmailMultiAlternatives(subject, text, to=[to])
    message.attach_alternative(f'<p style="color:red">{text}</p><script>1</script>', "text/html")
    message.send()


def ids(client) -> list[str]:
    return [one.id for one in client.get("/demo/mailbox/").context["mails"]]


class TestTheMailbox:
    def test_is_empty_at_first(self, client, demo):
        assert "No mail" in client.get("/demo/mailbox/").content.decode()

    def test_lists_mails_newest_first(self, client, demo):
        connection = mail.get_connection()
        for number in range(3):
            EmailMultiAlternatives(
                f"Number {number}", "text", to=["ann@example.com"], connection=connection
            ).send()
        send("bob@example.com", "The last")

        subjects = [one.subject for one in client.get("/demo/mailbox/").context["mails"]]

        assert subjects == ["The last", "Number 2", "Number 1", "Number 0"]

    def test_shows_those_to_one_address(self, client, demo):
        send("ann@example.com", "For Ann")
        send("bob@example.com", "For Bob")

        page = client.get("/demo/mailbox/?to=ANN@example.com").content.decode()

        assert "For Ann" in page
        assert "For Bob" not in page

    def test_shows_a_mail_with_links_to_follow(self, client, demo):
        send("ann@example.com", "Grüße <b>", "See http://testserver/there and <script>")

        page = client.get(f"/demo/mailbox/{ids(client)[0]}/").content.decode()

        assert 'href="http://testserver/there"' in page
        assert "Grüße &lt;b&gt;" in page
        assert "&lt;script&gt;" in page

    def test_shows_the_html_where_nothing_can_run(self, client, demo):
        send("ann@example.com")

        answer = client.get(f"/demo/mailbox/{ids(client)[0]}/html/")

        policy = answer["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "default-src 'none'" in policy
        assert 'style="color:red"' in answer.content.decode()

    @pytest.mark.parametrize(
        "mail_id",
        [
            "nothing",
            "notes.txt:0",
            "a.log:0",
            "..:0",
            "..%2f..%2fdemo.json:0",
            "a.log:x",
            "a.log:99999",
            "²:²",
        ],
    )
    def test_knows_no_other_files(self, client, demo, tmp_path, mail_id):
        (tmp_path / "demo.json").write_text("secret")
        send("ann@example.com")
        (tmp_path / "mail" / "notes.txt").write_text(f"Subject: no mail\n\n{'-' * 79}\n")

        assert client.get(f"/demo/mailbox/{mail_id}/").status_code == 404

    def test_has_the_mails_of_accounts(self, client, demo):
        client.post("/accounts/password/reset/", {"email": "nobody@example.com"})

        assert len(ids(client)) == 1


class TestProduction:
    @pytest.fixture(
        params=[
            {"DEMO": False},
            {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend"},
            {"DEMO": False, "DEBUG": True},
        ]
    )
    def production(self, demo, request):
        send("ann@example.com")
        for name, value in request.param.items():
            setattr(demo, name, value)

    @pytest.mark.parametrize("page", ["", "20261121-0-0.log:0/", "20261121-0-0.log:0/html/"])
    def test_has_no_mailbox(self, client, production, page):
        root = signed_in(make_person(is_staff=True, is_superuser=True))

        assert client.get(f"/demo/mailbox/{page}").status_code == 404
        assert root.get(f"/demo/mailbox/{page}").status_code == 404

    def test_does_not_show_a_mail_that_is_there(self, client, demo):
        send("ann@example.com")
        address = f"/demo/mailbox/{ids(client)[0]}/"
        assert client.get(address).status_code == 200

        demo.DEMO = False

        assert client.get(address).status_code == 404
        assert "mailbox" not in client.get("/").content.decode()


class TestForgetMails:
    def test_deletes_what_went_to_an_address_or_names_it(self, client, demo):
        send("ann@example.com", "For Ann")
        send("bob@example.com", "For Bob", "Ann (ANN@example.com) has invited you")
        send("bob@example.com", "For Bob alone")

        assert forget_mails({"ann@example.com"}) == 2

        assert [one.subject for one in client.get("/demo/mailbox/").context["mails"]] == [
            "For Bob alone"
        ]

    def test_touches_nothing_where_this_is_no_demo(self, demo):
        send("ann@example.com")
        demo.DEMO = False

        assert forget_mails({"ann@example.com"}) == 0
