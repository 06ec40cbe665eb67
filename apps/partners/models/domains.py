"""Domains of e-mail: how they are written down, and which of them anybody can have a name at."""

from apps.partners.models.addresses import normalized

LONGEST = 253  # characters: RFC 1035, 2.3.4
# Whoever asks gets an address there: a rule for one of these would give credits to everybody.
PUBLIC = frozenset(
    {"aol.com", "email.cz", "fastmail.com", "freenet.de", "gmail.com", "gmx.at", "gmx.ch"}
    | {"gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk"}
    | {"hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "hushmail.com"}
    | {"icloud.com", "inbox.ru", "laposte.net", "libero.it", "list.ru", "live.com", "live.de"}
    | {"live.fr", "live.nl", "mac.com", "mail.com", "mail.de", "mail.ru", "mailbox.org", "me.com"}
    | {"msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de", "outlook.es"}
    | {"outlook.fr", "pm.me", "posteo.de", "proton.me", "protonmail.com", "protonmail.ch"}
    | {"qq.com", "rambler.ru", "rediffmail.com", "rocketmail.com", "seznam.cz", "sina.com"}
    | {"t-online.de", "tuta.com", "tutanota.com", "tutanota.de", "web.de", "wp.pl", "o2.pl"}
    | {"yahoo.ca", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br"}
    | {"yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru", "ymail.com"}
    | {"zoho.com", "zohomail.com", "126.com", "163.com", "10minutemail.com", "guerrillamail.com"}
    | {"mailinator.com", "yopmail.com"}
)


def domain_of(email: str) -> str:
    """Return the domain of an address as it is compared: all of it, in lower case."""
    return email.rpartition("@")[2].lower()


def person_of(email: str) -> str:
    """
    Return what an address says of who reads it: what stands after a plus sign is his to choose.

    Mail for ada+news@example.com reaches ada@example.com, so both are one person.
    """
    name, _, domain = email.lower().rpartition("@")
    return f"{name.partition('+')[0] or name}@{domain}"


def checked_domain(text: str) -> str:
    """
    Return a domain as it is kept: in lower case, without what people write before it.

    :raises ValueError: if it is none, or if anybody can have an address there.
    """
    domain = text.strip().removeprefix("@").lower()
    try:
        domain = domain_of(normalized(f"somebody@{domain}"))
    except ValueError as error:
        raise ValueError("This is no domain; one looks like example.com.") from error
    if "." not in domain or len(domain) > LONGEST:
        raise ValueError("This is no domain; one looks like example.com.")
    if domain in PUBLIC:
        raise ValueError("Anybody can have an address there. Invite these people one by one.")
    return domain
