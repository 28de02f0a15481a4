"""Addresses of the office."""

from django.urls import path

from allmende.web.office import deeds, views

app_name = "office"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("new/<slug:kind>/", views.new, name="new"),
    path("<slug:kind>/", views.listing, name="listing"),
    path("<slug:kind>/<str:key>/", views.table, name="table"),
    path("<slug:kind>/<str:key>/edit/", views.edit, name="edit"),
    path("<slug:kind>/<str:key>/do/", deeds.act, name="act"),
]
