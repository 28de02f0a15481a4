"""Addresses of questions. Those of what was published last."""

from django.urls import path, re_path

from allmende.web.sql import saved_views, views

app_name = "sql"

_FORM = r"(?P<form>json|csv|zip|parquet)\Z"
_KEY = r"^saved/(?P<key>[0-9a-f]{16})/"

urlpatterns = [
    path("", views.page, name="ask"),
    re_path(rf"^result\.{_FORM}", views.result, name="result"),
    path("schema.json", views.schema, name="schema"),
    path("saved/", saved_views.listed, name="saved"),
    re_path(rf"{_KEY}\Z", saved_views.show, name="question"),
    re_path(rf"{_KEY}edit/\Z", saved_views.edit, name="edit"),
    re_path(rf"{_KEY}drop/\Z", saved_views.drop, name="drop"),
    re_path(rf"{_KEY}publish/\Z", saved_views.publish, name="publish"),
    re_path(r"^published/(?P<slug>[a-z0-9-]{1,80})/\Z", saved_views.published, name="published"),
    re_path(rf"^published/(?P<slug>[a-z0-9-]{{1,80}})\.{_FORM}", saved_views.given, name="given"),
]
