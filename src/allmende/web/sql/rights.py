"""Who may change a question that is kept."""

from django.contrib.auth.models import AnonymousUser

from allmende.web.accounts.models import User
from allmende.web.accounts.roles import may
from allmende.web.sql.models import SavedQuery

PUBLISH = "queries.publish"


def may_change(user: User | AnonymousUser, kept: SavedQuery) -> bool:
    """Its owner, as long as it was never published; and who may publish, from then on."""
    if not user.is_authenticated:
        return False
    return may(user, PUBLISH) if kept.slug else kept.user_id == user.pk
