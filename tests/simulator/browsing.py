"""A browser without scripts, which does not follow redirects by itself."""

from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener


class Staying(HTTPRedirectHandler):
    """Does not go where it is sent, so a test can look where that is."""

    def redirect_request(self, *args, **kwargs):
        """Stay."""
        return


OPENER = build_opener(Staying)


def visit(url, **form):
    """Return status, page and where it leads; a form is sent if fields are given."""
    data = urlencode(form).encode() if form else None
    try:
        answer = OPENER.open(Request(url, data), timeout=30)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode(), answer.headers.get("Location")
