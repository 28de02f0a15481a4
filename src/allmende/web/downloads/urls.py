"""Addresses of orders, whose keys are not to be guessed and do not open what is not open; and of dumps, which last."""

from django.urls import path, re_path

from allmende.web.downloads import dump_views, views

app_name = "downloads"

_KEY = r"^downloads/(?P<key>[0-9a-f]{32})"
_DATASET = r"^dumps/(?P<dataset>[a-z0-9]+(?:[-_][a-z0-9]+)*)"

urlpatterns = [
    path("downloads/", views.orders, name="orders"),
    re_path(rf"{_KEY}/\Z", views.order, name="order"),
    re_path(rf"{_KEY}/state\.json\Z", views.state, name="state"),
    re_path(rf"{_KEY}/drop/\Z", views.drop, name="drop"),
    re_path(rf"{_KEY}/file/(?P<name>[^/]{{1,300}})\Z", views.file, name="file"),
    path("dumps/", dump_views.overview, name="dumps"),
    path("dumps/manifest.json", dump_views.manifest, name="manifest"),
    re_path(rf"{_DATASET}/\Z", dump_views.page, name="dump"),
    re_path(rf"{_DATASET}/manifest\.json\Z", dump_views.manifest, name="dump-manifest"),
    re_path(rf"{_DATASET}/(?P<name>[A-Za-z0-9_.~-]{{1,200}})\.parquet\Z", dump_views.file, name="dump-file"),
]
