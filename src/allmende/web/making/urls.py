"""Addresses of the pages on which sources are made."""

from django.urls import path

from allmende.web.making import views

app_name = "making"

urlpatterns = [
    path("", views.begin, name="begin"),
    path("<slug:key>/", views.columns, name="columns"),
    path("<slug:key>/choose/", views.choose, name="choose"),
    path("<slug:key>/preview/", views.look, name="preview"),
    path("<slug:key>/found.json", views.found, name="found"),
    path("<slug:key>/finish/", views.finish, name="finish"),
    path("<slug:key>/state/", views.state, name="state"),
    path("<slug:key>/drop/", views.drop, name="drop"),
]
