"""``/.well-known/security.txt`` (RFC 9116): whom to tell of a weakness."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from allmende.domain.profile import as_list

_DAYS = 180
"""How long what it says may be relied on. The RFC wants less than a year (2.5.5)."""


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """The file, in the form that the RFC gives it. 404 where nobody is named."""
    config, profile = settings.ALLMENDE, request.house.profile  # type: ignore[attr-defined]
    operator = as_list(profile.facts.get("operator_email"))
    contact = config.security_contact or (f"mailto:{operator[0].value}" if operator else "")
    if not contact:
        raise Http404("security.txt")
    root = (config.public_url or config.url).rstrip("/")
    # A whole day, so that the file is the same all day long.
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=_DAYS)
    lines = {
        "Contact": contact,
        "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Preferred-Languages": ", ".join(profile.languages),
        "Canonical": f"{root}/.well-known/security.txt",
        "Policy": f"{root}/security/",
    }
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "max-age=3600"})
