"""What is held of somebody in the tables of accounts and in the audit log."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import models
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import COMMONS, RECIPIENTS, Kept, Named, Subject, Wishes, register
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AUDIT_DAYS, AuditEntry, LoggedIn, Membership, Token, User
from allmende.web.accounts.rows import Rows

GONE = _("is deleted")
_OPENS = ("What opens an account",)


class Account(Rows):
    """The account itself. Its groups and permissions, which the house does not use, go with it."""

    def __init__(self) -> None:
        super().__init__(
            User, place="account", title=_("Account"), fate=GONE, order=80, by=("pk",), erasure="delete",
            told=("username", "email", "first_name", "last_name", "date_joined", "last_login", "is_active", "waits"),
            sections=("Accounts",),
        )  # fmt: skip
        own = ("username", "email", "first_name", "last_name", "password", "last_login", "date_joined")
        fields = {
            "accounts.user": own, "accounts.user_groups": ("user",), "accounts.user_user_permissions": ("user",),
        }  # fmt: skip
        self.named = Named(
            place="account", title=_("Account"), fate=GONE, order=80, fields=fields, sections=("Accounts",)
        )

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding: and every session ends."""
        from allmende.web.accounts.people import end_all, forget

        for user in self.rows(subject):
            end_all(user)
            forget(user)
            user.delete()
        return []


class Tokens(Rows):
    """Tokens, and what is known by their names of what programs sent."""

    def __init__(self) -> None:
        super().__init__(
            Token, place="tokens", title=_("Tokens, and what came with them"), order=60, by=("user",),
            fate=_("are deleted; what programs sent stays under another name, what could not be taken of it goes"),
            told=("name", "datasets", "may_write", "writes", "publishes", "created", "expires", "last_used", "revoked"),
            also=("last_used", "name"), sections=("Tokens",), erasure="delete",
        )  # fmt: skip

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: what could not be taken of what programs sent."""
        from allmende.web.house import open_store

        for name in sorted(subject.tokens):
            kept = open_store().rejections(source=f"token:{name}", limit=10_000)
            for each in kept:
                yield f"rejected/token-{name}-{each.number}.bin", iter((open_store().rejection(each.number).body,))

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        from allmende.web.accounts.tokens import forget_token
        from allmende.web.house import open_store

        changed = 0
        for place, name in enumerate(sorted(subject.tokens), 1):
            changed += open_store().forget_client(f"token:{name}", f"{wishes.pseudonym}.{place}")
        for token in self.rows(subject):
            forget_token(token)
        if not changed:
            return []
        return [Kept(place="tokens", what=f"origins: {changed}", why=COMMONS)]


class Log:
    """The audit log. What others have to be told of (who received what is not open) stays under another name."""

    named = Named(
        place="audit",
        title=_("Audit log"),
        fate=_("who and what are erased; when, and which kind of deed, stay"),
        order=90,
        fields={"accounts.auditentry": ("actor", "object", "detail")},
        sections=("Audit log",),
    )

    def rows(self, subject: Subject) -> models.QuerySet[AuditEntry]:
        """By the person, or telling of them."""
        which = models.Q(pk__in=())
        for actor in subject.actors:
            which |= AuditEntry.objects.tells_of(actor)
        return AuditEntry.objects.exclude(salt="").annotate(text=Cast("detail", models.TextField())).filter(which)

    def count(self, subject: Subject) -> int:
        """See Holding."""
        return self.rows(subject).count()

    def tell(self, subject: Subject) -> list[Mapping[str, Any]]:
        """See Holding. Names of others are left out: they are not the person's to know (GDPR, Art. 15(4))."""
        found = self.rows(subject).order_by("id").values("at", "actor", "action", "object", "detail")
        return [{name: _without_others(value, subject) for name, value in row.items()} for row in found]

    def files(self, subject: Subject) -> Iterable[tuple[str, Iterator[bytes]]]:
        """See Holding: none."""
        return ()

    def erase(self, subject: Subject, wishes: Wishes) -> list[Kept]:
        """See Holding."""
        until = timezone.localdate() + timedelta(days=AUDIT_DAYS)
        kept = []
        for dataset, told in self._received(subject).items():
            record(wishes.pseudonym, "data.read.before", dataset, **told)
            kept.append(
                Kept(
                    place="audit",
                    what=f"{dataset}: {told['hours']} h, {told['first'][:10]} – {told['last'][:10]}",
                    why=RECIPIENTS,
                    until=until,
                )
            )
        for actor in subject.actors:
            AuditEntry.objects.erase(actor)
        return kept

    def _received(self, subject: Subject) -> dict[str, dict[str, Any]]:
        """By dataset: hours, answers, the first and the last hour."""
        found: dict[str, dict[str, Any]] = {}
        reads = AuditEntry.objects.exclude(salt="").filter(actor__in=subject.actors, action="data.read")
        for each in reads.order_by("id"):
            hour = str(each.detail.get("hour", each.at.isoformat()))
            told = found.setdefault(each.object, {"hours": 0, "answers": 0, "first": hour, "last": hour})
            told["hours"] += 1
            told["answers"] += int(each.detail.get("answers", 0))
            told["first"], told["last"] = min(told["first"], hour), max(told["last"], hour)
        return found


def _without_others(value: Any, subject: Subject) -> Any:
    """The same with ``user:…`` in place of ``user:<name of somebody else>``, and likewise of tokens."""
    if isinstance(value, str):
        kind, sign, _name = value.partition(":")
        return f"{kind}:…" if sign and kind in ("user", "token", "cli") and value not in subject.actors else value
    if isinstance(value, dict):
        return {name: _without_others(inner, subject) for name, inner in value.items()}
    return [_without_others(inner, subject) for inner in value] if isinstance(value, list) else value


def register_all() -> None:
    """Those of this app and of django-allauth."""
    common = {"fate": GONE, "by": ("user",), "erasure": "delete"}
    register(
        Account(),
        Tokens(),
        Log(),
        Rows(
            Membership, place="roles", title=_("Roles"), order=70, told=("organisation", "role", "since", "provider"),
            also=("organisation", "role", "since"), sections=("Roles",), **common,
        ),
        Rows(
            LoggedIn, place="browsers", title=_("Browsers"), order=70, told=("browser", "since", "seen"),
            also=("session", "browser", "since", "seen"), sections=_OPENS, **common,
        ),
        Rows(
            EmailAddress, place="addresses", title=_("E-mail addresses"), order=70,
            told=("email", "verified", "primary"), also=("email",), sections=_OPENS, **common,
        ),
        Rows(
            Authenticator, place="factors", title=_("Second factors"), order=70,
            told=("type", "created_at", "last_used_at"), also=("data",), sections=_OPENS, **common,
        ),
        Rows(
            SocialAccount, place="log-ins", title=_("Linked log-ins"), order=70,
            told=("provider", "uid", "extra_data", "date_joined", "last_login"), also=("uid", "extra_data"),
            sections=_OPENS, **common,
        ),
    )  # fmt: skip
