"""Addresses of orders. Their keys are not to be guessed, and do not open what is not open."""

from django.urls import path, re_path

from allmende.web.downloads import views

app_name = "downloads"

_KEY = r"^downloads/(?P<key>[0-9a-f]{32})"

urlpatterns = [
    path("downloads/", views.orders, name="orders"),
    re_path(rf"{_KEY}/\Z", views.order, name="order"),
    re_path(rf"{_KEY}/state\.json\Z", views.state, name="state"),
    re_path(rf"{_KEY}/drop/\Z", views.drop, name="drop"),
    re_path(rf"{_KEY}/file/(?P<name>[^/]{{1,300}})\Z", views.file, name="file"),
]
