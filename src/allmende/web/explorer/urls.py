"""Addresses of the explorer. What is shown stands in the address, so that it can be sent to others."""

from django.urls import path, re_path

from allmende.web.explorer import views

app_name = "explorer"

urlpatterns = [
    path("", views.start, name="start"),
    path("series.json", views.series, name="series"),
    path("places.json", views.places, name="places"),
    re_path(r"^values\.(?P<suffix>csv|json)\Z", views.values, name="values"),
    path("origin/", views.origin, name="origin"),
]
