"""Addresses of the book of rules."""

from django.urls import path

from allmende.web.rulebook import views

app_name = "rulebook"

urlpatterns = [
    path("", views.rules, name="rules"),
    path("<slug:rule>/", views.rule, name="rule"),
    path("<slug:rule>/value/", views.value, name="value"),
]
