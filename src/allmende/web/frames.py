"""Which pages of others may show ours in a frame."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from allmende.web.security import content_security_policy


def let_frame(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let those pages show the response that the operator named; none where nothing was named."""
    hosts = " ".join(settings.ALLMENDE.embed_hosts) or "'none'"
    policy = content_security_policy(settings.ALLMENDE, request.get_host(), hosts)
    response["Content-Security-Policy"] = policy
    return response
