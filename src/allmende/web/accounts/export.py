"""All that the house keeps of somebody's account, for themselves (Art. 15 and 20 GDPR)."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount

from allmende.web.accounts.models import AuditEntry, LoggedIn, Token, User


def data_of(user: User) -> dict[str, Any]:
    """Plain values; secrets (the password's hash, keys of second factors) are left out: they are no use to anybody."""
    return {
        "account": {
            "username": user.username,
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "date_joined": user.date_joined,
            "last_login": user.last_login,
        },
        "email_addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "roles": list(user.memberships.values("organisation", "role", "since", "provider")),
        "second_factors": list(Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")),
        "linked_log_ins": list(
            SocialAccount.objects.filter(user=user).values("provider", "uid", "extra_data", "date_joined", "last_login")
        ),
        "tokens": list(
            Token.objects.filter(user=user).values(
                "name", "datasets", "may_write", "writes", "publishes", "created", "expires", "last_used", "revoked"
            )
        ),
        "own_sensors": list(
            user.own_sensors.values(
                "id",
                "name",
                "description",
                "shown_name",
                "licence",
                "indoor",
                "measures",
                "precision",
                "lon",
                "lat",
                "district",
                "state",
                "note",
                "paused",
                "afterwards",
                "created",
                "last_received",
            )
        ),
        "logged_in": list(LoggedIn.objects.filter(user=user).values("browser", "since", "seen")),
        "audit_log": list(
            AuditEntry.objects.filter(actor=f"user:{user.username}").values("at", "action", "object", "detail")
        ),
    }
