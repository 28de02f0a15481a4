"""Whether the frame of a page leads to the office."""

from typing import Any

from django.http import HttpRequest

from allmende.web.accounts.roles import may_somewhere
from allmende.web.office.rights import ENTER


def office(request: HttpRequest) -> dict[str, Any]:
    """``office``: whether whoever looks may enter it. Error pages have no user."""
    user = getattr(request, "user", None)
    return {"office": user is not None and user.is_authenticated and may_somewhere(user, ENTER)}
