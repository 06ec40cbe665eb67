"""Who lives in the demo. Addresses end in .test, which no mail ever reaches."""

from dataclasses import dataclass

PASSWORD = "coffer-demo-2026"  # noqa: S105  printed on the start page of every demo


@dataclass(frozen=True)
class Person:
    """Someone to sign in as."""

    email: str
    full_name: str
    role: str  # in his organization, or for staff: what he is
    organization: str = ""  # slug; empty for staff
    time_zone: str = "UTC"
    description: str = ""


STAFF = (
    Person("root@demo.test", "Rosa Root", "superuser", description="Sees all in the admin"),
    Person(
        "second@demo.test", "Sol Sekunda", "superuser", description="Decides what Rosa asks for"
    ),
)

CUSTOMERS = (
    Person(
        "owner@acme.test",
        "Ada Acker",
        "owner",
        "acme",
        "Europe/Berlin",
        "Two months of history, trial long gone, bought credits",
    ),
    Person("billing@acme.test", "Bo Bilal", "billing manager", "acme", "Europe/Berlin"),
    Person("developer@acme.test", "Dee Deveraux", "developer", "acme", "America/New_York"),
    Person("member@acme.test", "Mei Mensah", "member", "acme"),
    Person("auditor@acme.test", "Aino Auer", "read-only", "acme"),
    Person(
        "owner@trial.test",
        "Tariq Trent",
        "owner",
        "sunrise-studio",
        "Asia/Tokyo",
        "A trial with two days left",
    ),
    Person(
        "owner@empty.test",
        "إيمان الخالي",
        "owner",
        "empty-hands",
        description="Not enough credits for another job",
    ),
    Person(
        "owner@credit.test",
        "Olu Okafor",
        "owner",
        "open-account",
        "Africa/Lagos",
        "Works on a credit line, and owes credits",
    ),
    Person(
        "manager@partner.test",
        "Pía Pérez de la Montaña-Österberg",
        "partner manager",
        "green-neighbours",
        "Europe/Madrid",
        "Runs a partner programme",
    ),
    Person(
        "neighbour@partner.test",
        "Nia Novak",
        "programme member",
        "green-neighbours",
        "Europe/Madrid",
        "Got credits from a partner",
    ),
    Person(
        "owner@sandbox.test",
        "Sima Sander",
        "owner",
        "sandbox",
        description="A sandbox, whose clock staff move: a plan in its trial",
    ),
)

ORGANIZATIONS = {
    "acme": "Acme Renderings",
    "sunrise-studio": "Sunrise Studio 日の出",
    "empty-hands": "Empty Hands",
    "green-neighbours": "Green Neighbours e.V.",
    "open-account": "Open Account Ltd",
    "sandbox": "Sandbox",
}
