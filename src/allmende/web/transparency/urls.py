"""Addresses of the pages on transparency. Those of things are printed on labels: they never change."""

from django.urls import path

from allmende.web.transparency import views

app_name = "transparency"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("<str:thing_id>/", views.thing, name="thing"),
    path("<str:thing_id>/label/", views.label, name="label"),
    path("<str:thing_id>/label.svg", views.code, name="code"),
]
