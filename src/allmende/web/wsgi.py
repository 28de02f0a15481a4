"""The WSGI application, as each of the web server's processes loads it."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from allmende.web.config import load_config
from allmende.web.observability import logs
from allmende.web.parentage import die_with_parent

die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allmende.web.settings")
logs.configure(load_config(), "web")
application = get_wsgi_application()
# The first visitor should not wait for the views to be imported.
_ = get_resolver().url_patterns
