"""A person who leaves his name everywhere, and a search of the whole database for it."""

import json
from dataclasses import dataclass, field
from itertools import count

from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from apps.billing.models import BillingDocument
from apps.billing.selectors.details import printed
from apps.billing.services.details import Wanted, set_details
from apps.billing.services.subscriptions.changing import carry_out
from apps.billing.services.subscriptions.changing import request as request_change
from apps.billing.services.subscriptions.subscribing import begin
from apps.core import clock, context
from apps.core.models import IdempotencyKey
from apps.credits.selectors import main_wallet
from apps.credits.services.budgets import create_budget
from apps.jobs.services.uploads import store_upload
from apps.rbac.models import Erasure
from apps.rbac.services.accepting import accept
from apps.rbac.services.erasures import request_erasure
from apps.rbac.services.impersonations import end_impersonation
from apps.rbac.services.keys import create_key
from apps.rbac.services.personal_exports import make_exports, request_export
from apps.rbac.services.sharing import share_object
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import update_organization
from apps.tenants.services.people import update_profile
from tests.billing.selling import make_plan_version
from tests.jobs.work import make_job, picture, set_price
from tests.people import (
    give_second_factor,
    make_organization,
    make_person,
    signed_in,
)
from tests.rbac.inviting import PASSWORD, make_invitation, send_mails
from tests.rbac.looking import make_support, start

_number = count(1)
TEXTS = """
    SELECT attribute.attrelid::regclass::text, attribute.attname,
           format_type(attribute.atttypid, NULL)
      FROM pg_attribute attribute
      JOIN pg_class relation ON relation.oid = attribute.attrelid
      JOIN pg_namespace place ON place.oid = relation.relnamespace
     WHERE place.nspname = 'public' AND relation.relkind IN ('r', 'p', 'm')
       AND attribute.attnum > 0 AND NOT attribute.attisdropped
     ORDER BY 1, 2
"""
NUMBERS = {"bigint", "integer", "smallint", "boolean", "uuid", "numeric", "interval"}


@dataclass
class Canary:
    """A person, and the words that name nobody but him."""

    person: User
    words: list[str]
    own: Organization  # made when he signed up
    clients: list[Client] = field(default_factory=list)


def columns() -> list[tuple[str, str, str]]:
    """Return every column that may hold words: table, column and type, by the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(TEXTS)
        return [row for row in cursor.fetchall() if row[2] not in NUMBERS]


def found_in(words: list[str]) -> tuple[int, list[str]]:
    """Return how many columns were searched, and those in which one of the words stands."""
    hits = []
    searched = columns()
    with connection.cursor() as cursor:
        for table, column, kind in searched:
            text = f'"{column}"::text'
            if kind == "bytea":  # words within bytes; what does not decode holds none
                text = f"encode(\"{column}\", 'escape')"
            for word in words:
                cursor.execute(
                    f"SELECT count(*) FROM {table} WHERE position(%s IN lower({text})) > 0", [word]
                )
                if cursor.fetchone()[0]:
                    hits.append(f"{table}.{column}: {word}")
    return len(searched), hits


def sign_up_canary() -> Canary:
    """Sign up by the form a person whose name and address are found nowhere else."""
    number = f"{next(_number):04}x"  # of one length, so that no word is part of another's
    name, email = f"Quillon{number} Zandermere{number}", f"canary{number}@nowhere{number}.example"
    client = Client(headers={"User-Agent": "Canary's browser"})
    answer = client.post(
        "/accounts/signup/",
        {"email": email, "password1": PASSWORD, "full_name": name, "organization_name": ""},
    )
    assert answer.status_code == 302
    person = User.objects.get(email=email)
    EmailAddress.objects.filter(user=person).update(verified=True)
    own = Organization.objects.get(name=name)
    words = [f"zandermere{number}", f"quillon{number}", f"canary{number}", f"nowhere{number}"]
    return Canary(person, words, own, [client])


def leave_traces(canary: Canary) -> None:
    """Let him do what people do, and let others write his name."""
    person, number = canary.person, next(_number)
    owner = make_person()
    acme = make_organization(owner=owner, name=f"Acme {number}")
    with context.acting(actor=f"user:{person.public_id}"):
        update_profile(
            user=person,
            full_name=f"{person.full_name} the Second",
            avatar_url=f"https://{person.email.rpartition('@')[2]}/me.png",
            time_zone="UTC",
        )
    person.refresh_from_db()
    invitation = make_invitation(acme, owner, email=person.email)
    accept(invitation=invitation, user=person, token=send_mails()[-1])
    make_invitation(
        make_organization(owner=owner, name=f"Globex {number}"), owner, email=person.email
    )
    IdempotencyKey.objects.create(
        scope=f"test:{number}",
        key="key",
        digest=bytes(32),
        locked_until=clock.database_now(),
        status=201,
        body=json.dumps({"email": person.email, "name": person.full_name}).encode(),
    )
    create_key(
        organization=canary.own,
        created_by=person,
        name=f"{person.full_name}'s laptop",
        scopes=["jobs:read"],
    )
    store_upload(
        organization=acme,
        user=person,
        file=SimpleUploadedFile(f"{person.full_name}.png", picture(), "image/png"),
    )
    update_organization(organization=acme, billing_email=person.email)
    send_bills_to(person, acme)
    create_budget(wallet=main_wallet(acme), monthly_limit=10, member=person)
    share_something(person)
    give_second_factor(person)
    canary.clients.append(signed_in(person))
    let_support_look(person, owner, acme)
    edit_in_the_back_office(person)
    end_plans(person, owner, acme)
    request_export(user=person)
    make_exports()


def send_bills_to(person: User, organization: Organization) -> None:
    """Let an organization be billed under his name, and have an invoice that says so."""
    with transaction.atomic():
        details = set_details(
            organization=organization,
            wanted=Wanted(
                legal_name=person.full_name,
                line1=f"c/o {person.full_name}",
                country="DE",
                po_number=f"Ask {person.full_name}",
                emails=(person.email, "office@acme.test"),
            ),
        )
    BillingDocument.objects.create(
        organization=organization,
        kind=BillingDocument.Kind.INVOICE,
        stripe_id=f"in_canary_{next(_number)}",
        amount=100,
        currency="eur",
        status=BillingDocument.Status.PAID,
        issued_at=clock.database_now(),
        billed_to=printed(details),
    )


def let_support_look(person: User, owner: User, organization: Organization) -> None:
    """Let staff look in his place, and in another's because of him, and write why."""
    reason, ticket = f"{person.full_name} has asked for it", f"Mail from {person.email}"
    for user, fields in ((person, {"ticket": ticket}), (owner, {"ticket": person.full_name})):
        look = start(make_support(), user, organization, reason=reason, **fields)
        end_impersonation(impersonation=look, cause="stopped")


def share_something(person: User) -> None:
    """Let an organization to which he does not belong show him a job."""
    set_price()
    owner = make_person()
    organization = make_organization(owner=owner, name="Hooli")
    job = make_job(organization, owner)
    share_object(by=owner, organization=organization, object_id=job.public_id, email=person.email)


def edit_in_the_back_office(person: User) -> None:
    """Let staff make something whose history in the admin names him."""
    root = signed_in(make_person(is_staff=True, is_superuser=True))
    answer = root.post(
        "/admin/account/emailaddress/add/",
        {"user": person.pk, "email": f"second.{person.email}", "verified": "on"},
    )
    assert answer.status_code == 302


def end_plans(person: User, owner: User, organization: Organization) -> None:
    """Let him end a plan and say why, and another one say that it is because of him."""
    version = make_plan_version(price=0)
    reasons = {person: f"Ask {person.full_name}", owner: f"{person.full_name} has gone"}
    other = make_organization(owner=owner, name="Initech")
    for user, place in ((person, organization), (owner, other)):
        begin(organization=place, version=version, quantity=1)
        with context.acting(actor=f"user:{user.public_id}"):
            change = request_change(
                organization=place, kind="cancel", reason=reasons[user], user=user
            )
        carry_out(change)


def ask(canary: Canary) -> Erasure:
    """Ask for his erasure, as he would."""
    with context.acting(actor=f"user:{canary.person.public_id}"):
        return request_erasure(user=canary.person, confirmation=canary.person.email)
