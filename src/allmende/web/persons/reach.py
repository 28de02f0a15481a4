"""Who a request is about, and all that the house holds of them."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Q

from allmende.domain.errors import NotFound
from allmende.domain.holdings import Json, Subject, holdings, plain
from allmende.web.accounts.models import Token, User


def subject_of(user: User) -> Subject:
    """Somebody with an account."""
    addresses = {user.email.lower(), *(each.email.lower() for each in EmailAddress.objects.filter(user=user))} - {""}
    tokens = frozenset(Token.objects.filter(user=user).values_list("name", flat=True))
    return Subject(user=user.pk, name=user.get_username(), emails=frozenset(addresses), tokens=tokens)


def find_subject(about: str) -> tuple[User | None, Subject]:
    """By the name of an account, or by an e-mail address, with or without an account. Raises NotFound for a name that
    nobody has, and for an address that more than one account has."""
    about = about.strip()
    user = User.objects.filter(username=about).first()
    if user is None and "@" in about:
        owners = User.objects.filter(Q(email__iexact=about) | Q(emailaddress__email__iexact=about)).distinct()[:2]
        if len(owners) > 1:
            raise NotFound("more than one account has this address; name the account")
        user = owners[0] if owners else None
        if user is None:
            return None, Subject(emails=frozenset({about.lower()}))
    if user is None:
        raise NotFound("there is no account of this name, and it is no e-mail address")
    return user, subject_of(user)


def look(subject: Subject) -> list[dict[str, Any]]:
    """What an access or an erasure would reach, place by place: title, number of records, what becomes of it."""
    return [
        {
            "place": each.named.place,
            "title": each.named.title,
            "fate": each.named.fate,
            "count": each.count(subject),
        }
        for each in holdings()
    ]


def everything(subject: Subject) -> dict[str, Json]:
    """All records by place, as plain values; what is too much for that is in the files of a parcel."""
    return {each.named.place: plain(each.tell(subject)) for each in holdings()}
