"""Addresses of the portal, the same in all languages."""

from django.urls import path

from allmende.web.portal import api, ground, openapi, rejections, views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("sources/", views.sources, name="sources"),
    path("sources/<slug:source>/rejections/", rejections.rejections, name="rejections"),
    path("about/", views.page, {"name": "about"}, name="about"),
    path("api/", api.show, name="api"),
    path("openapi.json", openapi.document, name="openapi"),
    path("accessibility/", views.page, {"name": "accessibility"}, name="accessibility"),
    path("privacy/", views.page, {"name": "privacy"}, name="privacy"),
    path("security/", views.page, {"name": "security"}, name="security"),
    path("imprint/", views.page, {"name": "imprint"}, name="imprint"),
    path("licences/", views.page, {"name": "licences"}, name="licences"),
    path("language/<slug:code>/", views.set_language, name="language"),
    path("geo/<slug:name>.json", ground.send, name="ground"),
]
