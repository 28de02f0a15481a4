"""Addresses of the house. Each service stands at the prefix that it names."""

from django.conf import settings
from django.urls import include, path, re_path

from allmende.web.accounts.audit_views import audit_log
from allmende.web.accounts.urls import allauth_urlpatterns
from allmende.web.accounts.views import grant_token
from allmende.web.observability import views as machines
from allmende.web.ogc.views import features
from allmende.web.portal.well_known import security_txt
from allmende.web.sta import sensorthings

urlpatterns = [
    path("health", machines.health),
    path("ready", machines.ready),
    path("metrics", machines.metrics),
    path("sta/v1.1/Login", grant_token),
    re_path(r"^sta/v1\.1(?:/(?P<path>(?s:.*)))?\Z", sensorthings, name="sensorthings"),
    re_path(r"^ogc/v1(?:/(?P<path>(?s:.*)))?\Z", features, name="ogc"),
    path(".well-known/security.txt", security_txt),
    path("accounts/", include("allmende.web.accounts.urls")),
    path("office/sources/new/", include("allmende.web.making.urls")),
    path("office/audit/", audit_log, name="audit"),
    path("", include("allmende.web.persons.urls")),
    path("office/access/", include("allmende.web.grants.urls")),
    path("", include("allmende.web.alerts.urls")),
    path("subscriptions/", include("allmende.web.subscriptions.urls")),
    path("office/", include("allmende.web.office.urls")),
    path("own/", include("allmende.web.citizens.urls")),
    path("accounts/", include(allauth_urlpatterns)),
    path("boards/", include("allmende.web.boards.urls")),
    path("stories/", include("allmende.web.stories.urls")),
    path("feedback/", include("allmende.web.feedback.urls")),
    path("transparency/", include("allmende.web.transparency.urls")),
    path("rules/", include("allmende.web.rulebook.urls")),
    path("map/", include("allmende.web.maps.urls")),
    path("search/", include("allmende.web.finding.urls")),
    path("explorer/", include("allmende.web.analyses.urls")),
    path("instruments/", include("allmende.web.instruments.urls")),
    path("explorer/", include("allmende.web.explorer.urls")),
    path("forecasts/", include("allmende.web.forecasts.urls")),
    *(path(service.prefix, include(service.urls or f"{service.app}.urls")) for service in settings.SERVICES),
    path("sql/", include("allmende.web.sql.urls")),
    path("", include("allmende.web.downloads.urls")),
    path("", include("allmende.web.catalogue.urls")),
    path("", include("allmende.web.harvest.urls")),
    path("policies/", include("allmende.web.policies.urls")),
    path("", include("allmende.web.portal.urls")),
]

handler403 = "allmende.web.portal.views.not_allowed"
handler404 = "allmende.web.portal.views.not_found"
handler500 = "allmende.web.portal.views.server_error"
