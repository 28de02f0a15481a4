"""The WSGI application, as each of the web server's processes loads it."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver

from allmende.web.config import load_config
from allmende.web.cores import take_core
from allmende.web.observability import logs
from allmende.web.parentage import PARENT, die_with_parent

die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allmende.web.settings")
config = load_config()
logs.configure(config, "web")
if config.web_cores and os.environ.get(PARENT):
    take_core(config.home / "run", config.web_processes)
django.setup(set_prefix=False)


class Application(WSGIHandler):
    """Django's, whose answers are handed over in one piece where they are whole: the server sends such a one at once
    instead of asking for the next piece from a thread."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        response: Any = super().__call__(environ, start_response)
        if getattr(response, "streaming", True):
            return response  # type: ignore[no-any-return]  a file or a streaming response
        body = [response.content]
        response.close()
        return body


application = Application()
from allmende.web.reads.notes import notes  # noqa: E402  its models need the apps

notes.keep()
# The first visitor should not wait for the views to be imported.
_ = get_resolver().url_patterns
