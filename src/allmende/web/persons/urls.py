"""Addresses of requests."""

from django.urls import path

from allmende.web.persons import views

app_name = "persons"

urlpatterns = [
    path("accounts/requests/", views.mine, name="mine"),
    path("accounts/requests/<slug:key>/", views.fetch_own, name="fetch-own"),
    path("accounts/people/<int:number>/erase/", views.erase_account, name="erase-account"),
    path("office/persons/", views.overview, name="overview"),
    path("office/persons/<int:number>/", views.one, name="request"),
    path("office/persons/<int:number>/file/", views.fetch, name="fetch"),
]
