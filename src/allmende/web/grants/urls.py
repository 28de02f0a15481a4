"""Addresses of the decisions on access."""

from django.urls import path

from allmende.web.grants import views

app_name = "grants"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("<int:number>/withdraw/", views.end, name="withdraw"),
    path("<str:name>/", views.dataset, name="dataset"),
]
